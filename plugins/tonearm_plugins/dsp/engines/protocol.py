"""The protocol of engines: what each of them can compute, and why it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from tonearm_plugins.dsp.framing import Ends, FrameGrid
from tonearm_plugins.dsp.phase_recovery.recovery import Convergence, Progress
from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings
from tonearm_plugins.dsp.typing import Array, ComplexArray, FloatArray


class Engine(Protocol):
    """One way to compute transforms. An engine has no state, and importing it is cheap: its methods import the rest."""

    @property
    def name(self) -> str:
        """Name of the engine, as an ``engine`` option takes it."""

    def refusal(self, grid: FrameGrid | None = None, *, double: bool = False) -> str:
        """Return why the engine cannot do this work, or an empty text if it can.

        Parameters
        ----------
        grid
            Frames to work on; None asks whether the engine runs on this machine at all.
        double
            Whether the work is in float64.
        """

    def frames_at_once(self, grid: FrameGrid) -> int:
        """Return the number of frames that are inverted together.

        Sums over frames have the same bits in any part of a spectrum that begins at a multiple of it.
        """

    def stft(
        self,
        signal: FloatArray,
        grid: FrameGrid,
        *,
        out: ComplexArray,
        ends: Ends | None = None,
        threads: int = 1,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Analyse one channel, (samples,), into ``out`` (bins, frames).

        The channel begins on the padded time axis after the first of its ``ends``, and zeros follow the last; without
        them, it is all of that axis. ``on_progress`` is called with the number of frames that are done, after each
        stretch of a long signal.
        """

    def istft(
        self,
        spectrum: Array,
        grid: FrameGrid,
        *,
        out: FloatArray,
        threads: int = 1,
        require_finite: bool = False,
        on_peak: Callable[[float], None] | None = None,
        on_progress: Callable[[int], None] | None = None,
    ) -> None:
        """Invert the spectrum of one channel, (bins, frames), into ``out`` (length,).

        If ``require_finite`` is true and a value is NaN or infinite, it raises
        `tonearm_plugins.dsp.errors.NotFiniteError`, perhaps at the end. ``on_peak`` is called with the largest absolute
        sample. ``on_progress`` is called with
        the number of frames that are done, after each stretch of a long spectrum.
        """

    def recover(
        self,
        given: Array,
        settings: RecoverySettings,
        *,
        out: FloatArray,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> list[Convergence]:
        """Recover all channels from magnitudes or a mel spectrogram into ``out``, and return what each one reached.

        Parameters
        ----------
        given
            Magnitudes (channels, bins, frames), or, if the settings have a mel basis, (channels, mels, frames).
        settings
            How to recover them. Channel ``n`` has the seed ``settings.seed + n``.
        out
            (channels, length), float32, or float64 for work in double precision.
        threads
            Largest number of threads.
        progress
            Progress of all channels; None if nobody asks.
        """
