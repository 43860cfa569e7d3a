#!/bin/bash
# Eight tasks of a Slurm array, each of which converts one part. Submit it in the folder of the pipeline: sbatch slurm.sh
#SBATCH --job-name=tonearm
#SBATCH --array=1-8
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#SBATCH --output=tonearm-%A-%a.log
#SBATCH --open-mode=append
set -euo pipefail

# With exec, tonearm itself gets the signal a minute before the time limit, and ends in good order.
exec tonearm run pipeline.yaml --out audio --part slurm/8 --jobs "$SLURM_CPUS_PER_TASK"
