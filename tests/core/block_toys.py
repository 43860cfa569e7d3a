"""Toy plugins that work block by block, and a pipeline of them."""

from __future__ import annotations

import types

import numpy as np
from core_toys import RATE, checked, pipeline, registry_of

from tonearm.api import (
    BlockEncoder,
    BlockTransform,
    EachBlock,
    NoOptions,
    OptionError,
    StartedEncoder,
    StartedTransform,
    Waveform,
)
from tonearm.pipeline.block_chain import BlockChain
from tonearm.pipeline.limit_checks import LimitChecks
from tonearm.pipeline.limits import PipelineLimits
from tonearm.plugins.context import Context
from tonearm.plugins.ports import Spec

SPEC = Spec(signals=(Waveform,), sample_rate=RATE, channels=1, precision="single")


class Late(StartedTransform):
    """Hold the last sample of each block back, and count the blocks."""

    def __init__(self):
        self.held = None
        self.lengths = []

    def push(self, block):
        self.lengths.append(block.shape[-1])
        whole = block if self.held is None else np.concatenate((self.held, block), axis=-1)
        self.held = whole[:, -1:].copy()
        return whole[:, :-1]

    def finish(self):
        return self.held


class LateByOne(BlockTransform[Waveform, Waveform, NoOptions]):
    """Give back what it is given, a sample late."""

    def start(self, spec, context):
        self.started = Late()
        return self.started


class AnyLate(LateByOne):
    any_blocks = True


def each(function, **declared):
    """Return a step that does to each block what a function does."""

    def start(self, spec, context):
        return EachBlock(function)

    bases = (BlockTransform[Waveform, Waveform, NoOptions],)
    return types.new_class("Each", bases, exec_body=lambda body: body.update(start=start, **declared))


class Bytes(StartedEncoder):
    def __init__(self, sink, log):
        self.file = sink.open()
        self.log = log

    def write(self, block):
        self.log.append(block.shape[-1])
        self.file.write(np.ascontiguousarray(block.T, "<f4").tobytes())

    def finish(self):
        self.file.write(b"end")
        self.file.close()
        self.log.append("finished")

    def abort(self):
        self.file.close()
        self.log.append("aborted")


class BlockWriter(BlockEncoder[Waveform, NoOptions]):
    """Write float32 samples, and a mark at the end."""

    suffixes = (".raw",)
    pipes = True

    def start(self, spec, sink, context):
        self.log = []
        self.seen = spec
        return Bytes(sink, self.log)


class AnyWriter(BlockWriter):
    any_blocks = True


class DoubleOnly(BlockWriter):
    def accepts(self, spec):
        if spec.precision == "single":
            raise OptionError("single precision is too coarse", code="too-coarse")


def bound(*steps, encoder=BlockWriter):
    """Return steps and an encoder, bound to their options."""
    offered = {f"s{number}": step for number, step in enumerate(steps)}
    found = checked(pipeline(steps=tuple(offered)).replace(", with: {level: 1}", ""),
                    registry_of(transforms=offered, encoders={"raw-writer": encoder}))  # fmt: skip
    return found.steps, found.outputs[0].encoder


class Run:
    """A chain at work, with what it has written."""

    def __init__(self, sink, *steps, encoder=BlockWriter, spec=SPEC, **limits):
        self.sink = sink
        self.context = Context()
        self.steps, self.encoder = bound(*steps, encoder=encoder)
        self.chain = BlockChain(
            self.steps, self.encoder, spec=spec, sink=self.sink, context=self.context,
            limits=LimitChecks(PipelineLimits(**limits)),
        )  # fmt: skip

    def feed(self, samples, cuts=(1000,)):
        samples = np.atleast_2d(np.asarray(samples, np.float32))
        at = number = 0
        while at < samples.shape[1]:
            step = cuts[number % len(cuts)]
            self.chain.write(samples[:, at : at + step])
            at, number = at + step, number + 1
        return self

    def end(self):
        self.chain.finish()
        content = self.sink.content("it")
        assert content.endswith(b"end")
        return np.frombuffer(content[:-3], "<f4")

    @property
    def log(self):
        return self.encoder.plugin.log
