"""Failures of stages: what plugins raise or give against their declaration becomes the error of one item."""

import numpy as np
import pytest
from core_toys import RATE, Fog, Same, ToneReader, checked, item, registry_of
from toy_stages import SOURCE, failing, made, reader, results, step

from tonearm.api import Decoder, Item, ItemError, NoOptions, OptionError, Signal, SignalError, Spec, Waveform
from tonearm.pipeline.converter import Converter

NAN = np.full((1, 4), np.nan, np.float32)
SHOWS = "--debug shows where"


def read(*given, **more):
    return results(made(use="it", decoders={"it": reader(*given, **more)}))


class TestDecoding:
    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (ZeroDivisionError("x\ny"), ("plugin-failed", r"it failed: ZeroDivisionError: x\ny", SHOWS)),
            (SystemExit(3), ("plugin-failed", "it failed: SystemExit: it calls sys.exit(3)", SHOWS)),
            (MemoryError(), ("plugin-failed", "it failed: MemoryError", SHOWS)),
            (ItemError("no", code="mine", hint="do"), ("mine", "it: no", "do")),
            (SignalError("no"), ("bad-signal", "it: no", "")),
            (OptionError("no", code="missing-option", hint="do"), ("missing-option", "it: no", "do")),
            (PermissionError(13, "Permission denied"), ("unreadable", "cannot read: Permission denied", "")),
            (OSError("odd"), ("unreadable", "cannot read: odd", "")),
        ],
    )
    def test_what_it_raises_ends_the_source_and_keeps_what_was_there(self, error, said):
        assert read(item(0.25), error, item(0.5)) == [0.25, said]

    def test_ctrl_c_goes_through(self):
        with pytest.raises(KeyboardInterrupt):
            read(KeyboardInterrupt())

    def test_nan_keep_lets_it_through_until_it_is_to_be_written(self, tmp_path):
        class Keeps(ToneReader):
            def decode(self, source, context):
                yield Item(signal=Waveform(samples=NAN, sample_rate=RATE))

        text = (
            "tonearm: 1\ninput: {{use: it, with: {{nan: {}}}}}\n"
            "outputs: [{{use: raw-writer, file: a, with: {{level: 1}}}}]"
        )
        registry = registry_of(decoders={"it": Keeps})
        kept = Converter(checked(text.format("keep"), registry))
        (signal,) = kept.convert(SOURCE)
        assert np.isnan(signal.samples).all()
        (outcome,) = kept.items(SOURCE)
        assert outcome.error.message == "4 of 4 values of the waveform are NaN or infinite"
        assert not (tmp_path / "a").exists()
        assert results(Converter(checked(text.format("error"), registry)))[0][0] == "not-finite"


class TestTransforms:
    @pytest.mark.parametrize(
        ("function", "error"),
        [
            (failing(ValueError("no")), ("plugin-failed", "x failed: ValueError: no", SHOWS)),
            (failing(SystemExit("no")), ("plugin-failed", "x failed: SystemExit: it calls sys.exit('no')", SHOWS)),
            (failing(ItemError("no", code="mine")), ("mine", "x: no", "")),
            (failing(OptionError("no")), ("bad-option", "x: no", "")),
            (
                failing(FileNotFoundError(2, "No such file")),
                ("plugin-failed", "x failed: FileNotFoundError: No such file", SHOWS),
            ),
            (lambda _: None, ("wrong-type", "x gives waveform, but it gave NoneType", "")),
            (lambda _: Fog(), ("wrong-type", "x gives waveform, but it gave fog", "")),
            (lambda signal: signal.samples, ("wrong-type", "x gives waveform, but it gave ndarray", "")),
        ],
    )
    def test_one_item_fails_and_the_rest_goes_on(self, function, error):
        def only_the_first(signal):
            return function(signal) if signal.samples[0, 0] < 0.15 else signal

        later = []
        found = made(("x", "y"), transforms={"x": step(only_the_first), "y": step(lambda s: later.append(s) or s)})
        assert results(found) == [error, pytest.approx(0.2)]
        assert len(later) == 1

    @pytest.mark.parametrize(
        ("samples", "rate", "message"),
        [
            (np.zeros((1, 93)), RATE, "x declares 100 samples, but it gave 93 samples"),
            (np.zeros((2, 100)), RATE, "x declares 1 channel, but it gave 2 channels"),
            (
                np.zeros((1, 100)),
                16000,
                f"x declares a sample rate of {RATE} Hz, but it gave a sample rate of 16000 Hz",
            ),
        ],
    )
    def test_a_change_that_is_not_declared_though_the_decoder_declares_nothing(self, samples, rate, message):
        def change(_):
            return Waveform(samples=samples.astype("f4"), sample_rate=rate)

        it = reader(item(0.1))
        found = made(("x",), use="it", decoders={"it": it}, transforms={"x": step(change)})
        assert results(found) == [("wrong-signal", message, "report it to the author of the plugin")]
        declaring = step(change)
        declaring.produces = lambda self, spec: Spec(signals=(Waveform,))
        assert results(made(("x",), use="it", decoders={"it": it}, transforms={"x": declaring})) == [0]

    def test_ctrl_c_goes_through(self):
        with pytest.raises(KeyboardInterrupt):
            results(made(("x",), transforms={"x": step(failing(KeyboardInterrupt()))}))

    def test_warnings_and_measurements_stay_with_their_item(self):
        class Noisy(Same):
            def apply(self, signal, context):
                context.warn(f"level {signal.samples[0, 0]:.1f}")
                return signal

        heard = []
        found = made(("x",), transforms={"x": Noisy}).items(SOURCE, on_warning=heard.append, threads=4)
        outcomes = list(found)
        assert [outcome.context.warnings for outcome in outcomes] == [["level 0.1"], ["level 0.2"]]
        assert heard == ["level 0.1", "level 0.2"]
        assert outcomes[0].context.threads == 4


class TestRegroup:
    def test_what_it_is_given_is_looked_at(self):
        class Wide(Decoder[Signal, NoOptions]):
            def decode(self, source, context):
                yield Item(signal=Fog())

        found = made(("join",), use="wide", decoders={"wide": Wide})
        assert results(found) == [("wrong-type", "join takes waveform, but it was given fog", "")]
        found = made(("same",), use="wide", decoders={"wide": Wide})
        (outcome,) = found.items(SOURCE)
        assert outcome.error.message == "same takes waveform, but it was given fog"
        assert outcome.error.place.stage == "steps.0"

    def test_a_source_without_items_is_not_blamed_on_a_step(self):
        class Empty(ToneReader):
            def decode(self, source, context):
                yield from ()

        found = made(("join",), use="empty", decoders={"empty": Empty})
        assert results(found) == [("empty", "empty found nothing in it", "")]
