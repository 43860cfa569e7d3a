"""``dc-remove``: removal of a constant offset."""

from __future__ import annotations

from tonearm.api import Context, NoOptions, Transform, Waveform


class DcRemove(Transform[Waveform, Waveform, NoOptions]):
    """Subtract the mean of each channel; for an offset that drifts, use filter with high_pass_hz: 20."""

    keeps_double = True
    instead = "use filter with high_pass_hz: 20"

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform without its means, and record the largest of them."""
        import numpy as np

        from tonearm_plugins.dsp.blocks import block_slices
        from tonearm_plugins.dsp.levels import channel_means

        means = channel_means(signal.samples)
        samples = np.empty_like(signal.samples, order="C")
        for part in block_slices(signal.length):
            np.subtract(signal.samples[:, part], means[:, None], out=samples[:, part], casting="same_kind")
        context.measure(dc_removed=round(float(means[np.argmax(np.abs(means))]), 6))
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
