import io
from pathlib import Path

import numpy as np
import pytest
from core_toys import RATE, Fog, Same, ToneOptions, checked, item, registry_of
from toy_stages import SOURCE, failing, made, reader

from tonearm.api import (
    ComplexSpectrogram,
    Context,
    Decoder,
    Encoder,
    Item,
    ItemError,
    NoOptions,
    OptionError,
    OutputError,
    Sink,
    Source,
    Waveform,
)
from tonearm.errors import TonearmError
from tonearm.pipeline.converter import Converter, as_source


class TestEncoding:
    @staticmethod
    def encode(function, tmp_path, signal=None):
        class Writer(Encoder[Waveform, NoOptions]):
            def encode(self, item, sink, context):
                function(sink)

        text = "tonearm: 1\ninput: {use: tone-reader}\noutputs: [{use: x, file: a}]"
        found = Converter(checked(text, registry_of(encoders={"x": Writer})))
        one = item(0.1) if signal is None else Item(signal=signal)
        found.encode(found.outputs[0], one, Sink(tmp_path / "a"), Context())

    @pytest.mark.parametrize(
        ("error", "kind", "code", "message"),
        [
            (ValueError("no"), ItemError, "plugin-failed", "x failed: ValueError: no"),
            (ItemError("no", code="mine"), ItemError, "mine", "x: no"),
            (OSError(28, "No space left on device"), OutputError, "output", "cannot write: No space left on device"),
            (OutputError("no"), OutputError, "output", "no"),
            (OptionError("no"), ItemError, "bad-option", "x: no"),
        ],
    )
    def test_what_it_raises(self, error, kind, code, message, tmp_path):
        with pytest.raises(TonearmError) as caught:
            self.encode(failing(error), tmp_path)
        assert (type(caught.value), caught.value.code, caught.value.message) == (kind, code, message)

    def test_what_it_is_given_is_looked_at_before(self, tmp_path):
        written = []
        with pytest.raises(ItemError, match="x takes waveform, but it was given fog"):
            self.encode(written.append, tmp_path, Fog())
        assert written == []


class TestPreflight:
    def test_it_runs_once_for_every_plugin_and_names_the_one_that_fails(self):
        seen = []

        class Ready(Same):
            def preflight(self):
                seen.append(self)

        class Unready(Same):
            def preflight(self):
                raise ImportError("no libx")

        made(("x", "x"), transforms={"x": Ready}).preflight()
        assert len(seen) == 2
        with pytest.raises(TonearmError, match="y failed: ImportError: no libx"):
            made(("x", "y"), transforms={"x": Ready, "y": Unready}).preflight()


class Echo(Decoder[Waveform, NoOptions]):
    """Read 32-bit floats from whatever source there is."""

    def decode(self, source, context):
        if source.array is not None:
            yield Item(signal=Waveform(samples=source.array, sample_rate=RATE))
            return
        with source.open() as file:
            samples = np.frombuffer(file.read(), "<f4")[None]
        yield Item(signal=Waveform(samples=samples, sample_rate=RATE))


class TestSources:
    samples = np.array([[0.25, -0.5, 0.75]], np.float32)

    def convert(self, given):
        (signal,) = made(("same",), use="echo", decoders={"echo": Echo}).convert(given)
        return signal.samples

    def test_an_array_a_path_and_an_open_file_give_the_same(self, tmp_path):
        path = tmp_path / "a.f32"
        path.write_bytes(self.samples.tobytes())
        with path.open("rb") as file:
            sources = [
                self.samples,
                path,
                str(path),
                file,
                io.BytesIO(self.samples.tobytes()),
                Source(name="s", path=path),
            ]
            for given in sources:
                assert np.array_equal(self.convert(given), self.samples)

    def test_an_open_file_stays_open(self):
        file = io.BytesIO(self.samples.tobytes())
        self.convert(file)
        assert not file.closed

    def test_what_has_an_array(self):
        class Tensor:
            def __array__(self, dtype=None, copy=None):
                return TestSources.samples

        assert np.array_equal(self.convert(Tensor()), self.samples)

    def test_their_names(self, tmp_path):
        path = tmp_path / "a.f32"
        path.touch()
        source = as_source("x/y.npy")
        assert as_source(source) is source
        assert (source.name, source.path) == ("x/y.npy", Path("x/y.npy"))
        assert as_source(np.zeros(3)).name == "<array>"
        assert as_source(io.BytesIO()).name == "<file>"
        with path.open("rb") as file:
            assert as_source(file).name == str(path)

    @pytest.mark.parametrize("given", [None, 3, [0.1, 0.2], {}])
    def test_anything_else_is_refused(self, given):
        kind = type(given).__name__
        with pytest.raises(TypeError, match=f"a source is a path, an open binary file or an array, not {kind}"):
            as_source(given)

    def test_convert_raises_at_the_first_item_that_fails(self):
        found = made(use="it", decoders={"it": reader(item(0.5), 7)}).convert(SOURCE.name)
        assert next(found).samples[0, 0] == 0.5
        with pytest.raises(ItemError, match="it gives items, but it gave int"):
            next(found)

    def test_a_path_that_is_not_there(self):
        with pytest.raises(ItemError) as caught:
            self.convert("/no/such.f32")
        assert str(caught.value) == "cannot read /no/such.f32: no such file or directory"


def test_a_complex_array_without_its_grid_says_what_is_missing(installed):
    text = "tonearm: 1\ninput: {use: npy-reader, with: {sample_rate: 8000}}\nsteps: [{use: istft}]\n"
    text += "outputs: [{use: wav-writer, file: a.wav}]"
    found = Converter(checked(text, installed))
    spectrum = np.zeros((9, 5), np.complex64)
    with pytest.raises(ItemError) as caught:
        list(found.convert(spectrum))
    assert (caught.value.code, caught.value.message) == ("missing-option", "npy-reader: 'n_fft' is missing")
    assert caught.value.hint == "n_fft: … (a spectrogram cannot be read without it)"
    assert ComplexSpectrogram.port == "complex"
    assert ToneOptions().nan == "error"
