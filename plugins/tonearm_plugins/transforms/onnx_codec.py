"""``onnx-codec``: the decoder of a neural codec, or of latents, in an ONNX file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from tonearm.api import CodecTokens, Context, Latents, Meta
from tonearm_plugins.networks.onnx_transform import OnnxTransform
from tonearm_plugins.networks.options import NetworkOptions

if TYPE_CHECKING:
    from tonearm_plugins.networks.plan import NetworkPlan


@dataclass(frozen=True, kw_only=True)
class OnnxCodecOptions(NetworkOptions):
    """Options of ``onnx-codec``."""

    segment_stride: Annotated[
        int | None,
        Meta(
            ge=1,
            description="Samples from one segment to the next, for tokens in segments. By default 99 % of a segment"
            " where segments have scales, as in EnCodec at 48 kHz, and else a segment.",
            examples=[47520],
        ),
    ] = None


class OnnxCodec(OnnxTransform[CodecTokens | Latents, OnnxCodecOptions]):
    """Turn codec tokens or latents into sound with the codec's decoder in an ONNX file."""

    instead = "decode the tokens as a whole"

    def _sound(self, signal: Any, plan: NetworkPlan, context: Context) -> Any:
        """Return the samples, those of segments that the codec decodes alone being joined."""
        segments = getattr(signal, "segments", None) or ()
        scales = getattr(signal, "scales", None)
        if len(segments) < 2 and not scales:
            return super()._sound(signal, plan, context)
        from tonearm_plugins.networks.segments import joined, stride_of

        values, begin, sounds = signal.block_array(), 0, []
        channels, frames = values.shape[0], values.shape[-1]
        takes_scale = any(one.role == "scale" for one in plan.inputs)
        for number, size in enumerate(segments or (frames,)):
            scale = scales[number] if scales else None
            started = self._started(
                plan,
                context,
                books=signal.codebooks,
                length=None,
                channels=channels,
                frames=size,
                scale=scale if takes_scale else None,
                progress=partial(_report, context, channels * begin, channels * frames),
            )
            sound = started.push_last(values[..., begin : begin + size])
            sounds.append(sound if scale is None or takes_scale else sound * scale)
            begin += size
        stride = stride_of(sounds[0].shape[-1], has_scales=bool(scales), given=self.options.segment_stride)
        return joined(sounds, stride)[:, : signal.length]


def _report(context: Context, before: int, total: int, done: int) -> None:
    """Report that some frames of a segment are done, after those of the segments before it."""
    context.progress(before + done, total)
