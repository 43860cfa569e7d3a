"""PyTorch's files: tensors by name. Files that hold more than tensors are refused, and none of their code is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from tonearm.api import (
    MAX_NESTING,
    USUAL_RATES,
    ItemError,
    Nearby,
    Requirement,
    check_array_count,
    check_claimed_size,
    check_memory,
    has_name_of_lengths,
    path_of,
    quoted,
    reading_errors,
    size_of,
    wrong_format_error,
)
from tonearm_plugins.formats.json_text import LEAST_NUMBERS, is_encoded

if TYPE_CHECKING:
    from tonearm_plugins.dsp.typing import Array

MAX_ARRAYS = 100_000
"""Number of arrays in one file."""

MAX_VALUES = 500_000
"""Number of values in one file: arrays, the dicts and lists around them, and other values in these."""

_BYTEARRAYS = (b"cbuiltins\nbytearray\n", b"c__builtin__\nbytearray\n")
_ENCODE = b"_codecs"
# Encodings that make more bytes of bytes, again and again.
_LENGTHENING = ("base64_codec", "hex_codec", "quopri_codec", "uu_codec")
_LONGEST_ENCODING = 40  # letters of a name
_PICKLES = 5  # at the start of a file in the old format
_PIECE = 1 << 20  # bytes
_SHORTEST_FILE = 44  # bytes of a file of sound
_LONGEST_TEXT = 64  # letters of a text that may say something about an array

TORCH = Requirement(name="torch", at_least="2.10", hint="pip install 'tonearm[torch]'")
"""Requirement of a PyTorch in which ``weights_only`` cannot be made to run code, as it could before 2.10."""


class Contents(NamedTuple):
    """Contents of a file.

    Parameters
    ----------
    tensors
        Tensors by name. The name of a tensor in dicts and lists is made of the keys that lead to it, as in
        ``state.mel`` or ``0.wav``; that of a single tensor is ``""``. Bytes are a tensor of uint8, and a text that may
        be base64 of a file stays text.
    numbers
        Numbers and short texts beside them, by names of the same form.
    """

    tensors: dict[str, Any]
    numbers: dict[str, float | str]

    def beside(self, key: str) -> Mapping[str, float | str]:
        """Return the numbers in the dict that holds a tensor, and in those around it, the nearest first."""
        return Nearby(self.numbers)(key)


def load(file: BinaryIO, name: str) -> dict[str, Any]:
    """Return the tensors of a file by name, as `read_contents` does."""
    return read_contents(file, name).tensors


def read_contents(file: BinaryIO, name: str) -> Contents:
    """Return the tensors of a file, and the numbers beside them.

    Parameters
    ----------
    file
        Open file, binary, at any position.
    name
        Name of the file, for messages.

    Returns
    -------
    Contents
        Tensors and numbers by name.

    Raises
    ------
    ItemError
        ``missing-requirement``, ``wrong-format``, ``broken-file``, ``too-large``, or ``torch-refused`` for a file that
        holds more than plain tensors.
    """
    if not TORCH.is_met():
        raise ItemError(f"{quoted(name)} needs {TORCH.what}", code="missing-requirement", hint=TORCH.hint)
    size = size_of(file)
    head = file.read(2)
    file.seek(0)
    if head not in (b"PK", b"\x80\x02"):
        raise wrong_format_error(file, name, "a PyTorch file")
    import pickle

    import torch

    with reading_errors(name, "a PyTorch file"):
        # Only the zip format can be mapped, and only by a path.
        path = path_of(file) if is_mapped(file) else None
        if path is None:
            check_memory(name, "", size)
        if head == b"PK":
            _check_directory(file, name)
        else:
            _check_pickle(file, name, _PICKLES)
        try:
            content = torch.load(path or file, map_location="cpu", weights_only=True, mmap=path is not None)
        except pickle.UnpicklingError as error:
            raise _refused(name, _refused_object(error)) from None
        contents = _contents_of(content, name)
    check_array_count(name, len(contents.tensors), MAX_ARRAYS)
    for key, tensor in contents.tensors.items():
        if not isinstance(tensor, str) and tensor.device.type == "cpu":
            check_claimed_size(name, key, tensor.numel() * tensor.element_size(), size)
    return contents


def _contents_of(content: Any, name: str) -> Contents:
    """Return the tensors, numbers and texts in nested dicts and lists; long lists and texts if there is no tensor.

    Lists of few whole numbers are arrays where nothing else is there, as in a dict of the tokens of utterances.
    """
    import torch

    found: dict[str, Any] = {}
    others: dict[str, Any] = {}
    few: dict[str, Sequence[int]] = {}
    numbers: dict[str, float | str] = {}
    for count, (key, value) in enumerate(_tensors(content, "", 0)):
        check_array_count(name, count, MAX_VALUES)
        if isinstance(value, bytes):
            found[key] = torch.frombuffer(bytearray(value), dtype=torch.uint8)
        elif isinstance(value, (int, float)) or (isinstance(value, str) and len(value) <= _LONGEST_TEXT):
            numbers[key] = value
        elif isinstance(value, str):
            others[key] = value
        elif isinstance(value, (list, tuple)) and _are_few(value, key):
            few[key] = value
            others[key] = torch.tensor(value)
        elif isinstance(value, (list, tuple)):
            (found if has_name_of_lengths(key.rpartition(".")[2]) else others)[key] = torch.tensor(value)
        elif value is not None:
            found[key] = value
            if getattr(value, "ndim", 1) == 0 and not value.is_complex() and value.device.type == "cpu":
                numbers[key] = value.item()
    is_alone = all(one.ndim == 0 or has_name_of_lengths(key.rpartition(".")[2]) for key, one in found.items())
    if found or numbers or any(isinstance(one, str) or one.dtype != torch.int64 for one in others.values()):
        others = {key: one for key, one in others.items() if key not in few}
        numbers |= {f"{key}.{place}": one for key, values in few.items() for place, one in enumerate(values)}
    return Contents({**found, **others} if is_alone else found, numbers)


def is_mapped(file: BinaryIO) -> bool:
    """Return whether the tensors of a file are mapped instead of read; go to the start of the file."""
    file.seek(0)
    head = file.read(2)
    file.seek(0)
    return head == b"PK" and path_of(file) is not None


def to_array(tensor: Any, key: str, *, mapped: bool = False) -> Array:
    """Return a tensor as an array.

    Parameters
    ----------
    tensor
        Tensor of any type, or text, which is returned as it is.
    key
        Name of the tensor, for messages.
    mapped
        Whether the values are those of a mapped file.

    Returns
    -------
    ndarray
        Array of the tensor's type; float32 for bfloat16 and float8, complex64 for complex32.

    Raises
    ------
    ItemError
        ``not-numbers`` if the tensor is sparse, quantised, or has no values.
    """
    if isinstance(tensor, str):
        return tensor  # type: ignore[return-value]
    import torch

    if tensor.is_quantized or tensor.layout != torch.strided or tensor.device.type != "cpu":
        kind = "quantised" if tensor.is_quantized else f"{tensor.layout} on {tensor.device}"
        raise ItemError(
            f"the tensor{f' {quoted(key)}' if key else ''} is {kind}, not plain values",
            code="not-numbers",
            hint="save tensor.float().cpu()",
        )
    given = tensor = tensor.detach().resolve_conj().resolve_neg()
    if tensor.dtype == torch.bfloat16 or "float8" in str(tensor.dtype):
        tensor = tensor.float()
    elif tensor.dtype == torch.complex32:
        with reading_errors(key, "a tensor"):  # PyTorch warns that the type is experimental
            tensor = tensor.to(torch.complex64)
    array: Array = tensor.numpy()
    if mapped and tensor is given:
        import numpy as np

        return array.view(np.memmap)  # which takes no memory
    return array


def _tensors(content: Any, name: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the tensors in nested dicts and lists with their names, numbers, long bytes, and None for anything else.

    A list that holds another several times, which does the same, has more elements than can be counted.
    """
    import torch

    if isinstance(content, torch.Tensor) or (isinstance(content, (list, tuple)) and _are_numbers(content, name)):
        yield name, content
    elif isinstance(content, (dict, list, tuple)) and depth < MAX_NESTING:
        entries = content.items() if isinstance(content, dict) else _named(content)
        yield name, None
        for key, value in entries:
            yield from _tensors(value, f"{name}.{key}" if name else str(key), depth + 1)
    elif isinstance(content, bytes):
        yield name, content if len(content) >= _SHORTEST_FILE else None
    elif isinstance(content, (int, float, str)) and not isinstance(content, bool):
        is_kept = not isinstance(content, str) or len(content) <= _LONGEST_TEXT or is_encoded(content)
        yield name, content if is_kept else None
    else:
        yield name, None


