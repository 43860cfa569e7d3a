"""The reader of YAML: it composes nodes with marks, and refuses documents that could be harmful or ambiguous.

Events come from PyYAML's parser in Python. It is part of every installation (the C parser is not), gives the same
messages everywhere, never recurses, and cannot corrupt memory. It is slow, so the reader asks for one event at a time
and stops as soon as a limit is exceeded; a typical pipeline takes a few milliseconds. The composer is our own, because
that of PyYAML keeps no marks of keys, expands aliases without limits, and recurses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NoReturn

from msgspec import Struct
from msgspec.structs import replace
from yaml.error import MarkedYAMLError
from yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from tonearm.errors import PipelineError, Problem, advise, one_line
from tonearm.pipeline.yaml.nodes import (
    INSPECT,
    MAX_BYTES,
    MAX_DEPTH,
    MAX_NODES,
    MappingEntry,
    MappingNode,
    Mark,
    Node,
    ScalarNode,
    SequenceNode,
    copied,
    node_size,
    node_type,
    null_node,
    value_type,
)
from tonearm.pipeline.yaml.scalars import NodeError, checked_text, quote, resolve
from tonearm.pipeline.yaml.variables import Variables

_MERGE = "<<"
_BREAKS_OF_YAML_1_1 = "\x85\u2028\u2029"  # the parser counts them as line breaks, editors do not
_ALLOWED_CONTROLS = dict.fromkeys(map(ord, "\t\n\r"))
_TAG_HINT = "write the value without it; quote it if it is meant as text"
_SYNTAX_HINTS = (
    ("mapping values are not allowed", "check the indentation, and quote text that has ': ' in it"),
    ("could not find expected ':'", "write 'key: value', and check the indentation"),
    ("expected <block end>", "check the indentation of this line"),
    ("expected alphabetic or numeric character", "quote text that starts with '*' or '&'"),
    ("cannot start any token", "quote text that starts with this character"),
    ("unexpected end of stream", "close the quote"),
)


class _Anchor(Struct, frozen=True):
    """The node that an alias refers to; ``node`` is None while it is still being read."""

    node: Node | None
    count: int = 0
    depth: int = 0


def read(text: bytes | str, file: str, environ: Mapping[str, str]) -> Node:
    """Return the root node of a YAML document.

    Raises
    ------
    PipelineError
        If the document has problems. It contains all problems up to the first syntax error or exceeded limit.
    """
    return _Composer(_decoded(text, file), file, environ).compose()


def _refuse(file: str, line: int | None, column: int | None, code: str, message: str, hint: str = "") -> NoReturn:
    raise PipelineError(
        [Problem(code=code, message=message, remedies=advise(hint), file=file, line=line, column=column)]
    )


def _decoded(data: bytes | str, file: str) -> str:
    """Return text without a byte order mark, or raise `PipelineError` if it is too large or not UTF-8."""
    if isinstance(data, bytes):
        _refuse_other_formats(data, file)
    size = len(data)
    if isinstance(data, str) and size <= MAX_BYTES:
        size = len(data.encode(errors="surrogatepass"))
    if size > MAX_BYTES:
        _refuse(file, None, None, "too-large", "this is more than 1 MiB of YAML", "split it into several pipelines")
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    hint = "save it as UTF-8"
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:2]:
        _refuse(file, 1, 1, "not-utf8", "this is not UTF-8, but looks like UTF-16 or UTF-32", hint)
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix("\ufeff")
        place = _mark_at(before, len(before))
        _refuse(file, place.line, place.column, "not-utf8", f"byte 0x{data[error.start]:02x} is not UTF-8", hint)


def _refuse_other_formats(data: bytes, file: str) -> None:
    """Raise `PipelineError` if the bytes are a file of another format, such as an array or a sound."""
    if data.isascii():
        return
    from tonearm.reading import file_types as types  # not at the top: most pipelines are ASCII

    found = types.identify(data[: types.HEAD])
    if found not in (types.UNKNOWN, types.ZEROS, types.TEXT, types.JSON, types.JSON_LINES, types.NUMBERS, types.BASE64):
        hint = f"tonearm inspect {one_line(file)} prints a pipeline that converts it"
        _refuse(file, 1, 1, "not-utf8", f"this is no pipeline; it looks like {found.name}", hint)


def _mark_at(text: str, index: int) -> Mark:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return Mark(before.count("\n") + 1, len(before) - before.rfind("\n"))


class _Stopped(Exception):  # noqa: N818 - an early exit, not an error: its problem is among the others
    """The reader cannot continue."""


class _EventParser(Reader, Scanner, Parser):
    """PyYAML's parser alone, without what its loaders add: only its events are taken."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)

    def check_printable(self, data: str) -> None:
        """Raise `ReaderError` if a text has characters that YAML does not allow."""
        if not (data.isascii() and data.translate(_ALLOWED_CONTROLS).isprintable()):
            super().check_printable(data)


