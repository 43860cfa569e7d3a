import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import tonearm
from tonearm.conversion import call as calls
from tonearm.conversion import known_pipelines as room
from tonearm.errors import TonearmError

RATE = 24000


@pytest.fixture(autouse=True)
def built(monkeypatch, tmp_path):
    """The requests for which pipelines were built."""
    room.forget()
    requests = []
    real = calls.build

    def noting(request, registry):
        requests.append(request)
        return real(request, registry)

    monkeypatch.setattr(calls, "build", noting)
    monkeypatch.chdir(tmp_path)
    yield requests
    room.forget()


def sound(*, level=0.3, kind=np.float32, shape=(2400,)):
    return (level * np.sin(np.arange(np.prod(shape)) / 9)).astype(kind).reshape(shape)


def save(audio=None, path="a.wav", **more):
    return tonearm.save(sound() if audio is None else audio, path, **{"sample_rate": RATE, **more})


def names(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def age(path, seconds=60.0):
    """Make a file look as if it had last changed some time ago."""
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_one_pipeline_for_sounds_of_all_lengths_and_names(built):
    for number in range(5):
        save(sound(level=0.1 + 0.1 * number, shape=(1000 + number,)), f"x/{number}.1.wav")
    assert len(built) == 1
    assert names("x") == [f"{number}.1.wav" for number in range(5)]


def test_the_files_are_those_of_new_pipelines():
    seen = []
    for _ in range(2):
        save(sound(level=0.2), "a.wav")
        seen.append(Path("a.wav").read_bytes())
        room.forget()
    assert seen[0] == seen[1] == tonearm.encode(sound(level=0.2), "wav", sample_rate=RATE)


@pytest.mark.parametrize(
    "more",
    [
        {"sample_rate": 16000},
        {"subtype": "PCM_24"},
        {"encoder": {"subtype": "PCM_24"}},
        {"steps": ["normalize"]},
        {"steps": [("gain", {"gain_db": -3})]},
        {"limits": {"quiet_db": -70}},
        {"audio": sound(kind=np.float64)},
        {"audio": sound(shape=(1, 2400))},
        {"path": "a.flac"},
        {"path": "{stem}.wav"},
        {"audio": tonearm.Waveform(samples=sound(shape=(1, 2400)), sample_rate=RATE), "sample_rate": None},
    ],
)
def test_another_pipeline_for_whatever_changes_it(built, more):
    save()
    first = len(built)
    for _ in range(2):
        save(**more) if more.get("sample_rate", 1) else tonearm.save(more["audio"], "a.wav")
    assert len(built) == first + 1


@pytest.mark.parametrize(("one", "other"), [(True, 1), (1, 1.0), (0.0, -0.0), ([1], (1,)), ("1", 1), ({}, [])])
def test_values_that_python_takes_for_equal_are_told_apart(one, other):
    assert room._frozen(one, set()) != room._frozen(other, set())


@pytest.mark.parametrize("value", [np.zeros(3), object(), {1, 2}, "${HOME}/x", {"a": np.zeros(2)}])
def test_what_cannot_be_a_key_is_not_remembered(value):
    with pytest.raises(room._UnknowableError):
        room._frozen(value, set())


def test_numbers_of_numpy_are_keys():
    assert room._frozen(np.int64(3), set()) == room._frozen(np.int64(3), set()) != room._frozen(np.int64(4), set())
    assert room._frozen(np.int64(3), set()) != room._frozen(np.int32(3), set())


def test_an_array_whose_values_are_of_another_signal_gets_its_own_pipeline(built):
    """The options leave open what it is, and its shape tells."""
    save(sound(shape=(1, 2400)))
    with pytest.raises(TonearmError, match="cannot tell"):
        save(sound(shape=(2400, 1)), "b.wav")
    save(sound(shape=(1, 2400)), "c.wav")
    assert len(built) == 2
    assert names(".") == ["a.wav", "c.wav"]


def test_a_pipeline_for_one_class_of_signal_is_not_used_for_another(built, monkeypatch):
    save()
    (table,) = room._by_thread.values()
    (key,) = table
    monkeypatch.setitem(table, key, room.replace(table[key], given=(tonearm.MagnitudeSpectrogram,)))
    before = len(built)
    save(path="b.wav")
    assert len(built) == before + 1


def test_errors_are_those_of_a_new_pipeline(built):
    save()
    found = []
    for _ in range(2):
        with pytest.raises(TonearmError) as caught:
            save(np.full(2400, np.nan, np.float32))
        found.append(str(caught.value))
        room.forget()
    assert found[0] == found[1]


@pytest.mark.parametrize("name", ["a.mp3", ".tonearm-x.wav", "a\0.wav", "..", "x/"])
def test_names_are_checked_for_each_call(name):
    save()
    with pytest.raises((TonearmError, ValueError)):
        tonearm.save(sound(), name, format="wav", sample_rate=RATE)


class TestFiles:
    """A file that an option names may change."""

    @pytest.fixture(autouse=True)
    def cover(self):
        image = pytest.importorskip("PIL.Image")

        def write(colour, path="cover.png"):
            image.new("RGB", (8, 8), colour).save(path)
            content = Path(path).read_bytes().ljust(100, b"\0")  # all of one size
            Path(path).write_bytes(content)
            return content

        return write

    def cover_of(self, path):
        import mutagen.id3

        return mutagen.id3.ID3(path).getall("APIC")[0].data

    def test_a_changed_file_counts(self, built, cover):
        for colour in ("red", "blue"):
            content = cover(colour)
            age("cover.png", 60 if colour == "red" else 30)
            for name in ("a.mp3", "b.mp3"):
                save(path=name, cover="cover.png")
                assert self.cover_of(name) == content
        assert len(built) == 2

    def test_nothing_is_remembered_of_a_file_that_has_just_changed(self, built, cover):
        """Where the clock of the file system is coarse, its time of change stays."""
        red = cover("red")
        status = Path("cover.png").stat()
        save(path="a.mp3", cover="cover.png")
        blue = cover("blue")
        assert len(red) == len(blue)
        os.utime("cover.png", ns=(status.st_atime_ns, status.st_mtime_ns))
        save(path="a.mp3", cover="cover.png")
        assert self.cover_of("a.mp3") == blue
        assert len(built) == 2

    def test_names_are_relative_to_the_current_folder(self, built, cover, monkeypatch):
        red = cover("red")
        Path("x").mkdir()
        blue = cover("blue", "x/cover.png")
        for path in ("cover.png", "x/cover.png"):
            os.utime(path, (1e9, 1e9))
        save(path="a.mp3", cover="cover.png")
        monkeypatch.chdir("x")
        save(path="a.mp3", cover="cover.png")
        assert (self.cover_of("a.mp3"), self.cover_of("../a.mp3")) == (blue, red)

    def test_a_file_that_is_gone_is_an_error(self, cover):
        cover("red")
        age("cover.png")
        save(path="a.mp3", cover="cover.png")
        Path("cover.png").unlink()
        with pytest.raises(TonearmError):
            save(path="a.mp3", cover="cover.png")


def test_the_one_used_longest_ago_is_forgotten_first(built):
    for rate in [8000, *range(9000, 9000 + room.MAX_KNOWN - 1), 8000, 7000]:
        save(sample_rate=rate)
    before = len(built)
    save(sample_rate=8000)
    assert len(built) == before
    save(sample_rate=9000)
    assert len(built) == before + 1


def test_each_thread_knows_its_own_until_it_ends(built):
    save()
    for _ in range(2):
        thread = threading.Thread(target=save)
        thread.start()
        thread.join()
    assert len(built) in (2, 3)  # the second thread may have the identifier of the first
    save(sample_rate=8000)
    assert list(room._by_thread) == [threading.get_ident()]


def test_a_forked_child_leaves_what_is_known_to_its_parent():
    save()
    child = os.fork()
    if not child:
        os._exit(0 if not room._by_thread and room._of_parent else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert room._by_thread


def test_plugins_prepare_once(monkeypatch):
    from tonearm_plugins.encoders.wav_writer import WavWriter

    prepared = []
    monkeypatch.setattr(WavWriter, "preflight", lambda plugin: prepared.append(plugin))
    for _ in range(3):
        save()
    assert len(prepared) == 1
