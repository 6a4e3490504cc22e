#!/usr/bin/env bash
# Train on several GPUs, or CPU processes where there is no GPU:
#   bash tools/dist_train.sh CONFIG PROCESSES [options of tools/train.py]
# On several machines, set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
# MAX_RESTARTS=3 starts all processes again, up to so often, when one dies; add --resume.
set -euo pipefail

CONFIG=${1:?usage: dist_train.sh CONFIG PROCESSES [options of tools/train.py]}
PROCESSES=${2:?usage: dist_train.sh CONFIG PROCESSES [options of tools/train.py]}
TOOLS="$(cd "$(dirname "$0")" && pwd)"

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes "${NNODES:-1}" \
    --node-rank "${NODE_RANK:-0}" \
    --master-addr "${MASTER_ADDR:-127.0.0.1}" \
    --master-port "${PORT:-29500}" \
    --nproc-per-node "$PROCESSES" \
    --max-restarts "${MAX_RESTARTS:-0}" \
    "$TOOLS/train.py" "$CONFIG" --launcher pytorch "${@:3}"
