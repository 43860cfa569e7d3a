"""``tonearm convert``: one file with no YAML."""

import json
import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from core_toys import ToneReader, registry_of, third_party, tonearm
from terminals import ESCAPE, on_terminal

from tonearm.cli import main as cli
from tonearm.pipeline.check import check
from tonearm.pipeline.document import read_document
from tonearm.plugins import registry
from tonearm_plugins.formats import npz

SAMPLES = np.round(np.sin(np.arange(2000) / 9) * 12000).astype(np.int16)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with arrays in it, which is the current one."""
    monkeypatch.chdir(tmp_path)
    np.save("one.npy", SAMPLES)
    np.save("four.npy", (SAMPLES / 32768).astype(np.float32)[None, None, None])
    spectrum = np.random.default_rng(0).standard_normal((2, 9, 20)).astype(np.float32)
    np.save("stft.npy", (spectrum[0] + 1j * spectrum[1]) / 9)
    np.save("magnitude.npy", abs(spectrum[0]) / 9)
    return tmp_path


@pytest.fixture
def convert(folder, capsys):
    def run(*arguments):
        status = cli.main(["convert", *arguments])
        found = capsys.readouterr()
        return status, found.out, found.err

    return run


def sound(path):
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2"), file.getframerate()


GRID = ["--sample-rate", "8000", "--n-fft", "16", "--hop-length", "4"]


class TestConverting:
    def test_a_waveform_unchanged(self, folder):
        done = tonearm("convert", "one.npy", "one.wav", "--sample-rate", "8000", cwd=folder)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "one.wav\n")
        samples, rate = sound(folder / "one.wav")
        assert rate == 8000
        assert np.array_equal(samples, SAMPLES)

    def test_options_of_the_array_are_flags(self, convert, folder):
        assert convert("four.npy", "a.wav", "--kind", "waveform", "--sample-rate", "8000") == (0, "", "a.wav\n")
        assert np.array_equal(sound("a.wav")[0], SAMPLES)
        axes = ("--axes", "batch,channel,time", "--kind", "waveform", "--sample-rate", "8000")
        assert convert("four.npy", "b.wav", *axes)[0] == 0
        assert convert("four.npy", "c.wav", *axes[:1], "[batch, channel, time]", *axes[2:])[0] == 0
        assert np.array_equal(sound("b.wav")[0], sound("c.wav")[0])

    def test_transforms_in_between_are_added(self, convert):
        assert convert("stft.npy", "a.wav", *GRID) == (0, "", "a.wav\n")
        status, _, err = convert("magnitude.npy", "b.wav", "--kind", "magnitude", *GRID)
        assert (status, err) == (0, "b.wav\n")
        assert sound("a.wav")[0].size == sound("b.wav")[0].size == 76

    def test_steps_by_name(self, convert):
        run = ("one.npy", "a.wav", "--sample-rate", "8000", "--step", "normalize", "--set", "steps.0.with.peak_db=0")
        assert convert(*run)[0] == 0
        assert np.abs(sound("a.wav")[0].astype(int)).max() >= 32767

    @pytest.mark.parametrize(
        ("step", "options"),
        [
            ("normalize:peak_db=0", {"peak_db": 0}),
            ("mix:pick=[0, 0]", {"pick": [0, 0]}),
            ("pad:before_ms=10; after_ms=20", {"before_ms": 10, "after_ms": 20}),
        ],
    )
    def test_steps_with_options(self, convert, step, options):
        status, out, err = convert("one.npy", "a.wav", "--sample-rate", "8000", "--step", step, "--yaml")
        assert (status, err) == (0, "")
        assert yaml.safe_load(out)["steps"] == [{"use": step.partition(":")[0], "with": options}]
        assert convert("one.npy", "a.wav", "--sample-rate", "8000", "--step", step)[0] == 0

    def test_the_options_of_a_step_belong_to_it_though_others_are_added_before(self, convert):
        out = convert("stft.npy", "a.wav", *GRID, "--step", "normalize:peak_db=-3", "--yaml")[1]
        assert yaml.safe_load(out)["steps"] == [{"use": "istft"}, {"use": "normalize", "with": {"peak_db": -3}}]

    @pytest.mark.parametrize(
        ("step", "said"),
        [
            ("normalize:", "bad-override: --step normalize:: no option follows the colon"),
            ("normalize:peak_db", "bad-override: --step normalize:peak_db: 'peak_db' is not an assignment"),
            ("normalize:peak=1", "unknown-option: --step 'peak=1': normalize has no option 'peak'"),
            ("normalize:peak_db=loud", "bad-option: --step 'peak_db=loud': "),
        ],
    )
    def test_wrong_options_of_a_step(self, convert, step, said):
        status, _, err = convert("one.npy", "a.wav", "--sample-rate", "8000", "--step", step)
        assert status == 2
        assert err.startswith(said)

    def test_options_of_one_decoder_are_flags_too(self, convert, folder):
        (folder / "raw.pcm").write_bytes(SAMPLES.tobytes())
        run = ("raw.pcm", "a.wav", "--encoding", "pcm_s16le", "--channels", "2", "--sample-rate", "8000")
        assert convert(*run) == (0, "", "a.wav\n")
        assert np.array_equal(sound("a.wav")[0], SAMPLES)
        np.savez("two.npz", x=SAMPLES[:-1], y=SAMPLES[:9], n=np.array([5]))
        assert convert("two.npz", "b.wav", "--key", "y", "--lengths", "n", "--sample-rate", "8000")[0] == 0
        assert np.array_equal(sound("b.wav")[0], SAMPLES[:5])

    def test_options_of_the_encoder_are_flags_too(self, convert):
        run = ("one.npy", "a.wav", "--sample-rate", "8000", "--subtype", "PCM_24", "--tags", "{title: x}", "--yaml")
        (output,) = yaml.safe_load(convert(*run)[1])["outputs"]
        assert output == {"use": "wav-writer", "file": "a.wav", "with": {"subtype": "PCM_24", "tags": {"title": "x"}}}

    def test_options_of_transforms_that_are_put_in_are_flags_too(self, convert):
        run = (
            "magnitude.npy",
            "a.wav",
            "--kind",
            "magnitude",
            *GRID,
            "--iterations",
            "3",
            "--engine",
            "native",
            "--yaml",
        )
        steps = yaml.safe_load(convert(*run)[1])["steps"]
        assert steps == [{"use": "griffin-lim", "with": {"iterations": 3, "engine": "native"}}]

    def test_a_flag_of_a_transform_that_is_not_put_in(self, convert):
        status, _, err = convert("one.npy", "a.wav", "--sample-rate", "8000", "--iterations", "3")
        assert (status, err) == (
            2,
            "unknown-option: --iterations is an option of griffin-lim, mel-to-magnitude and mel-to-wave, which are not"
            " needed here\n    hint: leave --iterations out, or apply it by --step griffin-lim:iterations=…\n",
        )

    def test_folders_of_a_template(self, convert, folder):
        np.savez("two.npz", x=SAMPLES, y=SAMPLES[:9])
        out = "out/{key}/{index:02}.wav"
        assert convert("two.npz", out, "--key", "*", "--sample-rate", "8000")[2] == "out/x/00.wav\nout/y/01.wav\n"
        assert sound(folder / "out/y/01.wav")[0].size == 9
        status, _, err = convert("one.npy", "out/{kye}/a.wav", "--sample-rate", "8000")
        assert (status, err) == (
            2,
            "bad-template: a template has no field {kye}\n    hint: did you mean 'key'?\n",
        )

    def test_a_pattern_is_text_and_a_list_needs_no_brackets(self, convert):
        flags = ("--key", "*.npy", "--axes", "batch, time", "--kind", "waveform", "--sample-rate", "8000", "--yaml")
        out = convert("a.tar.gz", "x.wav", *flags)[1]
        assert "use: webdataset-reader" in out
        assert "key: '*.npy'" in out
        assert "axes:\n    - batch\n    - time\n" in out

    def test_names_that_are_not_utf8(self, folder):
        (folder / "caf\udce9.npy").write_bytes((folder / "one.npy").read_bytes())
        for source, target in (
            ("caf\udce9.npy", "caf\udce9.wav"),
            ("one.npy", "x\udcff/\udcff.wav"),
            ("caf\udce9.npy", "b.wav"),
        ):
            done = tonearm("convert", source, target, "--sample-rate", "8000", cwd=folder)
            assert (done.returncode, done.stderr) == (
                0,
                target.replace("\udce9", r"\udce9").replace("\udcff", r"\udcff") + "\n",
            )
            assert np.array_equal(sound(folder / target)[0], SAMPLES)
        done = tonearm("convert", "caf\udce9.npy", "a.wav", "--sample-rate", "8000", "--yaml", cwd=folder)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == "not-utf8: the name caf\\udce9.npy is not UTF-8, as a pipeline is\n"

    def test_a_missing_folder_is_made(self, convert, folder):
        assert convert("one.npy", "x/y/a.wav", "--sample-rate", "8000") == (0, "", "x/y/a.wav\n")
        assert sorted(path.name for path in (folder / "x" / "y").iterdir()) == ["a.wav"]

    def test_an_existing_file_is_replaced_only_with_force(self, convert, folder):
        run = ("one.npy", "a.wav", "--sample-rate", "8000")
        (folder / "a.wav").write_text("mine")
        status, _, err = convert(*run)
        assert status != 0
        assert err.startswith("not-ours: a.wav exists, and no run wrote it")
        assert (folder / "a.wav").read_text() == "mine"
        assert convert(*run, "--force")[0] == 0
        assert sound("a.wav")[0].size == 2000


def test_a_batch_of_one_needs_no_index(convert):
    np.save("batch.npy", np.stack([SAMPLES, SAMPLES]))
    flags = ("--kind", "waveform", "--axes", "batch,time", "--sample-rate", "8000")
    np.save("alone.npy", SAMPLES[None])
    status, _, err = convert("alone.npy", "alone.wav", *flags)
    assert (status, err) == (0, "alone.wav\n")
    assert convert("batch.npy", "batch.wav", *flags)[0] == 3


@pytest.mark.parametrize(
    ("name", "flags", "expected"),
    [
        ("pairs.npy", (), ["missing-option: npy-reader: 'sample_rate'", "unknown-kind: cannot tell"]),
        (
            "pairs.npy",
            ("--kind", "waveform"),
            ["missing-option: npy-reader: 'sample_rate'", "ambiguous-axes: the axes"],
        ),
        (
            "stft.npy",
            (),
            ["missing-option: npy-reader: 'sample_rate'", "missing-option: npy-reader: 'n_fft' is missing"],
        ),
        ("broken.npy", (), ["missing-option: npy-reader: 'sample_rate'", "npy-truncated: "]),
        ("one.npy", (), ["missing-option: npy-reader: 'sample_rate'"]),
        ("answer.json", (), ["missing-option: 'answer.json' is JSON, and 'field' is missing"]),  # it may say the rest
        ("nan.npy", ("--sample-rate", "8000"), ["not-finite"]),
        (
            "sound.npy",
            (),
            ["not-npy: 'sound.npy' is not a .npy file; it looks like a WAV file"],
        ),
        ("sound.json", (), ["wrong-format: 'sound.json' is not raw samples; it looks like a WAV file"]),
    ],
)
def test_what_is_missing_is_reported_at_once(convert, name, flags, expected):
    np.save("pairs.npy", np.stack([SAMPLES] * 2))
    np.save("nan.npy", np.array([0.5, np.nan]))
    for suffix in ("npy", "json"):
        Path(f"sound.{suffix}").write_bytes(b"RIFF\x24\0\0\0WAVEfmt " + bytes(40))
    Path("broken.npy").write_bytes(Path("one.npy").read_bytes()[:-9])
    Path("answer.json").write_text(json.dumps({"sampling_rate": 8000, "audio": (SAMPLES / 32768).tolist()}))
    status, out, err = convert(name, "x.wav", *flags)
    assert (status, out) == (3 if name == "nan.npy" else 2, "")
    lines = [line for line in err.splitlines() if not line.startswith("    ")]
    assert [line.startswith(start) for line, start in zip(lines, expected, strict=True)] == [True] * len(expected), err
    assert not Path("x.wav").exists()


class TestReadingOnce:
    @pytest.fixture
    def loaded(self, monkeypatch):
        """Names of the arrays that are loaded, each with the files that existed by then."""
        found = []
        real = npz.load_array

        def load(file, size, key, name, **more):
            found.append((key, sorted(path.name for path in Path().glob("*.wav"))))
            return real(file, size, key, name, **more)

        monkeypatch.setattr(npz, "load_array", load)
        return found

    def test_items_are_decoded_once_and_one_after_the_other(self, convert, folder, loaded):
        np.savez("three.npz", x=SAMPLES, y=SAMPLES[:9], z=SAMPLES[:5])
        run = ("three.npz", "{key}.wav", "--key", "*", "--sample-rate", "8000")
        assert convert(*run) == (0, "", "x.wav\ny.wav\nz.wav\n")
        assert loaded == [("x", []), ("y", ["x.wav"]), ("z", ["x.wav", "y.wav"])]
        assert np.array_equal(sound("x.wav")[0], SAMPLES)
        assert np.array_equal(sound("z.wav")[0], SAMPLES[:5])

    def test_a_printed_pipeline_needs_the_first_item_only(self, convert, folder, loaded):
        np.savez("three.npz", x=SAMPLES, y=SAMPLES[:9], z=SAMPLES[:5])
        assert convert("three.npz", "{key}.wav", "--key", "*", "--sample-rate", "8000", "--yaml")[0] == 0
        assert [key for key, _ in loaded] == ["x"]

    def test_an_item_that_fails_later_fails_then(self, convert, folder):
        np.savez("two.npz", x=SAMPLES, y=np.array([], np.int16))
        status, _, err = convert("two.npz", "{key}.wav", "--key", "*", "--sample-rate", "8000")
        assert status == 3
        assert "empty" in err
        assert np.array_equal(sound("x.wav")[0], SAMPLES)

    def test_options_that_set_gives_are_those_of_the_first_item(self, convert, folder):
        run = ("four.npy", "a.wav", "--set", "input.with.kind=waveform", "--set", "input.with.sample_rate=8000")
        assert convert(*run) == (0, "", "a.wav\n")
        assert np.array_equal(sound("a.wav")[0], SAMPLES)

    SET = ("one.npy", "a.wav", "--step", "normalize", "--set", "input.with.sample_rate=${RATE}")

    def test_set_reads_variables_that_are_allowed(self, convert, folder, monkeypatch):
        monkeypatch.setenv("RATE", "12345")
        status, out, err = convert(*self.SET)
        assert (status, out) == (2, "")
        assert "refused-variable" in err
        assert "--env RATE" in err
        assert "12345" not in err
        assert convert(*self.SET, "--env", "RATE") == (0, "", "a.wav\n")
        assert sound("a.wav")[1] == 12345

    def test_a_printed_pipeline_shows_variables(self, convert, folder, monkeypatch):
        monkeypatch.setenv("RATE", "12345")
        monkeypatch.setenv("PEAK", "-3.25")
        peak = ("--set", "steps.0.with.peak_db=${PEAK}")
        status, out, _ = convert(*self.SET, *peak, "--env", "RATE", "--env", "PEAK", "--yaml")
        assert status == 0
        assert "12345" not in out
        assert "3.25" not in out
        root = read_document(out, "p.yaml", environ={"RATE": "11025", "PEAK": "-6"})
        found = check(root, "p.yaml", registry.default(), env=["RATE", "PEAK"])
        assert found.decoder.plugin.options.of_kind("sample_rate") == 11025
        assert found.steps[0].plugin.options.peak_db == -6

    def test_warnings_about_the_first_item_are_printed_once(self, convert, folder):
        np.save("nan.npy", np.array([0.5, np.nan, 0.5], np.float32))
        status, _, err = convert("nan.npy", "a.wav", "--sample-rate", "8000", "--nan", "zero")
        assert (status, err.count("warning: ")) == (0, 1)

    @pytest.mark.parametrize("large", [False, True])
    def test_its_bytes_are_read_once(self, folder, large, monkeypatch):
        """The kernel counts the bytes that a process reads; the difference between two sizes is that of the sources."""
        if large:
            monkeypatch.setenv("READ_AT_MOST", "1000")
        counts = []
        for size in (250_000, 1_250_000):  # two bytes each
            np.savez("a.npz", x=np.resize(SAMPLES, size))
            code = (
                "import os\n"
                "from tonearm import content_hash\n"
                "from tonearm.cli.main import main\n"
                "content_hash.MAX_WHOLE_READ = int(os.environ.get('READ_AT_MOST', content_hash.MAX_WHOLE_READ))\n"
                f"status = main(['convert', 'a.npz', 'a{size}.npy', '--sample-rate', '8000'])\n"
                "print(status, open('/proc/self/io').read().split()[1])"
            )
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            status, count = done.stdout.split()
            assert status == "0", done.stderr
            counts.append(int(count))
        assert counts[1] - counts[0] < 1.1 * 2_000_000


class TestYaml:
    def test_the_printed_pipeline_is_equivalent(self, convert, installed, folder):
        status, out, err = convert("stft.npy", "x/a.wav", *GRID, "--step", "normalize", "--yaml")
        assert (status, err) == (0, "")
        assert not (folder / "x").exists()
        found = check(read_document(out, "p.yaml", environ={}), "p.yaml", installed)
        assert found.files == ("stft.npy",)
        assert [step.name for step in found.steps] == ["istft", "normalize"]
        assert found.decoder.plugin.options.of_kind("n_fft") == 16
        assert found.outputs[0].template.text == "a.wav"

    def test_nothing_empty_is_printed(self, convert):
        assert convert("one.npy", "a.wav", "--sample-rate", "8000", "--yaml")[1] == (
            "tonearm: 1\ninput:\n  use: npy-reader\n  files: one.npy\n  with:\n    sample_rate: 8000\n"
            "outputs:\n- use: wav-writer\n  file: a.wav\n"
        )


RATE = ("--sample-rate", "8000")


class TestMistakes:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("one.npy", "a.wav"), "missing-option: npy-reader: 'sample_rate' is missing\n    hint: --sample-rate …"
             " (the rate that the model was made for, such as 22050)\n"),
            (("one.npy", "a.wav", "--sample-rate", "x"), "bad-option: npy-reader: 'sample_rate' is 'x';"
             " expected a whole number\n    hint: Sample rate in Hz. Required, because an array does not"
             " contain it.\n"),
            (("one.npy", "a.xyz", *RATE), "unknown-suffix: no encoder writes .xyz\n    hint: encoders write .aac, "),
            (("one.npy", "a.wma", *RATE), "unknown-suffix: no encoder writes .wma\n    hint: encoders write .aac, "),
            (("one.npy", "a.mp4", *RATE), "unknown-suffix: no encoder writes .mp4\n    hint: encoders write .aac, "),
            (("one.npy", "a.wave", *RATE), "unknown-suffix: no encoder writes .wave\n    hint: did you mean '.wav'?; "
             "--encoder ffmpeg-writer, for other formats\n"),
            (("one.npy", "a.wva", *RATE), "unknown-suffix: no encoder writes .wva\n    hint: did you mean '.wav'?"),
            (("one.npy", "a.wav", *RATE, "--step", "normalise"), "unknown-plugin: there is no transform 'normalise'"
             "\n    hint: did you mean 'normalize'?"),
            (("one.npy", "a.wav", *RATE, "--decoder", "npy"),
             "unknown-plugin: there is no decoder 'npy'\n    hint: did you mean 'npy-reader'?\n"),
            (("one.npy", "a.wav", *RATE, "--step", "griffin"),
             "unknown-plugin: there is no transform 'griffin'\n    hint: did you mean 'griffin-lim'?\n"),
            (("one.npy", "a.wav", *RATE, "--key", "x"), "unknown-option: npy-reader has no option 'key'\n"),
            (("one.npy", "a.wav", *RATE, "--axes", "tim"), "bad-option: npy-reader: neither a waveform nor a complex"
             " array has a tim axis\n    hint: axes are named batch, channel, time, bin, frame, complex\n"),
            (("one.npy", "a.wav", *RATE, "--axes", "bin,frames"), "bad-option: npy-reader: neither a waveform nor a"
             " complex array has a frames axis\n"),
            (("one.npy", "a.wav", *RATE, "--encoder", "wav-writre"),
             "unknown-plugin: there is no encoder 'wav-writre'\n    hint: did you mean 'wav-writer'?"),
            (("one.npy", "a.wav", *RATE, "--set", "x"), "bad-override: --set 'x': this is not an assignment"
             "\n    hint: write --set steps.1.with.iterations=60"),
            (("one.npy", "a.wav", *RATE, "--bitrate", "64"), "unknown-option: wav-writer has no option 'bitrate'\n"),
            (("one.npy", "a.wav", *RATE, "--bitrat", "64"), "unknown-option: wav-writer has no option 'bitrate'\n"),
            (("one.npy", "a.mp3", *RATE, "--bitrate", "65"),
             "bad-option: mp3-writer: 'bitrate' is 65\n    hint: one of 8"),
            (("one.npy", "{x}.wav", *RATE), "bad-template: a template has no field {x}\n    hint: fields: {stem}"),
        ],
    )  # fmt: skip
    def test_in_the_command(self, arguments, message, convert, folder):
        status, out, err = convert(*arguments)
        assert (status, out) == (2, "")
        assert err.startswith(message)
        assert not (folder / "a.wav").exists()

    @pytest.mark.parametrize(
        ("rate", "hint"),
        [
            ("22050 Hz", "--sample-rate 22050"), ("22.05 kHz", "--sample-rate 22050"), ("48k", "--sample-rate 48000"),
            ("22,050", "--sample-rate 22050"), ("44_100", "--sample-rate 44100"), ("22050.0", "--sample-rate 22050"),
            ("22.05", "Sample rate in Hz."), ("22k05", "Sample rate"), ("9,05", "Sample rate"), ("1e4", "Sample rate"),
        ],
    )  # fmt: skip
    def test_a_rate_as_people_write_it(self, rate, hint, convert, folder):
        status, _, err = convert("one.npy", "a.wav", "--sample-rate", rate)
        assert status == 2
        assert "expected a whole number" in err
        assert err.splitlines()[1].startswith(f"    hint: {hint}")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("no.npy", "a.wav", *RATE), "unreadable: cannot read no.npy: no such file or directory\n"),
            (("one", "a.wav", *RATE), "unreadable: cannot read one: no such file or directory\n"),
            (
                ("magnitude.npy", "a.wav", *RATE),
                "unknown-kind: cannot tell what a real array of shape (9, 20)",
            ),
        ],
    )
    def test_in_the_file(self, arguments, message, convert, folder):
        status, out, err = convert(*arguments)
        assert (status, out) == (3, "")
        assert err.startswith(message)
        assert not (folder / "a.wav").exists()

    def test_the_encoder_that_is_proposed_for_another_suffix_writes_it(self, convert, folder):
        _, _, err = convert("one.npy", "a.au", *RATE)
        assert err.endswith("; --encoder ffmpeg-writer, for other formats\n")
        assert convert("one.npy", "a.au", *RATE, "--encoder", "ffmpeg-writer")[0] == 0
        assert np.array_equal(soundfile.read("a.au", dtype="int16")[0], SAMPLES)

    def test_a_sample_rate_for_a_sound_file(self, convert, folder):
        soundfile.write("s.wav", SAMPLES, 8000)
        status, _, err = convert("s.wav", "a.wav", "--sample-rate", "16000")
        assert (status, err) == (
            2,
            "unknown-option: audio-reader has no option 'sample_rate'\n"
            "    hint: the file tells its sample rate; the transform resample changes it\n",
        )

    def test_a_folder_that_cannot_be_written_to(self, convert):
        status, _, err = convert("one.npy", "/proc/a.wav", *RATE)
        assert status == 4
        assert err.startswith("output: cannot write /proc/a.wav: ")

    def test_a_suffix_that_several_decoders_read(self, convert, monkeypatch):

        found = registry_of(decoders={"more": ToneReader})
        monkeypatch.setattr(registry, "default", lambda: found)
        status, _, err = convert("a.tone", "a.raw")
        assert (status, err) == (
            2,
            "ambiguous-suffix: several decoders fit a.tone: more, tone-reader\n"
            "    hint: --decoder more or tone-reader\n",
        )


class TestBar:
    """On a terminal, a conversion that takes long shows which stage is at work, and how far it is."""

    TOY = "\n".join(
        (
            "import time",
            "from tonearm.api import NoOptions, Transform, Waveform, hookimpl",
            "class Slow(Transform[Waveform, Waveform, NoOptions]):",
            "    def apply(self, signal, context):",
            "        for step in range(20):",
            "            context.progress(step, 20)",
            "            time.sleep(0.08)",
            "            if step == 15:",
            "                context.warn('it is late')",
            "        return signal",
            "@hookimpl",
            "def tonearm_transforms():",
            "    return {'slow': Slow}",
        )
    )

    def test_the_stage_and_its_share_and_nothing_is_left(self, folder):
        env = third_party(folder / "site", "slow", self.TOY)
        command = ["convert", "one.npy", "one.wav", "--sample-rate", "8000", "--step", "slow"]
        status, text = on_terminal(*command, env={"PYTHONPATH": env["PYTHONPATH"]}, cwd=folder)
        assert status == 0
        shares = [int(share) for share in re.findall(r"2/3 slow [^%]*?(\d+)%", ESCAPE.sub("", text))]
        assert shares == sorted(shares)
        assert len(set(shares)) >= 3
        assert 20 <= min(shares) < max(shares) <= 95
        assert re.search(r"\x1b\[2K[^\n]*warning[^\n]*it is late\n", text)  # on a line of its own
        assert text.endswith("\x1b[2Kone.wav\n")
        assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 2

    @pytest.mark.slow
    def test_of_a_stage_of_our_own(self, folder):
        magnitude = np.abs(np.random.default_rng(0).standard_normal((513, 20_000))).astype(np.float32) / 90
        np.save(folder / "long.npy", magnitude)
        grid = ["--sample-rate", "22050", "--n-fft", "1024", "--hop-length", "256", "--kind", "magnitude"]
        status, text = on_terminal("convert", "long.npy", "long.wav", *grid, "--iterations", "100", cwd=folder)
        assert status == 0
        assert re.search(r"2/3 griffin-lim [^%]*?\d\d%", ESCAPE.sub("", text))

    @pytest.mark.slow
    def test_none_where_it_is_short_or_in_a_pipe(self, folder):
        _, text = on_terminal("convert", "one.npy", "one.wav", "--sample-rate", "8000", cwd=folder)
        assert text == "one.wav\n"
        env = third_party(folder / "site", "slow", self.TOY)
        done = tonearm("convert", "one.npy", "two.wav", "--sample-rate", "8000", "--step", "slow", cwd=folder, env=env)
        assert done.stderr == "warning: it is late\ntwo.wav\n"

    @pytest.mark.slow
    def test_the_terminal_is_as_it_was_where_time_is_over(self, folder):
        toy = self.TOY.replace("if step == 15:", "if step > 15:").replace(
            "context.warn('it is late')", "time.sleep(60)"
        )
        env = third_party(folder / "site", "slow", toy)
        command = ["convert", "one.npy", "one.wav", "--sample-rate", "8000", "--step", "slow", "--timeout", "1.5"]
        status, text = on_terminal(*command, env={"PYTHONPATH": env["PYTHONPATH"]}, cwd=folder)
        assert status == 3
        assert "2/3 slow" in ESCAPE.sub("", text)
        assert "\r\x1b[K\x1b[?25h" in text
        assert "no sign of life for 1.5 s" in text.rpartition("\x1b[?25h")[2]


def test_debug_tells_which_engine_works_and_why(tmp_path, capsys, monkeypatch):
    np.save(tmp_path / "m.npy", np.ones((45, 20), "f4"))
    known = ["--kind", "magnitude", "--sample-rate", "8000", "--n-fft", "88", "--hop-length", "22"]
    step = ["--step", "griffin-lim:engine=scipy"]
    names = [str(tmp_path / "m.npy"), str(tmp_path / "m.wav")]
    assert cli.main(["convert", *names, *known, *step, "--debug"]) == 0
    line = "debug: the scipy engine works for n_fft 88, hop_length 22, not native: engine is scipy\n"
    assert capsys.readouterr().err.startswith(line)