class _Composer:
    """Composes nodes from the events of the parser, and continues after problems if possible."""

    def __init__(self, text: str, file: str, environ: Mapping[str, str]) -> None:
        self._text = text
        self._file = file
        self._variables = Variables(environ)
        self._anchors: dict[str, _Anchor] = {}
        self._problems: list[Problem] = []
        self._count = 0

    # Events and problems

    def compose(self) -> Node:
        """Return the root node, or raise all problems."""
        try:
            root = self._document()
        except _Stopped:
            root = None
        if self._problems or root is None:
            raise PipelineError(self._problems)
        return root

    def _document(self) -> Node:
        unusual = min((at for one in _BREAKS_OF_YAML_1_1 if (at := self._text.find(one)) >= 0), default=None)
        if unusual is not None:
            name = f"U+{ord(self._text[unusual]):04X}"
            hint = "leave it out, or write it as an escape in double quotes"
            self._stop(_mark_at(self._text, unusual), "yaml-syntax", f"character {name} is not allowed", hint)
        try:
            self._parser = _EventParser(self._text)
        except ReaderError as error:
            message = f"character U+{ord(self._text[error.position]):04X} is not allowed"
            self._stop(_mark_at(self._text, error.position), "yaml-syntax", message, "leave it out")
        try:
            return self._only_document()
        finally:
            self._parser.dispose()

    def _only_document(self) -> Node:
        self._next()  # the start of the stream
        first = self._next()
        if isinstance(first, StreamEndEvent):
            self._stop(Mark(1, 1), "empty", "there is nothing in this document", INSPECT)
        root = self._node(self._next(), 1)
        self._next()  # the end of the document
        after = self._next()
        if isinstance(after, DocumentStartEvent):
            hint = "write one pipeline per file"
            self._stop(_mark(after), "several-documents", "a second document starts here", hint)
        if isinstance(root, ScalarNode) and not root.quoted and not root.text and not self._problems:
            self._stop(Mark(1, 1), "empty", "there is nothing in this document", INSPECT)
        return root

    def _next(self) -> Event:
        try:
            event: Event = self._parser.get_event()  # type: ignore[no-untyped-call]
        except MarkedYAMLError as error:
            problem = _syntax_problem(error, self._text)
        except Exception:  # the parser lets others through: "\\UFFFFFFFF" ends in chr(), %YAML 1.111… in int()
            mark = self._parser.get_mark()
            hint = 'check escapes like "\\U0001F600", and directives'
            self._stop(Mark(mark.line + 1, mark.column + 1), "yaml-syntax", "a number here is out of range", hint)
        else:
            return event
        self._problems.append(replace(problem, file=self._file))
        raise _Stopped

    def _add(self, mark: Mark, code: str, message: str, hint: str = "") -> None:
        problem = Problem(
            code=code, message=message, remedies=advise(hint), file=self._file, line=mark.line, column=mark.column
        )
        self._problems.append(problem)

    def _stop(self, mark: Mark, code: str, message: str, hint: str = "") -> NoReturn:
        self._add(mark, code, message, hint)
        raise _Stopped

    # Nodes

    def _node(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event, depth)
        assert isinstance(event, ScalarEvent | CollectionStartEvent)
        before = self._count
        self._counted(1, depth - isinstance(event, ScalarEvent), event)
        self._refuse_tag(event)
        anchor = event.anchor
        if anchor is not None:
            self._anchors[anchor] = _Anchor(None)
        node = self._content(event, depth)
        if anchor is not None:
            self._anchors[anchor] = _Anchor(node, self._count - before, node_size(node)[1])
        return node

    def _content(self, event: Event, depth: int) -> Node:
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        if isinstance(event, SequenceStartEvent):
            items = []
            while not isinstance(item := self._next(), SequenceEndEvent):
                items.append(self._node(item, depth + 1))
            return SequenceNode(tuple(items), _mark(event))
        return self._map(event, depth)

    def _scalar(self, event: ScalarEvent) -> ScalarNode:
        mark, quoted = _mark(event), bool(event.style)
        value, problems = self._variables.value(event.value, quoted=quoted)
        for problem in problems:
            self._problems.append(problem.at(file=self._file, line=mark.line, column=mark.column))
            if problem.code == "too-large":
                raise _Stopped
        return ScalarNode(value, event.value, quoted, mark, self._variables.names)

    def _alias(self, event: AliasEvent, depth: int) -> Node:
        mark, name = _mark(event), quote(f"*{event.anchor}")
        anchor = self._anchors.get(event.anchor or "")
        if anchor is None:
            hint = "define it before with '&'; quote text that starts with '*'"
            self._add(mark, "unknown-alias", f"{name} is not defined", hint)
        elif anchor.node is None:
            self._add(mark, "recursive-alias", f"{name} contains itself", "write the inner value out")
        else:
            self._counted(anchor.count, depth - 1 + anchor.depth, event)
            return copied(anchor.node)
        self._counted(1, depth - 1, event)
        return null_node(mark)

    def _counted(self, nodes: int, depth: int, event: Event) -> None:
        """Count nodes down to a depth, and stop if a limit is exceeded."""
        self._count += nodes
        if depth > MAX_DEPTH:
            message = f"mappings and lists are nested deeper than {MAX_DEPTH}"
            self._stop(_mark(event), "too-deep", message, "close the brackets, or nest less")
        if self._count > MAX_NODES:
            message = f"there are more than {MAX_NODES:,} values here, aliases expanded"
            self._stop(_mark(event), "too-many-nodes", message, "split it into several pipelines")

    def _refuse_tag(self, event: ScalarEvent | CollectionStartEvent) -> None:
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!", 1)
            self._add(_mark(event), "tag-refused", f"tag {quote(tag)} is not taken", _TAG_HINT)

    # Mappings

    def _map(self, event: Event, depth: int) -> MappingNode:
        entries: dict[str, MappingEntry] = {}
        merged: list[MappingNode] = []
        seen: dict[str, Mark] = {}
        while not isinstance(key_event := self._next(), MappingEndEvent):
            mark, merges = _mark(key_event), _is_merge(key_event)
            key = self._key(key_event, depth + 1)
            taken = len(self._problems)
            node = self._node(self._next(), depth + 1)
            if key is None:
                continue
            if (first := seen.setdefault(key, mark)) is not mark:
                message = f"key {quote(key)} is given twice, first on line {first.line}"
                self._add(mark, "duplicate-key", message, "leave one of them out")
            elif merges:
                merged = self._merged(node, mark, told=len(self._problems) > taken)
            else:
                entries[key] = MappingEntry(mark, node)
        for source in merged:
            for key, entry in source.entries.items():
                entries.setdefault(key, entry)
        return MappingNode(entries, _mark(event))

    def _key(self, event: Event, depth: int) -> str | None:
        """Return a key as text; if it is not text, add a problem and return None."""
        if isinstance(event, ScalarEvent):
            return self._scalar_key(event, depth)
        taken = len(self._problems)
        node = self._node(event, depth)
        if len(self._problems) == taken:
            what = "an alias" if isinstance(event, AliasEvent) else node_type(node)
            self._add(_mark(event), "bad-key", f"a key must be text, not {what}", "write the key as plain text")
        return None

    def _scalar_key(self, event: ScalarEvent, depth: int) -> str | None:
        self._counted(1, depth - 1, event)
        self._refuse_tag(event)
        mark, text, quoted = _mark(event), event.value, bool(event.style)
        try:
            value = checked_text(text) if quoted else resolve(text)
        except NodeError as refused:
            if refused.problem.code == "bad-text":
                self._add(mark, "bad-text", refused.problem.message, refused.problem.hint)
                return None
            value = 0
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(ScalarNode(value, text, quoted, mark), 1)
        if isinstance(value, str):
            return value
        shape = f"key {quote(text)} is {value_type(value)}, not text" if text else "a key is missing here"
        self._add(mark, "bad-key", shape, "quote it" if text else "write a key before ':'")
        return None

    def _merged(self, node: Node, key_mark: Mark, *, told: bool) -> list[MappingNode]:
        """Return the mappings to merge; for any other node, add a problem unless there is one already."""
        sources = node.items if isinstance(node, SequenceNode) else (node,)
        maps = [source for source in sources if isinstance(source, MappingNode)]
        if len(maps) < len(sources) and not told:
            hint = "give it an alias of a mapping, or a list of them"
            self._add(node.mark or key_mark, "bad-merge", "'<<' takes mappings alone", hint)
        return maps


