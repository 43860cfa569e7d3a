"""The chain of a pipeline as people read it."""

import pytest
from branch_toys import REGISTRY, document
from core_toys import checked, pipeline
from msgspec.structs import replace
from notebook_page import Page

import tonearm
from tonearm.pipeline.chain import chain_html, chain_text, options_set
from tonearm.pipeline.check import check
from tonearm.pipeline.converter import Converter
from tonearm.pipeline.document import from_plain, read_document
from tonearm.recipes.catalogue import Catalogue


def branches():
    return check(from_plain(document(None, ["gain", "same"], steps=["same"])), None, REGISTRY)


def test_a_chain_has_plugins_and_signals_in_turns():
    found = checked(pipeline(reader="fog-reader", steps=("fog-to-mist", "mist-to-wave")))
    text = "fog-reader → fog → fog-to-mist → mist → mist-to-wave → waveform → raw-writer '{stem}-{index}.raw'"
    assert chain_text(found) == text
    assert repr(Converter(found)) == f"<Converter {text}>"
    assert repr(found) == "<CheckedPipeline fog-reader → fog-to-mist → mist-to-wave → raw-writer>"


def test_each_output_has_its_own_steps():
    text = chain_text(branches())
    shared, _, own = text.partition(" → [")
    assert shared == "tone-reader → waveform → same → waveform"
    first, second = own.removesuffix("]").split(" | ")
    assert first.startswith("raw-writer '")
    assert second.startswith("gain → waveform → same → waveform → raw-writer '")


def test_a_pipeline_may_write_nothing():
    found = replace(checked(pipeline()), outputs=())
    assert chain_text(found) == "tone-reader → waveform"
    assert Page(chain_html(found)).text_in("b") == ["tone-reader"]


def test_in_a_notebook_it_has_the_options_that_are_set():
    page = Page(chain_html(checked(pipeline(reader="tone-reader, with: {count: 3, nan: error}", steps=("same",)))))
    assert page.text_in("b") == ["tone-reader", "same", "raw-writer"]
    assert page.text_in("i") == ["waveform", "waveform"]
    assert page.text_in("small") == ["count: 3", "level: 1.0"]  # nan is at its default, and level is required
    assert page.text_in("code") == ["{stem}-{index}.raw"]


def test_in_a_notebook_each_output_has_a_line():
    page = Page(chain_html(branches()))
    assert len(page.all("div")) == 1 + 3
    lines = "".join(text if tag in ("b", "i", "div") else "" for tag, text in page.texts)
    assert "same → waveform→ raw-writer" in lines
    assert "→ gain → waveform → same → waveform → raw-writer" in lines


def test_names_stay_text():
    found = checked(pipeline())
    (output,) = found.outputs
    hostile = replace(output, template=replace(output.template, text="<script>'\n{stem}.raw"))
    page = Page(chain_html(replace(found, outputs=(hostile,))))
    assert page.text_in("code") == ["<script>'\\n{stem}.raw"]


def test_values_from_the_environment_are_masked():
    text = pipeline(reader="tone-reader, with: {nan: '${SECRET}'}")
    root = read_document(text, "p.yaml", environ={"SECRET": "hunter2-hunter2"})
    found = Converter(check(root, "p.yaml", REGISTRY, env=["SECRET"]))
    assert found.checked.decoder.plugin.options.nan == "hunter2-hunter2"
    shown = [repr(one) for one in (found, found.checked, found.outputs, list(found.checked.stages()))]
    shown.append(found._repr_html_())
    assert [text for text in shown if "hunter2" in text] == []
    assert "nan: ${SECRET}" in Page(found._repr_html_()).text_in("small")


@pytest.mark.parametrize("dialect", ["hifigan", {"base": "hifigan", "n_mels": 64}])
def test_a_dialect_is_shown_by_its_name_and_what_differs(dialect):
    found = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": dialect}},
            "steps": [{"use": "mel-to-wave"}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    ).checked
    assert options_set(found.decoder.plugin.options, found.catalogue) == {"kind": "mel", "dialect": dialect}


def test_a_dialect_that_is_in_no_catalogue_is_spelled_out():
    found = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "mel", "dialect": "hifigan"}},
            "steps": [{"use": "mel-to-wave"}],
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    ).checked
    shown = options_set(found.decoder.plugin.options, Catalogue)
    assert (shown["dialect"]["name"], shown["dialect"]["n_mels"]) == ("hifigan", 80)


def test_a_pipeline_shows_its_chain():
    found = tonearm.load_pipeline(
        {
            "tonearm": 1,
            "input": {"use": "npy-reader", "with": {"kind": "waveform", "sample_rate": 22050}},
            "outputs": [{"use": "wav-writer", "file": "{stem}.wav"}],
        }
    )
    assert repr(found) == "<Pipeline npy-reader → waveform → wav-writer '{stem}.wav'>"
    page = Page(found._repr_html_())
    assert page.text_in("small") == ["kind: waveform", "sample_rate: 22050"]
    assert repr(found.checked.decoder) == "<decoder npy-reader>"
    assert repr(found.outputs) == "(<output '{stem}.wav' by wav-writer>,)"
    assert repr(found.checked.decoder.plugin) == "<decoder npy-reader>"
