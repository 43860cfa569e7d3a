"""Momentum: how one iteration of phase recovery leads to the point that the next one analyses."""

from __future__ import annotations

from dataclasses import dataclass

REFERENCE = 0.99
"""Value of the ``momentum`` option at which the weights of `Momentum.of` were found."""


@dataclass(frozen=True)
class Momentum:
    """The three weights of accelerated Griffin-Lim.

    With P the projection onto the given magnitudes and back to a signal, t the estimates, c the points that are
    analysed and d a third sequence, AGLA (Nenov, Nguyen, Balazs and Bot, "Faster than fast: accelerating the
    Griffin-Lim algorithm", 2023) iterates::

        t' = (1 - gamma) d + gamma P(c)
        c' = t' + alpha (t' - t)
        d' = t' + beta (t' - t)

    ``gamma = 1`` is fast Griffin-Lim (Perraudin, Balazs and Søndergaard, 2013), which has no d. With ``alpha = 0`` as
    well it is the method of Griffin and Lim (1984).

    Parameters
    ----------
    alpha, beta, gamma
        Weights as in the paper.

    Examples
    --------
    >>> Momentum.of(0.0)
    Momentum(alpha=0.0, beta=0.0, gamma=1.0)
    >>> Momentum.of(0.99)
    Momentum(alpha=0.85, beta=0.6, gamma=1.35)
    """

    alpha: float
    beta: float = 0.0
    gamma: float = 1.0

    @classmethod
    def of(cls, momentum: float) -> Momentum:
        """Return the weights for one number: 0 is the method of 1984, 0.99 the fastest that suited all material.

        The weights at 0.99 were found on speech and music at five settings, starting from PLGI. There they gain 0.3 to
        1.6 dB over fast Griffin-Lim at 16 and 32 iterations, and they converge on noise, too. The scaled d stays
        bounded as long as ``(gamma - 1) (1 + 2 beta) < 1``; the whole wanders from about ``momentum = 1.05`` on.
        """
        scale = momentum / REFERENCE
        return cls(0.85 * scale, 0.6, 1 + 0.35 * scale) if scale else cls(0.0)

    @property
    def from_estimate(self) -> float:
        """The weight of t in t', once d is written as ``t + beta / alpha (c - t)``: so d needs no memory of its own."""
        return 0.0 if self.gamma == 1.0 else (1 - self.gamma) * (1 - self.beta / self.alpha)

    @property
    def from_point(self) -> float:
        """The weight of c in t', in the same form."""
        return 0.0 if self.gamma == 1.0 else (1 - self.gamma) * self.beta / self.alpha
