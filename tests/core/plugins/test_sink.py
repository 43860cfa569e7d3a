"""The sink of an encoder."""

from pathlib import Path

import pytest

from tonearm.api import (
    Sink,
)


class TestSink:
    def test_a_sidecar_lies_beside_and_is_the_same_each_time(self):
        sink = Sink(Path("/out/.tonearm-0123.part"))
        found = sink.sidecar(".json")
        assert found == Path("/out/.tonearm-0123.json.part")
        assert sink.sidecar(".json") == found
        assert sink.sidecar(".txt") != found
        assert list(sink.sidecars) == [".json", ".txt"]

    @pytest.mark.parametrize("suffix", ["", ".", "json", "/json", ".a/../../b", ".\0"])
    def test_it_cannot_lie_elsewhere(self, suffix):
        with pytest.raises(ValueError, match=r"the suffix of a sidecar starts with a dot, like \.json, unlike "):
            Sink(Path("/out/x.part")).sidecar(suffix)
