"""``tonearm plugins npy-reader --dialects``."""

import json

from core_toys import tonearm


def test_it_lists_every_dialect_with_its_figures():
    done = tonearm("plugins", "npy-reader", "--dialects")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line and not line.startswith(" ")}
    assert rows["hifigan"] == [
        "hifigan", "22050", "1024", "256", "1024", "80", "0", "8000", "slaney", "magnitudes", "ln",
        "-11.51", "…", "5.7",
    ]  # fmt: skip
    assert rows["librosa-db"][-3:] == ["-80", "…", "0"]
    assert "  whisper: whisper-80" in done.stdout
    assert "  gansynth: the dialect gansynth is refused: " in done.stdout
    assert "  nemo-asr: values in the dialect nemo-asr are standardised by each utterance's own" in done.stdout


def test_as_json_with_all_of_them():
    done = tonearm("plugins", "--dialects", "--json")
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["f5-tts"]["figures"]["sample_rate"] == 24000
    assert rows["f5-tts"]["refused"] is None
    assert rows["hifigan-v1"]["alias_of"] == "hifigan"
    assert rows["whisper"]["figures"]["steps"] == [
        {"op": "below-max", "below": 8.0}, {"op": "affine", "scale": 0.25, "offset": 1.0},
    ]  # fmt: skip
    assert rows["gansynth"]["refused"].startswith("the dialect gansynth is refused")


def test_a_plugin_that_takes_none():
    done = tonearm("plugins", "istft", "--dialects")
    assert done.returncode == 2
    assert done.stderr == "no-dialect: istft takes no dialect\n"
