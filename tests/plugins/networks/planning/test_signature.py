"""What a network takes and gives, in words."""

from __future__ import annotations

from network_headers import header

from tonearm_plugins.networks.planning.signature import listed, short, signature_of


def test_all_tensors_are_named_with_their_types_and_shapes() -> None:
    made = header("mel float32 (batch, 80, frames);f0 float32 (?, frames)", "wav float32;len int64 ()")
    assert signature_of(made) == (
        "the model takes mel float32 (batch, 80, frames) and f0 float32 (?, frames), and gives wav float32 of any shape"
        " and len int64 ()"
    )


def test_of_many_tensors_six_are_named() -> None:
    made = header(";".join(f"i{number} int64 (1)" for number in range(60)), "")
    assert "i5 int64 (1) and 54 more, and gives nothing" in signature_of(made)
    assert "i6" not in signature_of(made)


def test_of_many_axes_eight_are_shown() -> None:
    made = header(f"x int64 ({', '.join(['1'] * 100_000)})", "y float32 (1, 1, 1, 1, 1, 1, 1, 8)")
    assert signature_of(made) == (
        "the model takes x int64 (1, 1, 1, 1, 1, 1, 1, 1, …), and gives y float32 (1, 1, 1, 1, 1, 1, 1, 8)"
    )


def test_long_names_are_cut() -> None:
    assert short("a" * 48) == "a" * 48
    assert short("a" * 49) == "a" * 47 + "…"


def test_lists_in_words() -> None:
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
