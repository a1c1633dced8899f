"""How far a decoder's log magnitudes are from the true ones."""

from __future__ import annotations

from torch import Tensor

_LINEAR = 10.0
"""Weight of the magnitudes themselves beside their logarithms: it makes loud bins count a little more."""


def level_error(made: Tensor, true: Tensor) -> Tensor:
    """Mean of |log difference| + 10 |difference| of magnitudes; both [B, L, bins] as natural logarithms. A scalar.

    It looks at each bin, so harmonics are learned: bands of mel filters are wider than the space between them.
    """
    return (made - true).abs().mean() + _LINEAR * (made.exp() - true.exp()).abs().mean()
