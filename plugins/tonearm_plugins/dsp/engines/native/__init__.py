"""The native engine: kernels that Python writes as LLVM assembly, and llvmlite compiles when they are first used.

`engine`
    the engine: whether it can do a job, and its calls.
`stft_kernel`, `istft_kernel`, `mel_kernel`, `griffin_lim_kernel`, `plgi_kernel`, `loudness_kernel`, `true_peak_kernel`,
`limiter_kernel`
    the kernels. Each has the calls beside it, except for Griffin-Lim and PLGI: `recovery` calls these.
`neighbours`
    what threads exchange that iterate on neighbouring stretches of one signal.
`targets`
    the magnitudes, or the mel spectrogram, that Griffin-Lim projects onto.
`block_layout`
    the layout of frames, samples and weights in memory.
`fft`, `butterflies`, `vector_math`, `level_math`
    the real FFT of a block of frames; DFTs of a few points; logarithm, cosine and sine, transposition; what the kernels
    of levels need beyond that.
`llvm_writer`, `llvm_values`
    one LLVM function as Python values, and these values.
`compiler`
    whether this machine can run kernels, and the way from text to a call.
`trial`, `trial_run`
    a child process that tries it first, everywhere but on Linux with x86-64.

A vector has one lane a frame: 16 consecutive frames with AVX-512, otherwise 8 (one register of AVX2, two of NEON), and
half as many of mel spectrograms, which are computed in double precision. So the FFT is written like that of a single
frame, with no shuffle in it, and one block of frames stays in the cache from its samples to its spectrum and back.
"""
