#!/bin/bash
# A Dask cluster in one Slurm job: 32 workers, on as many nodes as they need, and a run on them. Submit it in the folder
# of the pipeline: sbatch dask-slurm.sh
#SBATCH --job-name=tonearm
#SBATCH --ntasks=32
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@60
#SBATCH --output=tonearm-%j.log
#SBATCH --open-mode=append
set -euo pipefail

file=$PWD/scheduler-$SLURM_JOB_ID.json
rm -f "$file"
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -f "$file"' EXIT
dask scheduler --port 0 --dashboard-address :0 --scheduler-file "$file" &
pid=$!
srun --kill-on-bad-exit=0 \
  dask worker --nthreads 1 --memory-limit "${SLURM_MEM_PER_CPU}MiB" --death-timeout 60 --scheduler-file "$file" &
until grep -qs '"address"' "$file"; do kill -0 "$pid"; sleep 1; done
scheduler=$(sed -n 's/.*"address": *"\([^"]*\)".*/\1/p' "$file")

tonearm run pipeline.yaml --out audio --executor dask --executor-option "scheduler=$scheduler" &
run=$!
# The shell gets the signal a minute before the time limit, and passes it on: the run publishes what is finished.
trap 'kill -TERM "$run"' TERM
status=0
wait "$run" || status=$?
if kill -0 "$run" 2>/dev/null; then wait "$run" || status=$?; fi
exit "$status"
