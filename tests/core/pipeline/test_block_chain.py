import contextlib

import numpy as np
import pytest
from block_toys import SPEC, AnyLate, AnyWriter, BlockWriter, DoubleOnly, LateByOne, Run, bound, each
from core_toys import RawWriter, Same

from tonearm.api import Waveform
from tonearm.errors import ItemError
from tonearm.pipeline.block_chain import check_block_chain
from tonearm.plugins.blocks import BLOCK_LENGTH
from tonearm.run.store.memory_sink import MemorySink

RNG = np.random.default_rng(0)
NOISE = RNG.uniform(-0.5, 0.5, 5000).astype("f4")


@pytest.fixture
def run():
    """Start chains that write into memory."""
    chains = []

    def start(*steps, **more):
        chains.append(Run(stack.enter_context(MemorySink(".raw")), *steps, **more))
        return chains[-1]

    with contextlib.ExitStack() as stack:
        yield start
        for made in chains:
            made.chain.abort()


def said(error):
    return error.value.code, error.value.message


class TestSamples:
    @pytest.mark.parametrize("cuts", [(1,), (7, 300), (2048,), (5000,), (4999, 1)])
    def test_pass_however_they_are_cut(self, run, cuts):
        assert np.array_equal(run(LateByOne, AnyLate).feed(NOISE, cuts).end(), NOISE)

    @pytest.mark.parametrize("cuts", [(1,), (300,), (5000,)])
    def test_are_cut_anew_for_plugins_that_depend_on_it(self, run, cuts):
        made = run(LateByOne).feed(NOISE, cuts)
        made.end()
        assert made.steps[0].plugin.started.lengths == [BLOCK_LENGTH, BLOCK_LENGTH, 5000 - 2 * BLOCK_LENGTH]
        assert made.log == [BLOCK_LENGTH, BLOCK_LENGTH, 5000 - 2 * BLOCK_LENGTH, "finished"]

    def test_pass_at_once_where_nothing_depends_on_it(self, run):
        made = run(AnyLate, encoder=AnyWriter).feed(NOISE, (1000,))
        assert made.steps[0].plugin.started.lengths == [1000] * 5
        assert made.log == [999, *[1000] * 4]
        made.end()
        assert made.log[5:] == [1, "finished"]

    def test_the_memory_of_a_block_may_be_used_again(self, run):
        made = run(LateByOne)
        block = np.empty((1, 100), np.float32)
        for start in range(0, 5000, 100):
            block[:] = NOISE[start : start + 100]
            made.chain.write(block)
        assert np.array_equal(made.end(), NOISE)


class TestChecks:
    def test_nan_of_a_step_names_it_at_once(self, run):
        made = run(each(lambda block: block), each(lambda block: block * np.nan))
        with pytest.raises(ItemError) as error:
            made.feed(NOISE, (3000,))
        assert said(error) == ("not-finite", "s1 gave NaN: 2,048 of 2,048 values, first at channel 0, sample 0")

    @pytest.mark.parametrize("wrong", [lambda block: block[0], lambda block: block.astype("i4"), lambda block: None])
    def test_what_is_no_block_names_the_step(self, run, wrong):
        with pytest.raises(ItemError) as error:
            run(each(wrong)).feed(NOISE, (3000,))
        code, message = said(error)
        assert code == "wrong-signal"
        assert message.startswith("s0 gave a block that is no waveform")

    def test_a_step_that_fails_is_named(self, run):
        with pytest.raises(ItemError) as error:
            run(each(lambda block: block / np.zeros(3)[:, None, None][5])).feed(NOISE, (3000,))
        assert said(error)[0] == "plugin-failed"
        assert said(error)[1].startswith("s0 failed: IndexError")

    def test_an_encoder_refuses_the_signal_at_the_start(self, run):
        with pytest.raises(ItemError) as error:
            run(encoder=DoubleOnly)
        assert said(error) == ("too-coarse", "single precision is too coarse")

    def test_abort_reaches_the_encoder(self, run):
        made = run().feed(NOISE)
        made.chain.abort()
        assert made.log[-1] == "aborted"


