"""Waveforms in a notebook: a player, and a picture of the envelope of each channel."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tonearm.notebook.html import MAX_EMBEDDED, audio_html, data_uri, figure_html
from tonearm.notebook.plot import WIDTH, Axis, Panel, linear_axis, plot_svg

if TYPE_CHECKING:
    from tonearm.typing import Array

MAX_DRAWN = 8
"""Largest number of channels that are drawn."""

_BLOCK = 1 << 20
"""Approximate number of samples of a channel that are examined at once."""

_SECONDS = 10
"""Largest number of marks on the axis of time."""

_WAVE = "#4c8fd6"
_WRONG = "#e0443e"


def waveform_figure(samples: Array, sample_rate: int, title: str, verdict: Iterable[str]) -> str:
    """Return HTML that plays samples as 16-bit WAV, and draws them; nothing is normalised.

    Values beyond full scale are clipped, and values that are not finite play as silence. Both are drawn in red. Of a
    sound of more than `MAX_EMBEDDED` bytes, only the beginning is played.

    Parameters
    ----------
    samples
        Samples of shape (channels, samples), full scale at ±1.0.
    sample_rate
        Sample rate in Hz.
    title
        First line of the caption.
    verdict
        Further lines of the caption: what is wrong with the sound.
    """
    channels, length = samples.shape
    played = min(length, max(1, MAX_EMBEDDED // (2 * channels)))
    caption = [title, *verdict]
    if played < length:
        seconds = f"{played / sample_rate:.4g} of {length / sample_rate:.6g} s"
        caption.append(f"The player has the first {seconds} only. Save the sound to hear all of it.")
    if channels > MAX_DRAWN:
        caption.append(f"The first {MAX_DRAWN} of {channels} channels are drawn.")
    player = audio_html(data_uri(wav_file(samples[:, :played], sample_rate), "audio/wav"), title)
    return figure_html([player, _picture(samples[:MAX_DRAWN], sample_rate, title)], caption)


def wav_file(samples: Array, sample_rate: int) -> bytes:
    """Return samples as a 16-bit WAV file, clipped at full scale. Values that are not finite become 0."""
    import numpy as np

    sound = np.where(np.isfinite(samples), samples, 0).astype(np.float64)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(sound.shape[0])
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes(np.minimum(np.rint(np.clip(sound.T, -1, 1) * 32768), 32767).astype("<i2").tobytes())
    return buffer.getvalue()


def _picture(samples: Array, sample_rate: int, title: str) -> str:
    """Return the envelopes of channels above one another, from the largest amplitude down to its negative."""
    low, high, wrong = envelope(samples, WIDTH)
    top = max(1.0, float(-low.min()), float(high.max()))
    height = 120 if len(samples) == 1 else 80
    marks = ((0.5 - 0.5 / top, "-1"), (0.5, "0"), (0.5 + 0.5 / top, "1"))
    axis = Axis("", marks if top < 4 else ((0.0, f"{-top:.3g}"), (0.5, "0"), (1.0, f"{top:.3g}")))
    panels = [
        Panel(_envelope_svg(*one, top, height), height, axis, f"channel {n}" if len(samples) > 1 else "")
        for n, one in enumerate(zip(low, high, wrong, strict=True), 1)
    ]
    below = linear_axis("seconds", 0, samples.shape[1] / sample_rate, _SECONDS)
    return plot_svg(panels, below, f"Amplitude over time: {title}")


def envelope(samples: Array, columns: int) -> tuple[Array, Array, Array]:
    """Return the lowest and the highest sample of each column of a picture, and whether any is clipped or not finite.

    Values that are not finite count as 0.

    Parameters
    ----------
    samples
        Samples of shape (channels, samples).
    columns
        Number of columns; a sound of fewer samples has one for each.

    Returns
    -------
    tuple of ndarray
        Three arrays of shape (channels, columns): float64, float64 and bool.
    """
    import numpy as np

    columns = min(columns, samples.shape[1])
    shape = (len(samples), columns)
    low, high, wrong = np.empty(shape), np.empty(shape), np.empty(shape, bool)
    for first, last, edges in column_blocks(samples.shape[1], columns, _BLOCK):
        part = samples[:, edges[0] : edges[-1]]
        finite = np.isfinite(part)
        sound = part if finite.all() else np.where(finite, part, 0)
        starts = edges[:-1] - edges[0]
        low[:, first:last] = np.minimum.reduceat(sound, starts, axis=1)
        high[:, first:last] = np.maximum.reduceat(sound, starts, axis=1)
        wrong[:, first:last] = np.logical_or.reduceat(~finite | (np.abs(sound) > 1), starts, axis=1)
    return low, high, wrong


def column_blocks(length: int, columns: int, block: int) -> Iterator[tuple[int, int, Array]]:
    """Yield ranges of the columns of a picture, with the edges of these columns, in blocks of limited size.

    Parameters
    ----------
    length
        Number of positions that all columns cover.
    columns
        Number of columns, at most ``length``.
    block
        Largest number of positions of a block that has more than one column.
    """
    import numpy as np

    edges = np.arange(columns + 1, dtype=np.int64) * length // columns
    step = max(1, block * columns // length)
    for first in range(0, columns, step):
        last = min(columns, first + step)
        yield first, last, edges[first : last + 1]


def _envelope_svg(low: Array, high: Array, wrong: Array, top: float, height: int) -> str:
    """Return an envelope as a filled outline, with red columns where samples are clipped or not finite."""
    width = WIDTH / len(low)

    def y(value: float) -> str:
        return f"{(0.5 - value / (2 * top)) * height:.4g}"

    above = [f"{(n + 0.5) * width:.5g},{y(value)}" for n, value in enumerate(high.tolist())]
    below = [f"{(n + 0.5) * width:.5g},{y(value)}" for n, value in enumerate(low.tolist())]
    outline = f'<path d="M{"L".join(above + below[::-1])}Z" fill="{_WAVE}" stroke="{_WAVE}" stroke-linejoin="round"/>'
    at = [f"M{(n + 0.5) * width:.5g},0V{height}" for n, is_wrong in enumerate(wrong.tolist()) if is_wrong]
    if not at:
        return outline
    return f'{outline}<path d="{"".join(at)}" stroke="{_WRONG}" stroke-width="{max(1.0, width):.4g}" opacity="0.5"/>'
