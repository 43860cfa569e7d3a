"""Tracebacks under --debug: printed once each, and only where they are wanted."""

import io
import sys

import pytest

from tonearm.errors import tracebacks


@pytest.fixture
def wanted():
    with tracebacks.shown():
        yield


def raised(text):
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_none_is_wanted(capsys):
    tracebacks.show(raised("x"))
    assert capsys.readouterr() == ("", "")


def test_each_is_shown_once(wanted, capsys):
    for text in ("x", "x", "y"):
        tracebacks.show(raised(text))
    shown = capsys.readouterr().err
    assert shown.count("Traceback (most recent call last):") == 2
    assert [line for line in shown.splitlines() if line.startswith("ValueError")] == ["ValueError: x", "ValueError: y"]


def test_a_stream_that_nobody_reads(wanted, monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    tracebacks.show(raised("x"))


def test_an_exception_that_cannot_be_printed(wanted, capsys, monkeypatch):
    monkeypatch.setattr("traceback.format_exception", lambda *_: 1 / 0)
    tracebacks.show(raised("x"))
    assert capsys.readouterr().err == "ValueError, whose traceback cannot be printed: ZeroDivisionError\n"
