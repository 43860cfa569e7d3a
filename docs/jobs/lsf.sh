#!/bin/bash
# Eight elements of an LSF array, each of which converts one part. Submit it in the folder of the pipeline: bsub < lsf.sh
#BSUB -J "tonearm[1-8]"
#BSUB -n 4
#BSUB -R "span[hosts=1]"
#BSUB -W 4:00
#BSUB -r
#BSUB -o tonearm-%J-%I.log
set -euo pipefail

exec tonearm run pipeline.yaml --out audio --part "$LSB_JOBINDEX/8" --jobs "$LSB_DJOB_NUMPROC"
