"""Save what a text-to-speech pipeline of transformers returns: a mapping with ``audio`` and ``sampling_rate``."""

from typing import Any

import numpy as np

import tonearm


class TextToSpeechPipeline:
    """A stand-in for ``transformers.pipeline("text-to-speech")``: it hums 330 Hz, 60 ms for each letter."""

    def __call__(self, texts: str | list[str]) -> Any:
        """Return a mapping for a text, and a list of mappings for a list."""
        return self._say(texts) if isinstance(texts, str) else [self._say(text) for text in texts]

    def _say(self, text: str) -> dict[str, Any]:
        time = np.arange(1440 * len(text)) / 24000
        return {"audio": 0.3 * np.sin(2 * np.pi * 330 * time, dtype=np.float32)[None], "sampling_rate": 24000}


speak = TextToSpeechPipeline()

speech = speak("We were away a year ago.")  # {"audio": float32 of shape (1, T), "sampling_rate": 24000}
tonearm.save(speech, "speech.mp3")

for name, speech in zip(("one", "two"), speak(["The first one.", "And the second."]), strict=True):
    tonearm.save(speech, f"{name}.opus", tags={"title": name})

data = tonearm.encode(speech["audio"], "wav", sample_rate=speech["sampling_rate"])  # bytes, for a web answer
print(len(data), "bytes")
