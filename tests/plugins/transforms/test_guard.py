"""guard: each fault is found where it is and nowhere else, reported as the options say, and repaired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tonearm
from tonearm.api import Context, ItemError, Spec, Waveform
from tonearm.pipeline.provenance import fingerprints_of
from tonearm_plugins.transforms.guard import Guard, GuardOptions

RATE = 16000
RNG = np.random.default_rng(11)
SPEECH = np.load(Path(__file__).parents[3] / "configs/samples/utt08.npy").reshape(1, -1)
OFF: dict[str, Any] = dict.fromkeys(("not_finite", "clipping", "dc", "silence", "noise", "wrong_length"), "off")


def sine(hertz: float = 440.0, seconds: float = 1.0, peak: float = 0.5) -> Any:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(round(RATE * seconds)) / RATE))[None].astype("f4")


def guarded(samples: Any, **options: Any) -> tuple[Any, Context]:
    made = GuardOptions(**OFF | options)
    assert list(made.problems()) == []
    context = Context()
    return Guard(made).apply(Waveform(samples=samples, sample_rate=RATE), context), context


def refused(samples: Any, **options: Any) -> ItemError:
    with pytest.raises(ItemError) as caught:
        guarded(samples, **options)
    assert caught.value.message.isprintable()
    return caught.value


def with_nan(count: int = 7) -> Any:
    samples = sine()
    samples[0, 100 : 100 + count] = np.nan
    samples[0, 0] = np.inf
    return samples


FAULTS = {
    "not_finite": (with_nan(), {}, "8 of 16,000 samples are NaN or infinite"),
    "clipping": (
        sine(peak=1.5),
        {},
        f"{(np.abs(sine(peak=1.5)) > 1).sum():,} samples are beyond full scale, by up to 3.5 dB",
    ),
    "dc": (sine() + np.float32(0.1), {}, "its mean is 0.1"),
    "silence": (
        np.pad(sine(), ((0, 0), (RATE, 0))),
        {"max_silence": 0.25},
        "the waveform is silent for 1.00 s before and 0.00 s",
    ),
    "noise": (
        RNG.uniform(-1, 1, (2, RATE)).astype("f4"),
        {},
        "it is noise at -4.8 dBFS, with a spectral flatness of 0.9",
    ),
    "wrong_length": (sine(), {"min_seconds": 1.5}, "it lasts 1.000 s, less than 1.5 s"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_with_each_action(fault: str) -> None:
    samples, figures, message = FAULTS[fault]
    given = samples.copy()
    error = refused(samples, **{fault: "error"}, **figures)
    assert error.message.startswith(message)
    assert error.code == f"guard-{fault.replace('_', '-')}"
    assert error.hint == f"{fault}: warn, if that is intended"
    signal, context = guarded(samples, **{fault: "warn"}, **figures)
    assert signal.samples is samples
    assert [warning.startswith(f"guard: {message}") for warning in context.warnings] == [True]
    measured = any(name.startswith("guard_") for name in context.measurements)
    assert measured == (fault != "wrong_length"), "a length is measured by the host"
    signal, context = guarded(samples, **{fault: "off"}, **figures)
    assert (signal.samples is samples, context.warnings) == (True, [])
    signal, context = guarded(samples, **{fault: "fix"}, **figures)
    assert [warning.startswith(f"guard: {message}") for warning in context.warnings] == [True]
    assert np.isfinite(signal.samples).all()
    assert signal.samples.dtype == "f4"
    context = guarded(signal.samples, **{fault: "error"}, **figures)[1]  # what was repaired has no fault
    assert context.warnings == []
    assert np.array_equal(samples, given, equal_nan=True), "what came in stays as it is"


@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_a_sound_with_no_fault_passes_untouched(kind: str) -> None:
    for samples in (SPEECH, sine(), sine(20, peak=1.0), np.stack([sine()[0], -sine()[0]])):
        signal = Waveform(samples=samples.astype(kind), sample_rate=RATE)
        context = Context()
        assert Guard(GuardOptions()).apply(signal, context) is signal
        assert context.warnings == []
        assert set(context.measurements) == {
            *("guard_clipped", "guard_dc", "guard_silence_before", "guard_silence_after"),
            *("guard_rms_db", "guard_flatness"),
        }


def test_all_errors_come_at_once() -> None:
    samples = np.pad(sine() + np.float32(0.25), ((0, 0), (RATE, 0)))
    error = refused(samples, dc="error", silence="error", wrong_length="error", max_silence=0.1, max_seconds=1)
    assert error.code == "guard-dc"
    assert [part.split()[0:3] for part in error.message.split("; ")] == [
        ["its", "mean", "is"],
        ["the", "waveform", "is"],
        ["it", "lasts", "2.000"],
    ]


def test_straight_lines_across_nan() -> None:
    samples = np.array([[np.nan, 0.5, np.nan, np.inf, -0.25, np.nan], [np.nan] * 6], "f4")
    repaired = guarded(samples, not_finite="fix")[0].samples
    assert repaired[0] == pytest.approx([0.5, 0.5, 0.25, 0, -0.25, -0.25])
    assert not repaired[1].any()


def test_nothing_is_repaired_while_nan_stays() -> None:
    signal, context = guarded(with_nan() + np.float32(0.3), not_finite="warn", dc="fix")
    assert np.isnan(signal.samples).sum() == 7
    assert context.warnings[1] == "guard: its mean is 0.3"


def test_flat_tops_are_rounded_and_brought_down_by_one_gain() -> None:
    clipped = np.clip(1.4 * sine(440, peak=1.0) + 0.3 * sine(950, peak=1.0), -1, 1)
    signal, context = guarded(clipped, clipping="fix")
    assert np.abs(signal.samples).max() == pytest.approx(1)
    assert len(context.warnings) == 2  # tops rounded, then brought down
    loud = (np.abs(clipped[0]) < 1) & (np.abs(clipped[0]) > 0.1)
    assert np.ptp(signal.samples[0][loud] / clipped[0][loud]) < 1e-5


def test_dc_goes_by_channel() -> None:
    samples = np.stack([sine()[0] + 0.2, sine()[0]]).astype("f4")
    signal, context = guarded(samples, dc="fix")
    assert context.measurements["guard_dc"] == pytest.approx(0.2)
    assert signal.samples.mean(1) == pytest.approx([0, 0], abs=1e-6)
    assert signal.samples[0] == pytest.approx(sine()[0], abs=1e-6)


def test_silence() -> None:
    quiet = np.full((1, RATE), 0.0009, "f4")
    assert refused(quiet, silence="error").message == "the waveform is silent: no sample is above -60 dBFS"
    assert guarded(quiet, silence="error", silence_db=-65)[1].warnings == []
    assert "nothing to repair" in refused(quiet, silence="fix", max_silence=0.1).message
    padded = np.pad(sine(seconds=0.5), ((0, 0), (RATE, 2 * RATE)))
    signal, _ = guarded(padded, silence="fix", max_silence=0.25)
    loud = np.flatnonzero(np.abs(padded[0]) > 1e-3)
    assert np.array_equal(signal.samples, padded[:, loud[0] - 4000 : loud[-1] + 1 + 4000])
    assert [error.option for error in GuardOptions(silence="fix").problems()] == ["silence"]


@pytest.mark.parametrize(
    ("read", "is_noise"),
    [
        (lambda pcm: pcm.byteswap(), True),
        (lambda pcm: np.frombuffer(pcm.tobytes()[1:-1], "<i2"), True),
        (lambda pcm: (pcm.astype("f4") / 32768).view("<i2"), True),
        (lambda pcm: pcm, False),
        (lambda pcm: RNG.integers(-32768, 32767, 20000).astype("i2"), True),
        (lambda pcm: RNG.integers(-1000, 1000, 20000).astype("i2"), False),  # noise, but of low level
        (lambda pcm: pcm[:1000], False),  # too short to tell
    ],
)
def test_samples_of_another_type_are_noise(read: Any, is_noise: bool) -> None:
    pcm = np.round(SPEECH[0] / abs(SPEECH).max() * 32767).astype("<i2")
    samples = (read(pcm).astype("f4") / 32768)[None]
    context = guarded(samples, noise="warn")[1]
    assert bool(context.warnings) == is_noise
    if is_noise:
        turned_down = guarded(samples, noise="fix")[0].samples
        assert 20 * np.log10(np.sqrt(np.mean(turned_down.astype("f8") ** 2))) == pytest.approx(-40, abs=0.01)


def test_lengths() -> None:
    samples = sine(seconds=0.1)
    longer = guarded(samples, wrong_length="fix", min_seconds=0.25)[0].samples
    assert longer.shape == (1, 4000)
    assert np.array_equal(longer[:, :1600], samples)
    assert not longer[:, 1600:].any()
    shorter = guarded(samples, wrong_length="fix", max_seconds=0.05)[0].samples
    assert shorter.shape == (1, 800)
    assert np.array_equal(shorter[:, :720], samples[:, :720])
    assert shorter[0, -1] == 0
    assert refused(samples, wrong_length="error", max_seconds=0.05).message == "it lasts 0.100 s, more than 0.05 s"
    assert [error.option for error in GuardOptions(min_seconds=2, max_seconds=1).problems()] == ["min_seconds"]


def test_the_declared_length_is_dropped_where_it_may_change() -> None:
    spec = Spec(signals=(Waveform,), sample_rate=RATE, length=100)
    assert Guard(GuardOptions()).produces(spec).length == 100
    assert Guard(GuardOptions(wrong_length="fix", min_seconds=1)).produces(spec).length is None


def test_tiny_signals() -> None:
    for samples in (np.array([[0.5]], "f4"), np.array([[0.5, -0.5]] * 8, "f4"), np.array([[1e-40]], "f4")):
        guarded(samples, **dict.fromkeys(OFF, "warn") | {"min_seconds": 0.0001, "max_silence": 0.0})
        fixed = guarded(samples, clipping="fix", dc="fix", noise="fix", wrong_length="fix", max_seconds=0.0001)[0]
        assert np.isfinite(fixed.samples).all()


def test_measurements_and_warnings_are_in_the_journal(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.clip(sine(peak=1.5) + np.float32(0.1), -1, 1))
    np.save(tmp_path / "b.npy", np.zeros(500, "f4"))
    pipeline = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": RATE}},
            "steps": [{"use": "guard", "with": {"dc": "fix"}}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
            "limits": {"clipped": 1},
        }
    )
    report = pipeline.run([tmp_path / "a.npy", tmp_path / "b.npy"], out=tmp_path / "out")
    assert [error.code for error in report.errors] == ["guard-silence"]
    journal = (tmp_path / "out/.tonearm/journal.jsonl").read_text()
    for said in ('"guard_clipped":', '"guard_dc":', "it is subtracted", '"guard-silence"'):
        assert said in journal.replace('": ', '":'), said


@pytest.mark.parametrize(
    ("before", "after", "counts"),
    [
        ({"silence": "error"}, {"silence": "warn"}, False),
        ({"noise": "off"}, {"noise": "error"}, False),
        ({"clipping": "warn"}, {"clipping": "fix"}, True),
        ({"silence_db": -60}, {"silence_db": -50}, False),
        ({"max_dc": 0.01}, {"max_dc": 0.1}, False),
        ({"min_seconds": 1}, {"max_seconds": 9}, False),
        ({"noise_db": -15}, {"noise_db": -10}, False),
        ({"silence": "fix", "max_silence": 1}, {"silence": "fix", "max_silence": 2}, True),
        ({"dc": "fix"}, {"dc": "fix", "max_dc": 0.1}, True),
        ({"wrong_length": "fix", "min_seconds": 1}, {"wrong_length": "fix", "min_seconds": 2}, True),
        ({"noise": "fix"}, {"noise": "fix", "noise_db": -20}, True),
    ],
)
def test_what_changes_no_byte_is_not_in_the_fingerprint(before: Any, after: Any, counts: bool) -> None:
    def fingerprints(options: Any) -> tuple[str, ...]:
        pipeline = {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": RATE}},
            "steps": [{"use": "guard", "with": options}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
        return fingerprints_of(tonearm.load_pipeline(pipeline).checked)

    assert (fingerprints(before) != fingerprints(after)) == counts
