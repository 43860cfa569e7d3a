"""A problem prints as compilers print theirs, with its remedies in the form of its pipeline."""

import msgspec

from tonearm.errors import Advice, Place, Problem, SetOption, advise


def test_the_compilers_form():
    problem = Problem(code="unknown-option", message="no such option", file="a.yaml", line=3, column=7)
    assert str(problem) == "a.yaml:3:7: unknown-option: no such option"


def test_remedies_come_on_a_line_of_their_own():
    problem = Problem(code="x", message="y", remedies=(SetOption("rate", 1), *advise("or listen")))
    assert str(problem) == "x: y\n    hint: rate: 1; or listen"


def test_remedies_read_as_the_pipeline_was_given():
    problem = Problem(code="x", message="y", remedies=(SetOption("rate", 1),), place=Place("input", "flags"))
    assert problem.hint == "--rate 1"


def test_a_place_in_a_file_is_given_once():
    placed = Problem(code="x", message="y").at(file="a.yaml", line=1, column=2)
    assert (placed.file, placed.line, placed.column) == ("a.yaml", 1, 2)
    assert placed.at(file="b.yaml", line=9, column=9) is placed


def test_no_advice_is_no_remedy():
    assert advise("") == ()
    assert advise("write it again") == (Advice("write it again"),)


def test_remedies_are_data_in_json():
    problem = Problem(code="x", message="y", remedies=(SetOption("rate", 1), Advice("z")))
    plain = msgspec.json.decode(msgspec.json.encode(problem))["remedies"]
    assert plain == [
        {"type": "SetOption", "option": "rate", "value": 1, "when": "", "stage": ""},
        {"type": "Advice", "prose": "z"},
    ]


def test_names_that_a_terminal_would_obey_are_escaped():
    odd = "a\x1b]0;b\u202e"
    problem = Problem(code="x", message=f"no {odd}", remedies=(SetOption(odd, 1), *advise(odd)), file=odd, line=1)
    for one in (problem, msgspec.structs.replace(problem, message=f"{odd}\nand more")):
        assert str(one).replace("\n", "").isprintable()
        assert one.hint.isprintable()
    assert problem.message == r"no a\x1b]0;b\u202e"
