"""Engines: objects that compute STFTs, invert them and recover phases, all behind one protocol.

``native``
    Kernels that are compiled when they are first used, see `tonearm_plugins.dsp.engines.native`. It is the fastest, on
    the platforms and for the sizes that it supports.
``scipy``
    scipy.fft on blocks of frames, see `tonearm_plugins.dsp.engines.scipy`. It runs everywhere, for every size.
``librosa``
    librosa's own functions, for comparison, see `tonearm_plugins.dsp.engines.librosa`.

`protocol` has what they share, and `choice` decides which one does the work.
"""
