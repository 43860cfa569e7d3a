from dataclasses import dataclass
from typing import Annotated, Any

from tonearm import api


@dataclass(frozen=True, kw_only=True)
class ToyCodecOptions:
    model: Annotated[api.FilePath, api.Meta(description="File with the codebooks.", examples=["toy.npz"])]


class ToyCodec(api.Transform[api.CodecTokens, api.Waveform, ToyCodecOptions]):
    """Decode tokens by the toy codec."""

    requires = (api.Requirement(name="toycodec", hint="pip install tonearm-toycodec"),)
    codec: Any = None

    def apply(self, signal: api.CodecTokens, context: api.Context) -> api.Waveform:
        import numpy as np
        import toycodec

        if self.codec is None:  # once a worker: what a plugin has loaded is not pickled
            self.codec = toycodec.ToyCodec.from_file(self.options.model)
        samples = np.concatenate([self.codec.decode(codes) for codes in signal.codes])
        return api.Waveform(samples=samples[:, : signal.length], sample_rate=self.codec.sample_rate)

    def produces(self, spec: api.Spec) -> api.Spec:
        books = spec.carried.get(api.Codebooks)
        if isinstance(books, api.Codebooks) and books.sizes not in ((), (64,) * 4):
            raise api.OptionError("the toy codec has 4 books of 64 codes", option="model", hint="use layout: toy-lm")
        return spec.replace(signals=(api.Waveform,), sample_rate=16000, length=None).dropping(api.Codebooks)


@api.hookimpl
def tonearm_transforms() -> api.Transforms:
    return {"toy-codec": ToyCodec}


@api.hookimpl
def tonearm_layouts() -> api.Layouts:
    figures = {"codec": "the toy codec", "sample_rate": 16000, "samples_per_frame": 160, "codebooks": 4, "size": 64}
    return {"toy-lm": {**figures, "axes": ["book", "frame"], "delays": [0, 1, 2, 3]}}
