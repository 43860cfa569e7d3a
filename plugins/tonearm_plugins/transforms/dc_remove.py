"""``dc-remove``: no constant offset."""

from __future__ import annotations

from tonearm.api import Context, NoOptions, Transform, Waveform


class DcRemove(Transform[Waveform, Waveform, NoOptions]):
    """Take each channel's mean away; an offset that drifts wants filter with high_pass_hz: 20."""

    def apply(self, signal: Waveform, context: Context) -> Waveform:
        """Return the waveform without its mean, and measure the greatest there was."""
        import numpy as np

        from tonearm_plugins.dsp.levels import means_of, stretches

        means = means_of(signal.samples)
        samples = np.empty_like(signal.samples, order="C")
        for part in stretches(signal.length):
            np.subtract(signal.samples[:, part], means[:, None], out=samples[:, part], casting="same_kind")
        context.measure(dc_removed=round(float(means[np.argmax(np.abs(means))]), 6))
        return Waveform(samples=samples, sample_rate=signal.sample_rate)
