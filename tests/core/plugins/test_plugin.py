"""The base of all plugins: options, requirements, preparation."""

from tonearm.api import Encoder, NoOptions, Requirement, Waveform


class Writer(Encoder[Waveform, NoOptions]):
    requires = (Requirement(name="numpy", hint=""),)

    def encode(self, item, sink, context): ...


class Plain(Encoder[Waveform, NoOptions]):
    def encode(self, item, sink, context): ...


def test_it_needs_what_its_class_requires():
    assert Writer(NoOptions()).needs() == Writer.requires
    assert Plain(NoOptions()).needs() == ()


def test_it_keeps_its_options_and_prepares_nothing():
    options = NoOptions()
    plugin = Plain(options)
    assert plugin.options is options
    assert plugin.preflight() is None


def test_options_without_fields_are_equal():
    assert NoOptions() == NoOptions()
