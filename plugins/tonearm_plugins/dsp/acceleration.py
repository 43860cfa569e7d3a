"""How one iteration of phase recovery leads to the point that the next one analyses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Momentum:
    """The three weights of accelerated Griffin-Lim.

    With P the projection onto the given magnitudes and back to a signal, t the estimates, c the points that are
    analysed and d a third sequence, AGLA (Nenov, Nguyen, Balazs and Bot, "Faster than fast: accelerating the
    Griffin-Lim algorithm", 2023) iterates::

        t' = (1 - gamma) d + gamma P(c)
        c' = t' + alpha (t' - t)
        d' = t' + beta (t' - t)

    ``gamma = 1`` is fast Griffin-Lim (Perraudin, Balazs and Søndergaard, 2013), where d has no part, and ``alpha = 0``
    besides is the method of Griffin and Lim (1984).
    """

    alpha: float
    beta: float = 0.0
    gamma: float = 1.0

    @property
    def from_estimate(self) -> float:
        """What t weighs in t', once d is written as ``t + beta / alpha (c - t)``: so d needs no memory of its own."""
        return 0.0 if self.gamma == 1.0 else (1 - self.gamma) * (1 - self.beta / self.alpha)

    @property
    def from_point(self) -> float:
        """What c weighs in t', by the same."""
        return 0.0 if self.gamma == 1.0 else (1 - self.gamma) * self.beta / self.alpha