def _are_numbers(content: Sequence[Any], name: str) -> bool:
    """Return whether a list holds numbers alone: so many that they are an array, whole ones, or lengths of a batch."""
    if content and all(type(one) is int for one in content):
        return True
    least = 2 if has_name_of_lengths(name.rpartition(".")[2]) else LEAST_NUMBERS
    return len(content) >= least and all(type(one) in (int, float) for one in content)


def _are_few(content: Sequence[Any], name: str) -> bool:
    """Return whether whole numbers are so few that they may be anything, such as a shape."""
    least = 2 if has_name_of_lengths(name.rpartition(".")[2]) else LEAST_NUMBERS
    return len(content) < least


def _named(content: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the elements of a list with their positions; the rate of a sound, as ``torchaudio.load`` gives it, by name.

    A sound and its rate are a tuple; data sets add labels behind them.
    """
    sound, rate = content[:2] if len(content) > 1 else (None, None)
    if len(content) == 2 and type(sound) is int:
        sound, rate = rate, sound
    is_sound = getattr(sound, "ndim", 0) > 0 and getattr(rate, "ndim", 0) == 0
    number: Any = rate
    if is_sound and rate is not None and hasattr(rate, "item"):
        number = rate.item()
    is_rate = is_sound and isinstance(number, (int, float)) and number in USUAL_RATES
    for position, one in enumerate(content):
        yield "sample_rate" if is_rate and one is rate else position, one


def _check_directory(file: BinaryIO, name: str) -> None:
    """Refuse a file with compressed members: PyTorch never writes them, but would inflate them without a bound."""
    import zipfile

    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
                raise ItemError(
                    f"{quoted(name)} has a compressed member {quoted(member.filename)}, which PyTorch never writes",
                    code="broken-file",
                    hint="save it again with torch.save",
                )
            if member.filename.lower().endswith(".pkl"):  # PyTorch finds a member in letters of either case
                with archive.open(member) as pickled:
                    _check_pickle(pickled, name)
    file.seek(0)


def _check_pickle(file: Any, name: str, count: int = 1) -> None:
    """Refuse pickles that make more bytes than they have, in ways that PyTorch allows: a bytearray, or encodings."""
    before = b""
    encodes = False
    while read := file.read(_PIECE):
        piece = before + read
        if any(call in piece for call in _BYTEARRAYS):
            raise _refused(name, "'bytearray'")
        encodes = encodes or _ENCODE in piece
        before = piece[-32:]
    file.seek(0)
    for _ in range(count if encodes else 0):
        _check_encodings(file, name)
    file.seek(0)


def _check_encodings(file: Any, name: str) -> None:
    """Refuse a pickle that names an encoding of bytes; text is encoded once, at most to ten times its length."""
    import encodings.aliases
    import pickletools

    aliases = encodings.aliases.aliases
    try:
        for _, word, _ in pickletools.genops(file):
            encoding = encodings.normalize_encoding(word[:_LONGEST_ENCODING]).lower() if isinstance(word, str) else ""
            if aliases.get(encoding, encoding) in _LENGTHENING:
                raise _refused(name, quoted(encoding))
    except ValueError as error:
        raise _refused(name, quoted(str(error), 80)) from None


def _refused(name: str, what: str) -> ItemError:
    """Return the error for a file that holds an object that is no tensor."""
    return ItemError(
        f"{quoted(name)} holds more than tensors, and is not opened: {what}",
        code="torch-refused",
        hint="save numbers as Python's, such as int(rate), and arrays as tensors: torch.from_numpy(array)"
        if "numpy" in what
        else "save tensors alone: torch.save(tensor, path), or a dict of tensors",
    )


def _refused_object(error: Exception) -> str:
    """Return the name of the object that PyTorch refused, out of its message of several lines."""
    import re

    text = str(error)
    for pattern in (r"GLOBAL (\S+)", r"(Unsupported operand \d+)"):
        if found := re.search(pattern, text):
            return quoted(found[1].rstrip("."), 80)
    return quoted(text.partition("\n")[0], 80)
