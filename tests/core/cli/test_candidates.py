"""What completes the last word of a command line."""

import pytest

from tonearm.cli.candidates import FILES, FOLDERS, candidates
from tonearm.cli.commands import COMMANDS
from tonearm.plugins.registry import default


def complete(line):
    return dict(candidates(line.split(" ")))


class TestCommands:
    def test_all_with_their_descriptions(self):
        assert complete("") == COMMANDS

    def test_those_that_begin_so(self):
        assert set(complete("c")) == {"check", "convert", "completion"}
        assert complete("zz") == {}

    def test_flags_before_a_command(self):
        assert set(complete("-")) == {"-h", "--help", "-V", "--version"}

    def test_nothing_after_a_word_that_is_no_command(self):
        assert complete("covert ") == complete("--help ") == {}


class TestFlags:
    def test_all_of_a_command(self):
        found = complete("run -")
        assert {"-o", "--out", "-j", "--jobs", "-n", "--dry-run", "-q", "--quiet", "--color", "--debug"} <= set(found)
        assert found["--quiet"] == "Print only failures"

    def test_hidden_ones_are_not_offered(self):
        assert "--dialects" not in complete("plugins --")

    def test_those_that_were_given_are_left_out_unless_they_can_be_repeated(self):
        found = complete("run p.yaml --force -qj 2 --set a=1 --")
        assert not {"--force", "--quiet", "--jobs"} & set(found)
        assert "--set" in found

    @pytest.mark.parametrize("line", ["run p.yaml -- --", "run p.yaml a -- -"])
    def test_no_flag_follows_two_dashes(self, line):
        assert complete(line) == {FILES: ""}


class TestValues:
    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ("check --format ", {"text", "json", "github"}),
            ("check --format=j", {"json"}),
            ("check --form j", {"json"}),  # argparse takes the beginning of a flag as well
            ("run p.yaml --color a", {"auto", "always"}),
            ("run p.yaml --part s", {"slurm"}),
            ("run p.yaml -nj ", set()),
            ("run p.yaml -no ", {FOLDERS}),
            ("run p.yaml -n ", {FILES}),
            ("run p.yaml -j2 ", {FILES}),
            ("run p.yaml --jobs=2 ", {FILES}),
            ("run p.yaml --out ", {FOLDERS}),
            ("run p.yaml --from ", {FILES}),
            ("run --executor lo", {"local"}),
            ("convert --decoder npz", {"npz-reader"}),
            ("convert --encoder=wav", {"wav-writer"}),
            ("convert --to=op", {"opus"}),
            ("convert --step gri", {"griffin-lim"}),
            ("convert --step resample:q", {"resample:quality="}),
            ("convert --step resample:sample_rate=8000;q", {"resample:sample_rate=8000;quality="}),
            ("convert --step no-such-step:q", set()),
            ("convert --kind m", {"magnitude", "mel"}),
            ("convert --nan ", {"error", "zero", "keep"}),
            ("convert --center ", {"true", "false"}),
            ("convert --subtype PCM_1", {"PCM_16"}),
            ("convert --cover ", {FILES}),
            ("convert --dialect hifigan-", {"hifigan-v1"}),
            ("convert --recipe tacotron-k", {"tacotron-keithito"}),
            ("convert --limit mem", {"memory="}),
            ("convert --sample-rate ", set()),
            ("convert a.npy ", {FILES}),
            ("convert a.npy b.wav ", set()),
            ("inspect a b c ", {FILES}),
            ("status ", {FOLDERS}),
            ("schema ", set()),
            ("completion ", {"bash", "zsh", "fish"}),
        ],
    )
    def test_of_options_and_names(self, line, expected):
        assert set(complete(line)) == expected

    def test_plugins_with_their_descriptions(self):
        found = complete("plugins ")
        assert len(found) == sum(1 for _ in default().entries())
        assert found["istft"].startswith("Invert a complex spectrogram")

    def test_dialects_recipes_and_layouts(self):
        assert {"hifigan", "melgan", "whisper"} <= set(complete("dialects "))
        assert "tacotron-r9y9" in complete("recipes ")
        assert {"orpheus", "orpheus-snac24-text"} <= set(complete("layouts orph"))

    def test_variables(self, monkeypatch):
        monkeypatch.setenv("TONEARM_TRIED", "1")
        assert "TONEARM_TRIED" in complete("run --env TONEARM_T")
