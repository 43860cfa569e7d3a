#!/bin/bash
# Eight subjobs of PBS, each of which converts one part. Submit it in the folder of the pipeline: qsub pbs.sh
#PBS -N tonearm
#PBS -J 1-8
#PBS -l select=1:ncpus=4:mem=8gb
#PBS -l walltime=04:00:00
#PBS -r y
#PBS -j oe
set -euo pipefail
cd "$PBS_O_WORKDIR"

exec tonearm run pipeline.yaml --out audio --part pbs/8 --jobs "$NCPUS"
