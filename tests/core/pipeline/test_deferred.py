import numpy as np
import pytest
from block_toys import AnyLate, BlockWriter, LateByOne, each
from core_toys import Same, checked, registry_of

from tonearm.api import Decoder, Item, NoOptions, Source, Waveform
from tonearm.errors import ItemError
from tonearm.pipeline import deferred as room
from tonearm.pipeline.converter import Converter
from tonearm.run.store.memory_sink import MemorySink

RATE = 8000
NOISE = np.random.default_rng(1).uniform(-0.5, 0.5, (2, 400_000)).astype("f4")


@pytest.fixture
def mapped(tmp_path, monkeypatch):
    """A long sound in a mapped file."""
    monkeypatch.setattr(room, "DEFERRED_FROM", NOISE.nbytes)
    np.save(tmp_path / "long.npy", NOISE)
    return np.load(tmp_path / "long.npy", mmap_mode="r")


def made(values, *steps, own=(), encoder=BlockWriter):
    """Return a pipeline that decodes these samples."""

    class Reader(Decoder[Waveform, NoOptions]):
        def decode(self, source, context):
            yield Item(signal=Waveform(samples=values, sample_rate=RATE))

    offered = {f"s{number}": step for number, step in enumerate((*steps, *own))}
    names = [f"{{use: {name}}}" for name in offered]
    text = "\n".join(
        [
            "tonearm: 1",
            "input: {use: reader}",
            f"steps: [{', '.join(names[: len(steps)])}]",
            "outputs:",
            "  - use: raw-writer",
            "    file: a.raw",
            f"    steps: [{', '.join(names[len(steps) :])}]",
        ]
    )
    found = checked(
        text, registry_of(decoders={"reader": Reader}, transforms=offered, encoders={"raw-writer": encoder})
    )
    return Converter(found)


def written(converter):
    """Return whether an item was deferred, its samples as they were written, and what was measured."""
    (outcome,) = converter.items(Source(name="x"))
    (branch,) = converter.branch(converter.outputs[0], outcome)
    with MemorySink(".raw") as sink:
        converter.encode(converter.outputs[0], branch, sink)
        content = sink.content("it")
    samples = np.frombuffer(content[:-3], "<f4").reshape(-1, 2).T
    return outcome.deferred is not None, samples, branch.context.measurements


def half(block):
    return block * np.float32(0.5)


class TestALongSoundOnDisk:
    def test_passes_block_by_block_with_the_samples_of_whole_work(self, mapped):
        lengths = []

        def watched(block):
            lengths.append(block.shape[-1])
            return half(block)

        was_deferred, samples, measured = written(
            made(mapped, LateByOne, own=(each(watched, any_blocks=True), AnyLate))
        )
        assert was_deferred
        assert max(lengths) < NOISE.shape[1] / 2
        whole, expected, known = written(made(NOISE, LateByOne, own=(each(half), AnyLate)))
        assert not whole
        assert np.array_equal(samples, expected)
        assert measured == known

    def test_is_measured_when_it_is_written(self, mapped):
        converter = made(mapped, each(half))
        (outcome,) = converter.items(Source(name="x"))
        assert outcome.context.measurements == {}
        assert written(converter)[2]["duration"] == 50.0

    def test_a_limit_refuses_it_then(self, mapped):
        converter = made(mapped, each(lambda block: block * np.float32(8)))
        with pytest.raises(ItemError, match="would be clipped"):
            written(converter)

    def test_a_step_that_needs_the_whole_gets_it(self, mapped):
        was_deferred, samples, _ = written(made(mapped, each(half), Same))
        assert not was_deferred
        assert np.array_equal(samples, NOISE * np.float32(0.5))

    def test_without_steps_the_encoder_alone_works_by_blocks(self, mapped):
        was_deferred, samples, _ = written(made(mapped))
        assert not was_deferred
        assert np.array_equal(samples, NOISE)


class TestOthers:
    @pytest.mark.parametrize("values", [NOISE, NOISE[:, :1000]])
    def test_in_memory(self, mapped, values):
        assert not written(made(values, each(half)))[0]

    def test_short_ones_on_disk(self, mapped):
        assert not written(made(mapped[:, :-1], each(half)))[0]

    def test_those_that_are_not_written(self, mapped):
        (signal,) = made(mapped, each(half)).convert(mapped)
        assert np.array_equal(signal.samples, NOISE * np.float32(0.5))