def _mark(event: Event) -> Mark:
    assert event.start_mark is not None
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _is_merge(event: Event) -> bool:
    return isinstance(event, ScalarEvent) and event.value == _MERGE and not event.style


def _syntax_problem(error: MarkedYAMLError, text: str) -> Problem:
    """Return the problem of a syntax error on one line, with a hint for common mistakes."""
    mark = error.problem_mark or error.context_mark
    line, column, index = (mark.line, mark.column, mark.index) if mark else (0, 0, 0)
    reason = one_line(error.problem or error.context or "this is not YAML", 120)
    reason = re.sub(r"but (got|found) '<stream end>'", "but the file ends", reason).replace("'<scalar>'", "text")
    code, message, hint = "yaml-syntax", reason, ""
    before = text[text.rfind("\n", 0, index) + 1 : index]
    if text[index : index + 1] == "\t" and "cannot start any token" in reason:
        code, message, hint = "tab-indentation", "there is a tab where YAML wants spaces", "use spaces"
        if not before.strip(" "):
            message, hint = "this line is indented with a tab", "indent with spaces"
    elif "undefined tag handle" in reason:
        code, message, hint = "tag-refused", "tags are not taken", _TAG_HINT
    elif before.endswith("$") and text[index : index + 1] == "{":
        hint = "inside [ ] and { } a ${variable} needs quotes, or the value a line of its own"
    elif re.search(r"\{[\w.:-]*\}$", before) and not text[index : index + 1].isspace():
        message, hint = "a name that starts with { needs quotes", 'write it in quotes, as in file: "{stem}.wav"'
    else:
        hint = next((hint for start, hint in _SYNTAX_HINTS if start in reason), "")
        if error.context and error.context_mark and error.context_mark.line != line:
            message = f"{reason}, {one_line(error.context, 60)} that starts on line {error.context_mark.line + 1}"
            if found := re.match(r"expected ',' or '([}\]])'", reason):
                bracket = "{" if found[1] == "}" else "["
                hint = f"close the {bracket} of line {error.context_mark.line + 1} with {found[1]}"
    return Problem(code=code, message=message, remedies=advise(hint), line=line + 1, column=column + 1)
