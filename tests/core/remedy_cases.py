"""Sources and pipelines that are wrong, each with a problem whose remedies are applied by the tests."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from remedy_sources import (
    RATE,
    codes,
    complex_parts,
    floats_as_pcm,
    json_file,
    late_window,
    latents,
    librosa_db,
    magnitude,
    melgan,
    npz,
    pcm,
    picture,
    powers,
    raw_spectrum,
    shard,
    sound,
    spectrum,
    stereo,
    tokens,
    wav_bytes,
    written,
)

CODES = {"layout": "llasa-xcodec2-codes"}
GRID = {"sample_rate": RATE, "n_fft": 1024, "hop_length": 256}
WAVE = {"kind": "waveform", "sample_rate": RATE}
ECDC = written("a.ecdc", (Path(__file__).parents[1] / "data/tokens/files/24k_1.5kbps.ecdc").read_bytes())
LATENT = {"kind": "latent", "sample_rate": RATE, "axes": ["band", "frame"]}
TO_NPY = {"output": {"use": "npy-writer"}, "suffix": "npy"}
TOKENS = {"kind": "tokens", "layout": {"axes": ["book", "frame"], "codebooks": 9, "size": 1024}}


@dataclasses.dataclass(frozen=True)
class Case:
    """A source and a pipeline.

    Parameters
    ----------
    name
        Name of the case.
    make
        Function that returns the array of the source, or writes a file into a folder and returns its path.
    options
        Options of the decoder.
    steps, output
        Steps, and the output without its file.
    suffix
        Suffix of the output.
    decoder
        Name of the decoder.
    plain
        Changes to the top level of the pipeline; None leaves a key out.
    truth
        Function that returns the samples that a right outcome has; None if nothing tells.
    """

    name: str
    make: Callable[..., Any]
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    steps: tuple[Any, ...] = ()
    output: Mapping[str, Any] = dataclasses.field(default_factory=lambda: {"use": "wav-writer"})
    suffix: str = "wav"
    decoder: str = "npy-reader"
    plain: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    truth: Callable[[], Any] | None = None

    def pipeline(self, source: Path) -> dict[str, Any]:
        """Return the pipeline as plain data."""
        made = {
            "tonearm": 1,
            "input": {"use": self.decoder, "files": str(source), "with": dict(self.options)},
            "steps": [step if isinstance(step, dict) else {"use": step} for step in self.steps],
            "outputs": [{"file": f"out.{self.suffix}", **self.output}],
        } | self.plain
        return {key: value for key, value in made.items() if value is not None}

    def write(self, folder: Path) -> Path:
        """Write the source into a folder, and return its path."""
        if self.decoder == "npy-reader":
            np.save(folder / "source.npy", self.make())
            return folder / "source.npy"
        path: Path = self.make(folder)
        return path


STFT = {"kind": "complex", **GRID}
MAGNITUDE = {"kind": "magnitude", **GRID}
RATED = {"sample_rate": RATE}
CHANNELS = WAVE | {"axes": ["channel", "time"]}
STRICT = {"limits": {"strict": True}}
FAST = {"use": "griffin-lim", "with": {"iterations": 1}}


def with_(use: str, **options: Any) -> dict[str, Any]:
    """Return a stage with options."""
    return {"use": use, "with": options}


def case(name: str, make: Callable[..., Any], options: Mapping[str, Any] = WAVE, *steps: Any, **more: Any) -> Case:
    """Return a case; ``output`` is the encoder with its options."""
    return Case(name, make, options, steps, **more)


CASES = (
    # arrays: kinds, axes and scales
    case(
        "real parts of both sides",
        lambda: np.concatenate([complex_parts(-1), complex_parts(-1)[-2:0:-1] * (1, -1)]).astype("f4"),
        GRID,
        "istft",
        truth=sound,
    ),
    case("real parts last", lambda: complex_parts(-1), STFT, "istft", truth=sound),
    case("real parts first", lambda: complex_parts(0), STFT, "istft", truth=sound),
    case("real parts of frames and bins", lambda: complex_parts(-1).transpose(1, 0, 2), STFT, "istft", truth=sound),
    case("real parts in the middle", lambda: complex_parts(1), STFT, "istft", truth=sound),
    case("a waveform of two axes", stereo, {"sample_rate": RATE}),
    case("a spectrogram without a kind", lambda: magnitude() + 1, GRID, FAST),
    case("parts without a kind", lambda: complex_parts(-1), {"sample_rate": RATE}),
    case("an inverse transform", lambda: np.fft.ifft(np.fft.fft(sound())), {"sample_rate": RATE}, truth=sound),
    case("a complex waveform", lambda: stereo() + 0.5j, CHANNELS),
    case("a complex spectrogram as magnitude", spectrum, MAGNITUDE, FAST, truth=sound),
    case("a real spectrogram as complex", magnitude, STFT, "istft"),
    case("axes of real parts without a kind", lambda: complex_parts(-1), GRID | {"axes": ["bin", "frame", "complex"]}),
    case(
        "complex values in parts", lambda: complex_parts(0) + 1j, STFT | {"axes": ["complex", "bin", "frame"]}, "istft"
    ),
    case("batch or channel", stereo),
    case("samples before channels", lambda: sound()[:2000].reshape(1000, 2), CHANNELS, plain=STRICT),
    case("a rate in kHz", sound, WAVE | {"sample_rate": 22}, plain=STRICT),
    case("ln", lambda: np.log(np.maximum(magnitude(), 1e-5)), MAGNITUDE, FAST),
    case("log10", lambda: np.log10(np.maximum(magnitude(), 1e-5)), MAGNITUDE, FAST),
    case("ln of powers", lambda: np.log(np.maximum(magnitude() ** 2, 1e-10)), MAGNITUDE, FAST),
    case("log2 without a floor", lambda: np.log2(magnitude() + 1e-9), MAGNITUDE, FAST),
    case("decibels as magnitudes", lambda: 20 * np.log10(magnitude() + 1e-6), MAGNITUDE, FAST),
    case("decibels as powers", lambda: 20 * np.log10(magnitude() + 1e-6), MAGNITUDE | {"kind": "power"}, FAST),
    case("linear values as decibels", lambda: magnitude() * 30, MAGNITUDE | {"kind": "db"}, FAST),
    case("another n_fft", spectrum, STFT | {"n_fft": 2048}, "istft", truth=sound),
    case("an n_fft that is far off", spectrum, STFT | {"n_fft": 512}, "istft", truth=sound),
    case("one side as two", spectrum, STFT | {"sides": "two"}, "istft", truth=sound),
    case("a rate with its unit", sound, {"kind": "waveform", "sample_rate": f"{RATE / 1000:g} kHz"}, truth=sound),
    case("axes as text", lambda: sound()[np.newaxis], WAVE | {"axes": "channel, time"}, truth=sound),
    case(
        "phases in the axis of the bins",
        lambda: np.concatenate([magnitude(), np.angle(spectrum())]).astype("f4"),
        GRID,
        "istft",
        truth=sound,
    ),
    case("an option of another kind", sound, WAVE | {"n_fft": 1024}, truth=sound),
    case("16 bits as floats", lambda: sound() * 32768, truth=sound),
    case("24 bits as floats", lambda: sound().astype("f8") * 2**23, truth=sound),
    case("unsigned integers", lambda: ((sound() + 1) * 32768).astype(np.uint16), truth=sound),
    case("NaN", lambda: np.where(np.arange(RATE) == 7, np.nan, sound())),
    case("infinity in magnitudes", lambda: np.where(magnitude() > 30, np.inf, magnitude()), MAGNITUDE, FAST),
    case("center and padding", spectrum, STFT | {"center": True, "padding": "center"}, "istft", truth=sound),
    case("a window longer than the transform", spectrum, STFT | {"n_fft": 1024, "win_length": 2048}, "istft"),
    case("an end bin that an odd n_fft lacks", spectrum, STFT | {"n_fft": 1025, "end_bins": "dc"}, "istft"),
    case(
        "imaginary parts and phases",
        npz(a=magnitude, b=magnitude, c=magnitude),
        STFT | {"key": "a", "imag": "b", "phase": "c"},
        "istft",
        decoder="npz-reader",
    ),
    case("nothing to pad", sound, WAVE, "pad"),
    case("a band upside down", sound, WAVE, with_("filter", band_pass_hz=[4000, 300])),
    case(
        "the same tag twice",
        sound,
        WAVE,
        output=with_("wav-writer", tags={"year": "2024", "date": "2024-05-01"}),
    ),
    case("end bins of two sides", spectrum, STFT | {"sides": "two", "end_bins": "dc"}, "istft"),
    case("one-sided density of two sides", spectrum, STFT | {"sides": "two", "scaling": "psd-one-sided"}, "istft"),
    # recipes and dialects
    case(
        "librosa's decibels", librosa_db, {"kind": "mel", "dialect": "librosa-db"}, with_("mel-to-wave", iterations=1)
    ),
    case("librosa's decibels as another", librosa_db, {"kind": "mel", "dialect": "whisper-128"}, "mel-to-wave"),
    case("a mel of other bands", lambda: np.log(powers() + 1e-5), {"kind": "mel", "dialect": "hifigan"}, "mel-to-wave"),
    case(
        "a mel of another floor",
        lambda: np.log(powers()[:80] + 1e-5),
        {"kind": "mel", "dialect": "melgan"},
        "mel-to-wave",
    ),
    case(
        "a mel of 100 bands",
        lambda: np.log(powers()[:100] ** 0.5 + 1e-5),
        {"kind": "mel", "dialect": "hifigan"},
        "mel-to-wave",
    ),
    case(
        "a rate beside a dialect",
        librosa_db,
        {"kind": "mel", "dialect": "librosa-db", "sample_rate": 24000},
        "mel-to-wave",
    ),
    case("a hop beside a recipe", magnitude, {"kind": "magnitude", "recipe": "coqui", "hop_length": 200}, FAST),
    case(
        "values of another recipe",
        lambda: np.random.default_rng(0).uniform(-3.9, 3.9, (1025, 20)),
        {"kind": "magnitude", "recipe": "tacotron-keithito"},
        FAST,
    ),
    case(
        "a floor of another dialect",
        melgan,
        {"kind": "mel", "dialect": "hifigan"},
        with_("mel-to-wave", iterations=1),
        plain=STRICT,
    ),
    # codec tokens
    case("tokens without a layout", tokens, {"kind": "tokens"}, output={"use": "npy-writer"}, suffix="npy"),
    case("frames before books", lambda: tokens().T, TOKENS, output={"use": "npy-writer"}, suffix="npy"),
    case(
        "a batch of which the layout knows nothing",
        lambda: np.stack([tokens()] * 2),
        TOKENS | {"layout": {"axes": ["book", "frame"], "size": 1024}},
        output={"use": "npy-writer", "file": "{key}.npy"},
        suffix="npy",
    ),
    case(
        "another rate than that of the layout",
        tokens,
        {"kind": "tokens", "layout": "dac", "sample_rate": 16000},
        output={"use": "npy-writer"},
        suffix="npy",
    ),
    case("another kind for tokens in text", written("a.txt", "<|s_1|>"), WAVE, decoder="tokens-reader", **TO_NPY),
    case(
        "several fields that may hold tokens",
        written("a.json", '{"a": "<|s_1|>", "b": "<|s_2|>"}'),
        {"layout": "llasa"},
        decoder="tokens-reader",
        **TO_NPY,
    ),
    case(
        "joined lines of other books",
        written("a.jsonl", "[[1, 2]]\n[[1, 2], [3, 4]]\n"),
        {"layout": {"axes": ["book", "frame"], "size": 8}, "lines": "joined"},
        decoder="tokens-reader",
        output={"use": "npy-writer", "file": "{index}.npy"},
        suffix="npy",
    ),
    case("a layout of no file of codes", ECDC, {"layout": "orpheus"}, decoder="codec-file-reader", **TO_NPY),
    case("the layout of another file of codes", ECDC, {"layout": "dac-file"}, decoder="codec-file-reader", **TO_NPY),
    case("a frame rate that fits no whole frame", latents, LATENT | {"frame_rate": 86}, **TO_NPY),
    case(
        "a frame rate that contradicts both others",
        latents,
        LATENT | {"frame_rate": 80, "samples_per_frame": 256},
        **TO_NPY,
    ),
    case(
        "two normalisations of latents",
        latents,
        LATENT | {"samples_per_frame": 256, "scale": 0.5, "mean": 0.0, "std": 2.0},
        **TO_NPY,
    ),
    # what values show
    Case(
        "another hop in the file",
        npz(m=spectrum, hop_length=lambda: np.int64(256)),
        STFT | {"hop_length": 128, "key": "m"},
        ("istft",),
        decoder="npz-reader",
        truth=sound,
    ),
    Case(
        "another hop than the dialect's",
        npz(m=melgan, hop_length=lambda: np.int64(300)),
        {"dialect": "melgan", "key": "m"},
        (with_("mel-to-wave", iterations=1),),
        decoder="npz-reader",
    ),
    case("another hop", spectrum, STFT | {"hop_length": 200}, "istft", truth=sound, plain=STRICT),
    case("another window", spectrum, STFT | {"window": "hamming"}, "istft", truth=sound, plain=STRICT),
    case("a window at the start", late_window, STFT | {"win_length": 512}, "istft", plain=STRICT),
    case("magnitudes of a complex type", lambda: magnitude() + 0j, STFT, "istft", plain=STRICT),
    case("a root of magnitudes", lambda: magnitude() ** 0.3, MAGNITUDE, FAST, plain=STRICT),
    case(
        "a root of magnitudes as powers",
        lambda: magnitude() ** 0.3,
        MAGNITUDE | {"kind": "power"},
        FAST,
        plain=STRICT,
    ),
    case("scipy's scaling", lambda: spectrum() / 512, STFT, "istft", truth=sound, plain=STRICT),
    case("a large mean", lambda: sound() + 0.4, plain=STRICT),
    # layouts of spectrograms
    case("parts folded into bins", lambda: complex_parts(0).reshape(1026, -1), STFT, "istft", truth=sound),
    case("too many bins", magnitude, MAGNITUDE | {"bands": [0, 600]}, FAST),
    case("bins of one of two axes", lambda: np.ones((600, 600)), MAGNITUDE | {"bands": [0, 513]}, FAST),
    # scales and limits
    case("figures of a grid beside a waveform", sound, {"sample_rate": RATE, "n_fft": 512, "hop_length": 128}),
    case("a spectrogram of 16 bits", lambda: spectrum() * 32768, STFT, "istft", truth=sound),
    case("values that are not scaled", spectrum, STFT | {"scaling": "spectrum"}, "istft", truth=sound),
    case("scipy's values of 16 bits", lambda: spectrum() * 64, STFT, "istft"),
    case("powers as magnitudes", lambda: (2 * magnitude()) ** 2, MAGNITUDE, with_("griffin-lim", iterations=2)),
    case("magnitudes as powers", lambda: magnitude() * 32768, MAGNITUDE | {"kind": "power"}, FAST),
    case(
        "logarithms as decibels",
        lambda: np.log(np.maximum(magnitude(), 1e-5)),
        MAGNITUDE | {"kind": "db"},
        FAST,
        plain={"limits": {"strict": True}},
    ),
    case("a square of 3", lambda: np.sign(sound()) * 3),
    case("a very quiet sound", lambda: sound() * 1e-5, plain={"limits": {"strict": True}}),
    case(
        "small linear values as decibels",
        lambda: magnitude() / 30,
        MAGNITUDE | {"kind": "db"},
        FAST,
        plain=STRICT,
    ),
    # what a file says
    case(
        "another rate than the file's",
        npz(audio=sound, sr=lambda: np.int64(RATE)),
        WAVE | {"sample_rate": 44100},
        decoder="npz-reader",
        truth=sound,
    ),
    case(
        "two rates in a file",
        npz(audio=sound, sr=lambda: np.int64(RATE), fs=lambda: np.int64(16000)),
        {"kind": "waveform"},
        decoder="npz-reader",
    ),
    case(
        "other channels than the file's",
        npz(audio=sound, channels=lambda: np.int64(2)),
        decoder="npz-reader",
        truth=sound,
    ),
    case(
        "another rate than the sound file's",
        npz(audio=wav_bytes),
        {"sample_rate": 44100},
        decoder="npz-reader",
        truth=sound,
    ),
    case("a sound file as a spectrogram", npz(audio=wav_bytes), STFT, "istft", decoder="npz-reader"),
    case("JSON without a field", json_file(sample_rate=RATE), {"encoding": "pcm_s16le"} | RATED, decoder="pcm-reader"),
    case(
        "another rate than the JSON's",
        json_file(sample_rate=RATE),
        {"field": "audio", "sample_rate": 44100},
        decoder="pcm-reader",
    ),
    case(
        "other channels than the JSON's",
        json_file(sample_rate=RATE, channels=1),
        {"field": "audio", "channels": 2},
        decoder="pcm-reader",
    ),
    case("floats as 16 bits", floats_as_pcm, {"encoding": "pcm_s16le"} | RATED, decoder="pcm-reader", truth=sound),
    case(
        "a raw spectrogram without a shape",
        raw_spectrum,
        GRID | {"kind": "complex", "dtype": "complex64"},
        "istft",
        decoder="raw-reader",
        truth=sound,
    ),
    case(
        "a shape with two open sizes",
        floats_as_pcm,
        MAGNITUDE | {"dtype": "float32", "shape": [-1, -1]},
        FAST,
        decoder="raw-reader",
    ),
    case(
        "samples of several arrays",
        shard,
        WAVE,
        decoder="webdataset-reader",
        output={"use": "wav-writer", "file": "{index}.wav"},
    ),
    # files with several arrays
    case(
        "several arrays",
        npz(a=sound, b=sound),
        WAVE,
        decoder="npz-reader",
        output={"use": "wav-writer", "file": "{key}.wav"},
    ),
    case(
        "imaginary parts of magnitudes",
        npz(a=magnitude, b=magnitude),
        MAGNITUDE | {"key": "a", "imag": "b"},
        FAST,
        decoder="npz-reader",
    ),
    case(
        "phases of a waveform",
        npz(a=magnitude, b=magnitude),
        WAVE | GRID | {"kind": "complex", "key": "a", "phase": "b"},
        FAST,
        decoder="npz-reader",
    ),
    case(
        "parts of complex values",
        npz(a=spectrum, b=spectrum),
        STFT | {"key": "a", "imag": "b"},
        "istft",
        decoder="npz-reader",
    ),
    case("a scale of mu-law", pcm, {"sample_rate": 8000, "encoding": "mulaw", "full_scale": 2}, decoder="pcm-reader"),
    case("a picture of a waveform", picture(), {"kind": "waveform"}, decoder="image-reader"),
    case(
        "a place of low frequencies without a range",
        picture(),
        {"dialect": "riffusion", "low": "top"},
        "mel-to-wave",
        decoder="image-reader",
    ),
    case(
        "a picture in colour",
        picture((0, 1, 2)),
        MAGNITUDE | {"n_fft": 1022, "black": 0, "white": 1},
        FAST,
        decoder="image-reader",
    ),
    case(
        "a picture without colours",
        picture(),
        MAGNITUDE | {"n_fft": 1022, "black": 0, "white": 1, "channels": "stereo"},
        FAST,
        decoder="image-reader",
    ),
    case("no recipe for a picture", picture(), {}, "mel-to-wave", decoder="image-reader"),
    case("another recipe for a picture", picture(), {"dialect": "hifigan"}, "mel-to-wave", decoder="image-reader"),
    # structure
    case("no version", sound, plain={"tonearm": None}, truth=sound),
    case("another version", sound, plain={"tonearm": 7}, truth=sound),
    case("no input", sound, plain={"input": None}),
    case("no outputs", sound, plain={"outputs": None}),
    case("empty outputs", sound, plain={"outputs": []}),
    case("outputs are no list", sound, plain={"outputs": "wav-writer"}),
    case("steps are no list", sound, plain={"steps": "normalize"}),
    case("limits are no mapping", sound, plain={"limits": 3}),
    case("too little memory", lambda: np.zeros(3_000_000, "f4"), plain={"limits": {"memory": "5MB"}}),
    case("a step is missing", spectrum, STFT, truth=sound),
    case("two steps are missing", magnitude, MAGNITUDE),
    case("a step loses precision", sound, WAVE | {"precision": "double"}, with_("mu-law-decode", values="indices")),
    case(
        "an engine loses precision",
        magnitude,
        MAGNITUDE | {"precision": "double"},
        with_("griffin-lim", engine="native", iterations=1),
    ),
    case(
        "a resampler loses precision",
        sound,
        WAVE | {"precision": "double"},
        with_("resample", sample_rate=8000, quality="quick"),
    ),
    # steps
    case("a mix of nothing", stereo, CHANNELS, "mix"),
    case("two mixes", stereo, CHANNELS, with_("mix", to="mono", pick=[0])),
    case("a mix of an unknown layout", lambda: stereo(9), CHANNELS, with_("mix", to="stereo")),
    case(
        "no length of pieces",
        sound,
        WAVE,
        with_("split", by="length"),
        output={"use": "wav-writer", "file": "{index}.wav"},
    ),
    case(
        "overlap by silence",
        sound,
        WAVE,
        with_("split", by="silence", overlap_ms=10),
        output={"use": "wav-writer", "file": "{index}.wav"},
    ),
    case(
        "too little room",
        sound,
        WAVE,
        with_("split", by="silence", min_seconds=3, max_seconds=4),
        output={"use": "wav-writer", "file": "{index}.wav"},
    ),
    case("two ceilings", sound, WAVE, with_("limiter", peak_db=-1, true_peak_db=-1)),
    case("a gap and a crossfade", sound, WAVE, with_("concat", gap_ms=5, crossfade_ms=5)),
    case(
        "parts of different channels",
        npz(a=stereo, b=lambda: stereo(1)),
        CHANNELS | {"key": "*"},
        "concat",
        decoder="npz-reader",
    ),
    case("silence to be repaired", sound, WAVE, with_("guard", silence="fix")),
    case("a guarded fault", lambda: np.clip(sound() * 9, -1, 1), WAVE, with_("guard", clipping="error")),
    case("no loudness at this rate", sound, WAVE | {"sample_rate": 300}, with_("loudness", target_lufs=-16)),
    case("no loudness of these channels", lambda: stereo(9), CHANNELS, with_("loudness", target_lufs=-16)),
    case(
        "a mel of another rate",
        sound,
        WAVE,
        with_("wave-to-mel", dialect="whisper"),
        output={"use": "npy-writer"},
        suffix="npy",
    ),
    case("classes as integers", lambda: np.arange(256, dtype="i2"), WAVE, with_("mu-law-decode", values="indices")),
    case(
        "mu-law beyond its range",
        lambda: np.arange(256, dtype="u1"),
        WAVE | {"full_scale": 1},
        with_("mu-law-decode", values="companded"),
    ),
    case(
        "a padding that is too long",
        lambda: sound()[:90],
        WAVE,
        with_("wave-to-spectrogram", n_fft=1024, hop_length=256, pad_mode="reflect"),
        output={"use": "npy-writer"},
        suffix="npy",
    ),
    case(
        "too short for a frame",
        lambda: sound()[:90],
        WAVE,
        with_("wave-to-spectrogram", n_fft=1024, hop_length=256, padding="none"),
        output={"use": "npy-writer"},
        suffix="npy",
    ),
    # encoders
    case("a rate that MP3 lacks", sound, WAVE | {"sample_rate": 96000}, output={"use": "mp3-writer"}, suffix="mp3"),
    case("channels that MP3 lacks", lambda: stereo(3), CHANNELS, output={"use": "mp3-writer"}, suffix="mp3"),
    case("two bit rates", sound, WAVE, output=with_("mp3-writer", bitrate=128, vbr_quality=2), suffix="mp3"),
    case("an odd bit rate of Opus", sound, WAVE, output=with_("opus-writer", bitrate=600), suffix="opus"),
    case("dither of floats", sound, WAVE, output=with_("wav-writer", subtype="FLOAT", dither=True)),
    case("tags where there is no place", sound, WAVE, output=with_("wav-writer", format="W64", tags={"title": "a"})),
    case("a gain where there is no place", sound, WAVE, output=with_("wav-writer", format="W64", replay_gain=True)),
    case("a gain without a loudness", lambda: stereo(9), CHANNELS, output=with_("wav-writer", replay_gain=True)),
    case("bext of W64", sound, WAVE, output=with_("wav-writer", format="W64", bext={"originator": "a"})),
    case("floats for codes", codes, CODES, output=with_("npy-writer", dtype="float32"), suffix="npy"),
    case("a type too short for codes", codes, CODES, output=with_("npy-writer", dtype="int16"), suffix="npy"),
    case("a layout for a waveform", sound, WAVE, output=with_("npy-writer", layout="musicgen"), suffix="npy"),
    case(
        "a layout of text for an array", codes, CODES, output=with_("npy-writer", layout="orpheus-text"), suffix="npy"
    ),
    case("codes without a word", codes, {"sample_rate": 16000}, output={"use": "npy-writer"}, suffix="npy"),
    case("integers for a spectrogram", magnitude, MAGNITUDE, output=with_("npy-writer", dtype="int16"), suffix="npy"),
    case("floats for complex values", spectrum, STFT, output=with_("npy-writer", dtype="float32"), suffix="npy"),
    case("dither of a float array", sound, WAVE, output=with_("npy-writer", dither=True), suffix="npy"),
    case(
        "half precision",
        lambda: magnitude() * 1e5,
        MAGNITUDE,
        output=with_("npy-writer", dtype="float16"),
        suffix="npy",
    ),
    case(
        "complex128 of safetensors",
        spectrum,
        STFT | {"precision": "double"},
        output={"use": "safetensors-writer"},
        suffix="safetensors",
    ),
    case("the waveform of a spectrogram", spectrum, STFT, output=with_("png-writer", show="waveform"), suffix="png"),
    case("a low picture", lambda: stereo(8), CHANNELS, output=with_("png-writer", height=200), suffix="png"),
    case("many channels in a picture", lambda: stereo(40), CHANNELS, output={"use": "png-writer"}, suffix="png"),
    case("a bit rate of ALAC", sound, WAVE, output=with_("m4a-writer", codec="alac", bitrate=64), suffix="m4a"),
    case("dither of AAC", sound, WAVE, output=with_("m4a-writer", codec="aac", dither=True), suffix="m4a"),
    case("raw samples of ffmpeg", sound, WAVE, output=with_("ffmpeg-writer", format="raw"), suffix="raw"),
    case(
        "an unsafe argument",
        sound,
        WAVE,
        output=with_("ffmpeg-writer", format="flac", parameters=["-i", "/etc/passwd"]),
        suffix="flac",
    ),
)
