"""The native engine. Importing it is cheap; its methods import the kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tonearm_plugins.dsp.engines.native import compiler

if TYPE_CHECKING:
    from threading import Event

    from tonearm_plugins.dsp.framing import Ends, FrameGrid
    from tonearm_plugins.dsp.phase_recovery.recovery import Convergence, Progress
    from tonearm_plugins.dsp.phase_recovery.settings import RecoverySettings
    from tonearm_plugins.dsp.typing import Array, ComplexArray, FloatArray


class NativeEngine:
    """STFT, inverse STFT and phase recovery by compiled kernels."""

    name = "native"

    def refusal(self, grid: FrameGrid | None = None, *, double: bool = False) -> str:
        """Return why it cannot do this work, or an empty text if it can."""
        if double:
            return "it works in single precision"
        if grid is None:
            return compiler.refusal()
        from tonearm_plugins.dsp.engines.native.block_layout import size_refusal

        return size_refusal(grid.n_fft, grid.hop_length)

    def frames_at_once(self, grid: FrameGrid) -> int:
        """Return the number of lanes: the order of a sum over frames depends on which of them share a block."""
        return compiler.this_machine().lanes

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
        """Analyse one channel, (samples,), into ``out`` (bins, frames)."""
        from tonearm_plugins.dsp.engines.native.stft_kernel import stft

        stft(signal, grid, out=out, ends=ends, threads=threads, on_progress=on_progress)

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
        """Invert the spectrum of one channel, (bins, frames), into ``out`` (length,)."""
        from tonearm_plugins.dsp.engines.native.istft_kernel import istft

        istft(
            spectrum,
            grid,
            out=out,
            threads=threads,
            require_finite=require_finite,
            on_peak=on_peak,
            on_progress=on_progress,
        )

    def recover(
        self,
        given: Array,
        settings: RecoverySettings,
        *,
        out: FloatArray,
        threads: int = 1,
        progress: Progress | None = None,
    ) -> list[Convergence]:
        """Recover all channels at the same time, or each in several threads if there are more of them than channels."""
        from tonearm_plugins.dsp.engines.native.recovery import NativeRecovery
        from tonearm_plugins.dsp.phase_recovery.recovery import recover_channel

        each = max(1, threads // max(1, len(given)))

        def recover(channel: int, over: Event | None = None) -> Convergence:
            if progress:
                progress.over = over
            recovery = NativeRecovery(given[channel], settings.grid, basis=settings.basis, threads=each, limit=threads)
            return recover_channel(
                recovery, settings, seed=settings.seed + channel, out=out[channel], progress=progress
            )

        if threads > 1 and len(given) > 1:
            from tonearm_plugins.dsp.threads import share_each

            return share_each(recover, len(given), threads)
        return [recover(channel) for channel in range(len(given))]


NATIVE = NativeEngine()
