"""The native engine: kernels that Python writes as LLVM assembly, and llvmlite compiles when they are first used.

`engine`
    the engine: whether it can do a job, and its calls.
`stft_kernel`, `istft_kernel`, `griffin_lim_kernel`, `plgi_kernel`, `loudness_kernel`, `true_peak_kernel`
    the kernels. Each has the calls beside it, except for Griffin-Lim and PLGI: `recovery` calls these.
`targets`
    the magnitudes, or the mel spectrogram, that Griffin-Lim projects onto.
`block_layout`
    the layout of frames, samples and weights in memory.
`fft`, `vector_math`
    the real FFT of a block of frames; logarithm, cosine and sine, transposition.
`llvm_writer`
    one LLVM function as Python values.
`compiler`
    whether this machine can run kernels, and the way from text to a call.
`trial`, `trial_run`
    a child process that tries it on platforms where nothing proves that it can.

A vector has one lane a frame: 16 consecutive frames with AVX-512, otherwise 8 (one register of AVX2, two of NEON). So
the FFT is written like that of a single frame, with no shuffle in it, and one block of frames stays in the cache from
its samples to its spectrum and back.
"""
