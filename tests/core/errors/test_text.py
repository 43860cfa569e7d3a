"""Text of messages is one printable line, and the nearest known word is suggested."""

from tonearm.errors import did_you_mean, one_line


def test_control_characters_are_escaped():
    assert one_line("a\x1b[2J\nb") == "a\\x1b[2J\\nb"


def test_long_text_is_cut():
    assert one_line("x" * 301) == "x" * 299 + "…"
    assert one_line("x" * 300) == "x" * 300


def test_the_nearest_word_is_suggested():
    assert did_you_mean("iteratons", ["iterations", "seed"]) == "did you mean 'iterations'?"
    assert did_you_mean("zzz", ["iterations", "seed"]) == ""
