#!/usr/bin/env bash
# One part of a pass, as a task of a SLURM job array. From the folder with the files:
#
#   job=$(sbatch --parsable --array=1-16 array.sh cross-entropy logits.npy labels.npy)
#   sbatch --dependency=afterok:$job --wrap 'losscli merge parts/*.part -o result.json'
#
# A task that failed is run again by its number, as in --array=7; the parts of the others are there.
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --time=01:00:00
set -euo pipefail
number=$SLURM_ARRAY_TASK_ID
of=${PARTS:-$SLURM_ARRAY_TASK_MAX}
mkdir -p parts
exec losscli compute "$@" --threads "${SLURM_CPUS_PER_TASK:-1}" --part "$number/$of" -o "parts/$number.part"
