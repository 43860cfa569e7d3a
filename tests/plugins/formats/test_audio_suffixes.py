"""The suffixes of audio files, which must be known before anything that reads them is imported."""

from tonearm_plugins.formats.audio_suffixes import AUDIO_SUFFIXES


def test_each_suffix_is_there_once_in_lower_case() -> None:
    assert len(set(AUDIO_SUFFIXES)) == len(AUDIO_SUFFIXES)
    assert all(one.startswith(".") and one == one.lower() for one in AUDIO_SUFFIXES)
    assert {".wav", ".mp3", ".m4a"} <= set(AUDIO_SUFFIXES)
