"""Templates of output names, checked: whether they distinguish the items of a source, and the sources."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Sequence

from tonearm.errors import OptionError, one_line
from tonearm.pipeline.problems import Problems
from tonearm.pipeline.structure import Stage
from tonearm.pipeline.templates import Template, parse_template
from tonearm.pipeline.yaml.nodes import ScalarNode
from tonearm.writing.templates import PER_ITEM


def read_templates(
    outputs: Iterable[tuple[Stage, bool]],
    problems: Problems,
    env: frozenset[str],
    files: Sequence[str] = (),
    joiner: str = "",
) -> Iterator[Template]:
    """Yield the valid templates, and add problems for the others, but not for those with variables that are refused.

    Parameters
    ----------
    outputs
        Outputs, each with whether a source becomes several items of it, so that its template must distinguish them.
    problems
        Collection of problems to add to.
    env
        Names of the environment variables that may stand in a template.
    files
        Patterns of sources, relative to the pipeline's file.
    joiner
        Name of the step that joins the items of a source; empty if there is none.
    """
    taken: dict[str, ScalarNode] = {}
    for output, several in outputs:
        if output.file is None or not env.issuperset(output.file.variables):
            continue
        text = str(output.file.value)
        try:
            template = parse_template(text)
        except OptionError as error:
            problems.add_error(output.file.mark, error)
        else:
            if several and not template.fields & PER_ITEM:
                message = f"a source becomes several items here, but {one_line(repr(text))} does not distinguish them"
                problems.add(output.file.mark, "same-output", message, 'as in "{stem}-{index:03}.wav"')
            elif joiner and not template.fields and _match_several(files, problems.folder):
                message, hint = joined_sources(joiner, "files matches several", text)
                problems.add(output.file.mark, "same-output", message, hint)
            yield template
        if text in taken:
            first = taken[text].mark
            where = f" on line {first.line}" if first and first.line else ""
            problems.add(
                output.file.mark,
                "same-output",
                f"another output{where} has the name {one_line(repr(text))}",
                "give each output its own name",
            )
        taken[text] = output.file


def joined_sources(joiner: str, several: str, name: str) -> tuple[str, str]:
    """Return the message about several sources that a step cannot join into one output, and its hint.

    Parameters
    ----------
    joiner
        Name of the step, which joins the items of each source.
    several
        Words that say where several sources come from.
    name
        Name of the output, the same for all sources.
    """
    message = f"{joiner} joins what lies in one source, but {several}, which all become {one_line(repr(name))}"
    hint = f'name each output after its source, as in "{{stem}}{os.path.splitext(name)[1]}"'  # noqa: PTH122
    return message, f"{hint}; to join several sources, put them into one, such as an .npz file"


def _match_several(patterns: Sequence[str], folder: str) -> bool:
    """Return whether patterns match more than one file. The search ends at the second one."""
    import glob

    matches = (glob.iglob(pattern, root_dir=folder or None, recursive=True) for pattern in patterns)  # noqa: PTH207
    return len({*itertools.islice(itertools.chain.from_iterable(matches), 2)}) > 1