class TestUnknownChannels:
    """Behind a step that does not know how many channels it gives, its first block tells."""

    UNKNOWN = staticmethod(lambda self, spec: spec.replace(signals=(Waveform,), channels=None))
    TWICE = staticmethod(lambda block: np.concatenate((block, block)))

    def test_what_follows_starts_with_those_of_the_first_block(self, run):
        made = run(each(self.TWICE, produces=self.UNKNOWN), LateByOne)
        assert not made.chain.can_finish, "the encoder has not started"
        made.feed(NOISE, (300,))
        assert made.encoder.plugin.seen.channels == 2
        assert np.array_equal(made.end(), np.repeat(NOISE, 2))

    def test_nothing_is_an_error_too(self, run):
        with pytest.raises(ItemError, match="there is nothing to write"):
            run(each(self.TWICE, produces=self.UNKNOWN)).end()

    def test_an_encoder_refuses_them_then(self, run):
        made = run(each(self.TWICE, produces=self.UNKNOWN), encoder=DoubleOnly)
        with pytest.raises(ItemError, match="single precision is too coarse"):
            made.feed(NOISE)


class TestPrecision:
    DOUBLE = SPEC.replace(precision="double")

    def test_blocks_of_double_precision_are_no_wish_to_keep_it(self, run):
        class Single(LateByOne):
            def produces(self, spec):
                assert spec.precision is None, "else it would have to refuse"
                return super().produces(spec)

        assert run(Single, spec=self.DOUBLE).chain.spec.precision == "single"

    def test_a_step_that_keeps_it_says_so_to_the_next(self, run):
        kept = type("Kept", (LateByOne,), {"keeps_double": True})
        assert run(kept, spec=self.DOUBLE).chain.spec.precision == "double"


class TestMeasurements:
    def test_are_those_of_what_is_written(self, run):
        made = run(each(lambda block: block * np.float32(0.5))).feed(NOISE, (17,))
        made.end()
        peak = float(np.abs(NOISE).max()) / 2
        assert made.context.measurements == {
            "duration": 0.625,
            "dc": round(float(NOISE.mean()) / 2, 6),
            "peak_db": round(20 * np.log10(peak), 2),
        }

    def test_silence_is_said_at_the_end(self, run):
        made = run().feed(np.zeros(100))
        made.end()
        assert made.context.warnings == ["the waveform is silent"]

    def test_nothing_is_an_error(self, run):
        with pytest.raises(ItemError, match="there is nothing to write"):
            run().end()

    def test_too_many_samples_beyond_full_scale(self, run):
        made = run().feed(NOISE * 4)
        with pytest.raises(ItemError) as error:
            made.end()
        code, message = said(error)
        assert (code, message.endswith("and would be clipped")) == ("clipped", True)
        assert made.log[-1] != "finished", "the limits are checked before the end is written"

    def test_a_limit_lets_them_pass(self, run):
        made = run(clipped=1.0).feed(NOISE * 4)
        assert np.array_equal(made.end(), NOISE * 4)


class TestRefusals:
    def test_a_step_that_needs_the_whole(self):
        steps, encoder = bound(LateByOne, Same)
        with pytest.raises(ItemError) as error:
            check_block_chain(steps, encoder, SPEC, pipe=False)
        assert said(error) == ("needs-whole", "s1 needs the whole signal, which a stream never has")
        assert error.value.hint == "leave it out, or collect the whole signal and save it"

    def test_an_encoder_that_needs_the_whole(self):
        offered = type("Whole", (RawWriter,), {"__init__": RawWriter.__init__})
        steps, encoder = bound(encoder=BlockWriter)
        encoder.plugin.__class__ = offered
        with pytest.raises(ItemError) as error:
            check_block_chain(steps, encoder, SPEC, pipe=False)
        assert said(error) == ("needs-whole", "raw-writer needs the whole signal, which a stream never has")

    def test_an_encoder_that_goes_back(self):
        seeking = type("Seeking", (BlockWriter,), {"pipes": False})
        steps, encoder = bound(encoder=seeking)
        assert check_block_chain(steps, encoder, SPEC, pipe=False).channels == 1
        with pytest.raises(ItemError) as error:
            check_block_chain(steps, encoder, SPEC, pipe=True)
        assert said(error)[0] == "needs-file"

    def test_what_reaches_the_encoder_is_returned(self):
        class Doubled(LateByOne):
            def produces(self, spec):
                return spec.replace(signals=(Waveform,), channels=2)

        steps, encoder = bound(Doubled)
        assert check_block_chain(steps, encoder, SPEC, pipe=True).channels == 2
