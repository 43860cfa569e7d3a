"""Plugins that work block by block: whole work is derived from it, and the whole is refused to what streams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tonearm.api import (
    BlockEncoder,
    BlockTransform,
    Context,
    EachBlock,
    Encoder,
    Item,
    NoOptions,
    OptionError,
    Regroup,
    Sink,
    Spec,
    StartedEncoder,
    StartedTransform,
    Transform,
    Waveform,
)
from tonearm.plugins import progress as progress_module
from tonearm.plugins.block_plugins import ENCODER_BLOCK

SPEC = Spec(signals=(Waveform,), sample_rate=8000, channels=1)


def wave(length: int, channels: int = 1) -> Waveform:
    return Waveform(samples=np.arange(channels * length, dtype="f4").reshape(channels, length), sample_rate=8000)


class Seen(StartedTransform):
    """Notes the blocks that it gets, is one sample late, and adds one at the end."""

    def __init__(self, lengths: list[int]) -> None:
        self.lengths = lengths
        self.last = np.zeros((1, 0), "f4")

    def push(self, block: Any) -> Any:
        self.lengths.append(block.shape[1])
        result = np.concatenate((self.last, block[:, :-1]), axis=1)
        self.last = block[:, -1:].copy()
        return result

    def finish(self) -> Any:
        return np.append(self.last, [[-1]], axis=1).astype("f4")


class Late(BlockTransform[Waveform, Waveform, NoOptions]):
    lengths: list[int]
    spec: Spec

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        self.lengths, self.spec = [], spec
        return Seen(self.lengths)


class LateInAnyBlocks(Late):
    any_blocks = True


class Same(BlockTransform[Waveform, Waveform, NoOptions]):
    any_blocks = True

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        return EachBlock(lambda block: block)


class HalfRate(BlockTransform[Waveform, Waveform, NoOptions]):
    """Takes every second sample, and refuses an input that asks for double precision."""

    def produces(self, spec: Spec) -> Spec:
        if spec.precision == "double":
            raise OptionError("it gives single precision", code="loses-precision")
        return spec.replace(sample_rate=4000, length=None)

    def start(self, spec: Spec, context: Context) -> StartedTransform:
        return EachBlock(lambda block: block[:, ::2].astype("f4"))


class Whole(Transform[Waveform, Waveform, NoOptions]):
    instead = "use gain"

    def apply(self, signal, context): ...


class WholeSource(Regroup[Waveform, Waveform, NoOptions]):
    instead = "save it"

    def regroup(self, items, context): ...


@pytest.mark.parametrize(
    ("length", "blocks"), [(1, [1]), (2047, [2047]), (2048, [2048]), (4096, [2048] * 2), (5000, [2048, 2048, 904])]
)
def test_whole_work_is_that_of_canonical_blocks(length: int, blocks: list[int]) -> None:
    late = Late(NoOptions())
    found = late.apply(wave(length), Context())
    np.testing.assert_array_equal(found.samples, [[*range(length), -1]])
    assert late.lengths == blocks
    assert late.spec.length == length
    assert late.spec.precision == "single"


def test_or_of_one_piece_if_cuts_make_no_difference() -> None:
    late = LateInAnyBlocks(NoOptions())
    np.testing.assert_array_equal(late.apply(wave(5000), Context()).samples, [[*range(5000), -1]])
    assert late.lengths == [5000]


def test_a_signal_that_does_not_change_is_given_back_itself() -> None:
    signal = wave(5)
    assert Same(NoOptions()).apply(signal, Context()) is signal


def test_the_result_is_what_the_transform_declares_whatever_the_precision_of_the_input() -> None:
    double = Waveform(samples=np.arange(5.0).reshape(1, 5), sample_rate=8000)
    found = HalfRate(NoOptions()).apply(double, Context())
    assert (found.sample_rate, found.samples.tolist()) == (4000, [[0, 2, 4]])


def test_progress_of_canonical_blocks_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress_module, "PROGRESS_INTERVAL", 0.0)
    reports: list[Any] = []
    context = Context(on_progress=lambda report: reports.append((report.done, report.total)))
    Late(NoOptions()).apply(wave(5000), context)
    assert reports == [(2048, 5000), (4096, 5000), (5000, 5000)]


def test_each_block_keeps_nothing() -> None:
    started = EachBlock(np.negative)
    assert started.push(np.ones((1, 2))).tolist() == [[-1, -1]]
    assert started.finish() is None
    assert started.push_last(np.ones((1, 1))).tolist() == [[-1]]


def test_what_needs_the_whole_says_what_to_use_instead() -> None:
    for plugin, hint in ((Whole(NoOptions()), "use gain"), (WholeSource(NoOptions()), "save it")):
        with pytest.raises(OptionError, match="needs the whole signal, which a stream never has") as error:
            plugin.check_blocks(SPEC)
        assert (error.value.code, error.value.hint) == ("needs-whole", hint)
    Late(NoOptions()).check_blocks(SPEC)


class Lines(StartedEncoder):
    def __init__(self, file: Any, log: list[Any], fails_at: str = "") -> None:
        self.file, self.log, self.fails_at = file, log, fails_at

    def write(self, block: Any) -> None:
        self.log.append(block.shape[1])
        if self.fails_at == "write":
            raise OSError("full")
        self.file.write(b"".join(b"%d\n" % value for value in block[0]))

    def finish(self) -> None:
        self.log.append("finish")
        if self.fails_at == "finish":
            raise KeyboardInterrupt
        self.file.close()

    def abort(self) -> None:
        self.log.append("abort")
        self.file.close()


class LinesWriter(BlockEncoder[Waveform, NoOptions]):
    suffixes = (".lines",)
    fails_at = ""
    log: list[Any]
    item: Any = None

    def start(self, spec: Spec, sink: Sink, context: Context) -> StartedEncoder:
        self.log, self.item = [spec.length], context.item
        return Lines(sink.open(), self.log, self.fails_at)


class LinesInAnyBlocks(LinesWriter):
    any_blocks = True
    pipes = True


class WholeWriter(Encoder[Waveform, NoOptions]):
    suffixes = (".lines",)

    def encode(self, item, sink, context): ...


def test_a_whole_file_is_written_in_canonical_blocks(tmp_path: Path) -> None:
    writer, item = LinesWriter(NoOptions()), Item(signal=wave(5000))
    context = Context()
    writer.encode(item, Sink(tmp_path / "a", ".lines"), context)
    assert (tmp_path / "a").read_text().split() == [str(number) for number in range(5000)]
    assert writer.log == [5000, 2048, 2048, 904, "finish"]
    assert writer.item is item
    assert context.item is None  # it is there while the encoder starts, and is not kept afterwards


@pytest.mark.parametrize("channels", [1, 3])
def test_or_in_large_ones_over_all_channels(tmp_path: Path, channels: int) -> None:
    writer, length = LinesInAnyBlocks(NoOptions()), 2 * ENCODER_BLOCK // channels
    writer.encode(Item(signal=wave(length, channels)), Sink(tmp_path / "a", ".lines"), Context())
    assert sum(writer.log[1:-1]) == length
    assert writer.log[1] == ENCODER_BLOCK // channels
    assert writer.log[-1] == "finish"


@pytest.mark.parametrize(("fails_at", "error"), [("write", OSError), ("finish", KeyboardInterrupt)])
def test_a_file_that_fails_is_given_up(tmp_path: Path, fails_at: str, error: type[BaseException]) -> None:
    writer = LinesWriter(NoOptions())
    writer.fails_at = fails_at
    with pytest.raises(error):
        writer.encode(Item(signal=wave(3000)), Sink(tmp_path / "a", ".lines"), Context())
    assert writer.log[-1] == "abort"


def test_an_encoder_says_whether_it_works_in_blocks_and_into_pipes() -> None:
    LinesWriter(NoOptions()).check_blocks(SPEC)
    LinesInAnyBlocks(NoOptions()).check_pipe(SPEC)
    with pytest.raises(OptionError):
        LinesWriter(NoOptions()).check_pipe(SPEC)
    with pytest.raises(OptionError) as error:
        WholeWriter(NoOptions()).check_blocks(SPEC)
    assert error.value.code == "needs-whole"
