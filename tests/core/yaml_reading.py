"""Reading YAML in tests: the values of a document, or its problems."""

import pytest

from tonearm.errors import PipelineError
from tonearm.pipeline.document import read_document, to_plain


def value(text, **environ):
    return to_plain(read_document(text, "p.yaml", environ=environ))


def problems(text, **environ):
    with pytest.raises(PipelineError) as caught:
        read_document(text, "p.yaml", environ=environ)
    assert {problem.file for problem in caught.value.problems} == {"p.yaml"}
    return caught.value.problems


def said(text, **environ):
    return [(p.line, p.column, p.code, p.message, p.hint) for p in problems(text, **environ)]
