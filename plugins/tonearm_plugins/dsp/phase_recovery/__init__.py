"""Phase recovery: the parts of Griffin-Lim that every engine shares.

`settings`
    how to recover: first phases, iterations, momentum.
`initial_phases`, `phase_gradient`, `plgi`, `pghi`
    the first phases: zero, random, or integrated from the magnitudes.
`targets`
    the magnitudes, or the mel spectrogram, that spectra are projected onto.
`momentum`
    how one iteration leads to the point that the next one analyses.
`recovery`
    the order of steps on one channel, the early stop, and the spectral convergence.

`tonearm_plugins.dsp.griffin_lim` and `tonearm_plugins.dsp.mel_griffin_lim` have the functions to call, and
`tonearm_plugins.dsp.engines` does the work.
"""
