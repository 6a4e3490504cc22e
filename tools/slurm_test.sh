#!/usr/bin/env bash
# Test on a Slurm cluster:
#   [GPUS=8 GPUS_PER_NODE=8 CPUS_PER_TASK=5 SRUN_ARGS='...'] \
#       bash tools/slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options of tools/test.py]
set -euo pipefail

USAGE='usage: slurm_test.sh PARTITION JOB_NAME CONFIG CHECKPOINT [options of tools/test.py]'
PARTITION=${1:?$USAGE}
JOB_NAME=${2:?$USAGE}
CONFIG=${3:?$USAGE}
CHECKPOINT=${4:?$USAGE}
GPUS=${GPUS:-8}
TOOLS="$(cd "$(dirname "$0")" && pwd)"
read -r -a EXTRA <<< "${SRUN_ARGS:-}"

PYTHONPATH="$TOOLS/..${PYTHONPATH:+:$PYTHONPATH}" srun \
    --partition "$PARTITION" \
    --job-name "$JOB_NAME" \
    --gres "gpu:${GPUS_PER_NODE:-8}" \
    --ntasks "$GPUS" \
    --ntasks-per-node "${GPUS_PER_NODE:-8}" \
    --cpus-per-task "${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 \
    ${EXTRA[@]+"${EXTRA[@]}"} \
    "${PYTHON:-python}" -u "$TOOLS/test.py" "$CONFIG" "$CHECKPOINT" --launcher slurm "${@:5}"
