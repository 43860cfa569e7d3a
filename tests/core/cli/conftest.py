"""A third-party package that the tests of several commands install."""

import pytest
from core_toys import third_party

ACME = """
from tonearm.api import *
from dataclasses import dataclass

class Reader(ArrayDecoder[ArrayOptions]):
    "Read ACME's own."
    def arrays(self, source, context):
        yield "", None

@dataclass(frozen=True)
class Odd:
    shape: "NoSuchName" = 0

class Odd(Transform[Waveform, Waveform, Odd]):
    "Has options that nobody can describe."
    def apply(self, signal, context): ...

@hookimpl
def tonearm_decoders():
    return {"acme-reader": Reader, "npy-reader": Reader, "Bad Name": Reader, "lost": "no_such_module:X"}

@hookimpl
def tonearm_transforms():
    return {"odd": Odd}
"""


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    return third_party(tmp_path_factory.mktemp("site"), "acme", ACME)
