#!/usr/bin/env bash
# Test on several GPUs, or CPU processes where there is no GPU:
#   bash tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]
# On several machines, set NNODES, NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail

CONFIG=${1:?usage: dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]}
CHECKPOINT=${2:?usage: dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]}
PROCESSES=${3:?usage: dist_test.sh CONFIG CHECKPOINT PROCESSES [options of tools/test.py]}
TOOLS="$(cd "$(dirname "$0")" && pwd)"

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" "${PYTHON:-python}" -m torch.distributed.run \
    --nnodes "${NNODES:-1}" \
    --node-rank "${NODE_RANK:-0}" \
    --master-addr "${MASTER_ADDR:-127.0.0.1}" \
    --master-port "${PORT:-29500}" \
    --nproc-per-node "$PROCESSES" \
    "$TOOLS/test.py" "$CONFIG" "$CHECKPOINT" --launcher pytorch "${@:4}"
