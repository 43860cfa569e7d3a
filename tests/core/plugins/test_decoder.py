"""Decoders: their defaults, and their abstract methods."""

import pytest

from tonearm.api import Decoder, NoOptions, Source, Spec, Waveform


class Reader(Decoder[Waveform, NoOptions]):
    def decode(self, source, context): ...


class RateReader(Reader):
    def produces(self):
        return Spec(signals=(Waveform,), sample_rate=8000)


def test_it_gives_the_class_of_its_port():
    assert Reader(NoOptions()).produces() == Spec(signals=(Waveform,))


def test_probing_tells_what_is_known_beforehand():
    assert RateReader(NoOptions()).look(Source(name="a.wav")) == Spec(signals=(Waveform,), sample_rate=8000)


def test_it_reads_no_files_and_no_folders_by_suffix_unless_it_says_so():
    assert (Reader.suffixes, Reader.reads_folders) == ((), False)


def test_it_cannot_be_made_without_its_method():
    with pytest.raises(TypeError, match="abstract"):
        Decoder(NoOptions())
