"""Scalars mean what YAML 1.2's core schema says."""

import pytest
from yaml_reading import said, value

OCTAL = "quote it, or write the plain value"


FINITE = "options take finite numbers; quote it if it is meant as text"


TEXT_HINT = "quote it if it is meant as text"


SURROGATE = "write the character itself"


class TestScalars:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("1", 1), ("-7", -7), ("+7", 7), ("0", 0), ("0x1F", 31), ("0o17", 15), ("1e-3", 0.001), (".5", 0.5),
            ("1.", 1.0), ("-1.5E+2", -150.0), ("0.5", 0.5), ("007.5", 7.5), ("true", True), ("TRUE", True),
            ("False", False), ("null", None), ("~", None), ("Null", None), ("no", "no"), ("off", "off"), ("yes", "yes"),
            ("1:30", "1:30"), ("22_050", "22_050"), ("2024-01-01", "2024-01-01"), ("0b1", "0b1"), ("0x", "0x"),
            ("1e", "1e"), ("+", "+"), ("-", None), ("tRUE", "tRUE"), ("'1'", "1"), ('"null"', "null"), ("''", ""),
            ("١", "١"), ("nan", "nan"), ("inf", "inf"), ("18446744073709551615", 2**64 - 1),
            ("-9223372036854775808", -(2**63)), (r'"\ud83d\ude00"', "😀"), ("|\n  1\n", "1\n"),
        ],
    )  # fmt: skip
    def test_they_mean_what_yaml_1_2_says(self, text, expected):
        found = value(f"k: {text}") if text != "-" else value("k:")
        assert found == {"k": expected}
        assert type(found["k"]) is type(expected)

    @pytest.mark.parametrize(
        ("text", "code", "message", "hint"),
        [
            ("0123", "ambiguous-number", "'0123' looks octal, but could mean decimal", OCTAL),
            ("-08", "ambiguous-number", "'-08' looks octal, but could mean decimal", OCTAL),
            (".inf", "bad-number", "'.inf' is not a finite number", FINITE),
            ("-.Inf", "bad-number", "'-.Inf' is not a finite number", FINITE),
            (".NaN", "bad-number", "'.NaN' is not a finite number", FINITE),
            ("1e999", "bad-number", "'1e999' is not a finite number", FINITE),
            ("18446744073709551616", "bad-number", "'18446744073709551616' does not fit 64 bits", TEXT_HINT),
            ("-9223372036854775809", "bad-number", "'-9223372036854775809' does not fit 64 bits", TEXT_HINT),
            ("9" * 5000, "bad-number", f"'{'9' * 59}…' is too long for a number", TEXT_HINT),
            (r'"\ud800"', "bad-text", "this text has half of a surrogate pair in it", SURROGATE),
            (r'"\0"', "bad-text", "this text has a NUL character in it", "leave it out"),
        ],
    )  # fmt: skip
    def test_what_no_option_could_take_is_refused(self, text, code, message, hint):
        assert said(f"k: {text}") == [(1, 4, code, message, hint)]

    def test_the_longest_number(self):
        longest = "1." + "0" * 62
        assert value(f"k: {longest}") == {"k": 1.0}
        assert "is too long for a number" in str(said(f"k: {longest}0"))
