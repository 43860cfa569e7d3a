"""Save what a text-to-speech model in torch says: each sentence to a file, then a padded batch in one call."""

from collections.abc import Iterator

import torch

import tonearm


class Voice(torch.nn.Module):
    """A stand-in for a model: it hums a note for each word, in chunks of 100 ms, at 24,000 Hz."""

    sample_rate = 24000

    def __init__(self) -> None:
        super().__init__()
        self.level = torch.nn.Parameter(torch.tensor(0.3))

    def stream(self, text: str) -> Iterator[torch.Tensor]:
        """Yield chunks of shape (1, T)."""
        for number, _ in enumerate(text.split()):
            time = torch.arange(2400) / self.sample_rate
            note = torch.sin(2 * torch.pi * 220 * (number + 1) * time)
            yield self.level * note.to(self.level.dtype)[None]

    def forward(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a padded batch of shape (sentences, 1, T), and the number of samples of each sentence."""
        sounds = [torch.cat(list(self.stream(text)), dim=-1)[0] for text in texts]
        lengths = torch.tensor([len(sound) for sound in sounds])
        return torch.nn.utils.rnn.pad_sequence(sounds, batch_first=True)[:, None], lengths


sentences = ["We were away a year ago.", "The quick brown fox.", "Good night!"]
model = Voice().to(torch.bfloat16)

for number, sentence in enumerate(sentences):
    audio = torch.cat(list(model.stream(sentence)), dim=-1)  # bfloat16, and it still has its gradient
    tonearm.save(audio, f"sentences/{number:03}.wav", sample_rate=model.sample_rate)

batch, lengths = model(sentences)
saved = tonearm.save(
    batch, "batch/{index:03}.mp3", axes=["batch", "channel", "time"], lengths=lengths, sample_rate=model.sample_rate
)
print(*saved.paths, sep="\n")
