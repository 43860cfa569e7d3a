"""The recipes of ACME's models; the second is not right."""

from tonearm.api import Dialects, hookimpl


@hookimpl
def tonearm_dialects() -> Dialects:
    return {
        "acme-tts": {
            "base": "hifigan",
            "sample_rate": 24000,
            "steps": [{"op": "affine", "scale": 0.5, "offset": 2.75}],
        },
        "acme-old": {"base": "hifigan", "hop": 300},
    }
