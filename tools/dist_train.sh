#!/usr/bin/env bash
# Train on several GPUs, or CPU processes where there is no GPU:
#   bash tools/dist_train.sh CONFIG PROCESSES [options of tools/train.py]
# On several machines, set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
# MAX_RESTARTS=3 starts all processes again, up to so often, when one dies; add --resume.
set -euo pipefail

CONFIG=${1:?usage: dist_train.sh CONFIG PROCESSES [options of tools/train.py]}
PROCESSES=${2:?usage: dist_train.sh CONFIG PROCESSES [options of tools/train.py]}
TOOLS="$(cd "$(dirname "$0")" && pwd)"

RENDEZVOUS=(--node-rank "${NODE_RANK:-0}" --master-addr "${MASTER_ADDR:-127.0.0.1}" --master-port "${PORT:-29500}")
if [ "${MAX_RESTARTS:-0}" -gt 0 ]; then
    # A store of its own for each start: in a shared one, processes find the addresses of dead ones.
    export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1
    RENDEZVOUS=(--max-restarts "$MAX_RESTARTS" --rdzv-id "${PORT:-29500}" --rdzv-backend c10d
        --rdzv-endpoint "${MASTER_ADDR:-127.0.0.1}:${PORT:-29500}")
    [ "${NNODES:-1}" != 1 ] || RENDEZVOUS+=(--local-addr 127.0.0.1)
fi

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes "${NNODES:-1}" \
    --nproc-per-node "$PROCESSES" \
    "${RENDEZVOUS[@]}" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "${@:3}"
