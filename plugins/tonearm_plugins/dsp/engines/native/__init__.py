"""The native engine: kernels that Python writes as LLVM assembly and llvmlite compiles when they are first used.

`writer`
    one LLVM function as Python values.
`fft`
    the real FFT of a block of frames.
`blocks`
    how frames, samples and weights lie in memory.
`inverse`, `forward`, `iteration`, `locking`
    the kernels: ISTFT, STFT, Griffin-Lim, PLGI; `aims` is what Griffin-Lim aims at, magnitudes or a mel spectrogram.
`recovery`
    the calls of the latter two; those of the others stand beside them.
`weighting`, `interpolating`
    what loudness and true peaks are measured with: second-order sections over stretches, and values between samples.
`maths`
    logarithm, cosine and sine, transposition.
`compiler`
    whether this machine can, and the way from text to a function.

A vector has one lane a frame: 16 consecutive frames with AVX-512, else 8. So an FFT is written like that of a single
frame, without a shuffle in it, and one block of frames stays in the cache from its samples to its spectrum and back.
"""
