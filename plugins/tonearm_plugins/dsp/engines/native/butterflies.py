"""Complex numbers in registers, and the discrete Fourier transforms of a few of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tonearm_plugins.dsp.engines.native.llvm_writer import Vec


@dataclass(slots=True, eq=False)
class Complex:
    """A register of real parts and one of imaginary parts."""

    re: Vec
    im: Vec

    def __add__(self, other: Complex) -> Complex:
        return Complex(self.re + other.re, self.im + other.im)

    def __sub__(self, other: Complex) -> Complex:
        return Complex(self.re - other.re, self.im - other.im)

    def plus_i(self, other: Complex) -> Complex:
        """Return ``self + i other``."""
        return Complex(self.re - other.im, self.im + other.re)

    def minus_i(self, other: Complex) -> Complex:
        """Return ``self - i other``."""
        return Complex(self.re + other.im, self.im - other.re)

    def scaled(self, factor: Vec | float) -> Complex:
        """Return the number times a real factor."""
        return Complex(self.re * factor, self.im * factor)

    def turned(self, cos: Vec, sin: Vec) -> Complex:
        """Return ``self (cos + i sin)``."""
        return Complex(self.re * cos - self.im * sin, self.re * sin + self.im * cos)

    def plus_turned(self, other: Complex, cos: Vec, sin: Vec) -> Complex:
        """Return ``self + other (cos + i sin)``: four multiply-adds."""
        return Complex(
            self.re + other.re * cos - other.im * sin,
            self.im + other.re * sin + other.im * cos,
        )

    def twice_less(self, other: Complex, two: Vec) -> Complex:
        """Return ``2 self - other``: two multiply-adds, unless the compiler knows that ``two`` is 2."""
        return Complex(self.re * two - other.re, self.im * two - other.im)

    def conjugate(self) -> Complex:
        """Return the complex conjugate."""
        return Complex(self.re, -self.im)


def swapped(x: list[Complex]) -> list[Complex]:
    """Return each value with its parts swapped: an FFT between two of these is an inverse FFT."""
    return [Complex(value.im, value.re) for value in x]


def dft2(x: list[Complex]) -> list[Complex]:
    """Return the DFT of two points."""
    return [x[0] + x[1], x[0] - x[1]]


def dft3(x: list[Complex]) -> list[Complex]:
    """Return the DFT of three points."""
    total, difference = x[1] + x[2], (x[1] - x[2]).scaled(math.sqrt(0.75))
    middle = x[0] + total.scaled(-0.5)
    return [x[0] + total, middle.minus_i(difference), middle.plus_i(difference)]


def dft4(x: list[Complex]) -> list[Complex]:
    """Return the DFT of four points."""
    a, b, c, d = x[0] + x[2], x[0] - x[2], x[1] + x[3], x[1] - x[3]
    return [a + c, b.minus_i(d), a - c, b.plus_i(d)]


def sum_and_difference(x: Complex, y: Complex, factor: tuple[Vec, Vec], two: Vec) -> tuple[Complex, Complex]:
    """Return x + y w and x - y w: six multiply-adds, where a product and two sums take eight operations."""
    total = x.plus_turned(y, *factor)
    return total, x.twice_less(total, two)


def turned_dft4(x: list[Complex], factors: list[tuple[Vec, Vec]], two: Vec) -> list[Complex]:
    """Return the DFT of four points, all but the first turned by factors."""
    first, second, third = factors
    a, b = sum_and_difference(x[0], x[2], second, two)
    c, d = sum_and_difference(x[1].turned(*first), x[3], third, two)
    return [a + c, b.minus_i(d), a - c, b.plus_i(d)]


def dft5(x: list[Complex]) -> list[Complex]:
    """Return the DFT of five points."""
    cos1, cos2, sin1, sin2 = (f(2 * math.pi * k / 5) for f in (math.cos, math.sin) for k in (1, 2))
    a, b, c, d = x[1] + x[4], x[2] + x[3], x[1] - x[4], x[2] - x[3]
    near, far = x[0] + a.scaled(cos1) + b.scaled(cos2), x[0] + a.scaled(cos2) + b.scaled(cos1)
    near_i, far_i = c.scaled(sin1) + d.scaled(sin2), c.scaled(sin2) - d.scaled(sin1)
    return [x[0] + a + b, near.minus_i(near_i), far.minus_i(far_i), far.plus_i(far_i), near.plus_i(near_i)]


def dft8(x: list[Complex]) -> list[Complex]:
    """Return the DFT of eight points, from two times four."""
    return _joined(dft4(x[0::2]), dft4(x[1::2]))


def turned_dft8(x: list[Complex], factors: list[tuple[Vec, Vec]], two: Vec) -> list[Complex]:
    """Return the DFT of eight points, all but the first turned by factors."""
    odd = [x[1].turned(*factors[0]), *x[3::2]]
    return _joined(turned_dft4(x[0::2], factors[1::2], two), turned_dft4(odd, factors[2::2], two))


def _joined(even: list[Complex], odd: list[Complex]) -> list[Complex]:
    root = math.sqrt(0.5)
    odd = [
        odd[0],
        Complex((odd[1].re + odd[1].im) * root, (odd[1].im - odd[1].re) * root),
        Complex(odd[2].im, -odd[2].re),
        Complex((odd[3].im - odd[3].re) * root, (odd[3].re + odd[3].im) * -root),
    ]
    return [a + b for a, b in zip(even, odd, strict=True)] + [a - b for a, b in zip(even, odd, strict=True)]


DFT: dict[int, Callable[[list[Complex]], list[Complex]]] = {2: dft2, 3: dft3, 4: dft4, 5: dft5, 8: dft8}

TURNED_DFT: dict[int, Callable[[list[Complex], list[tuple[Vec, Vec]], Vec], list[Complex]]] = {
    4: turned_dft4,
    8: turned_dft8,
}
"""The DFTs that take fewer operations if they turn their points themselves."""
