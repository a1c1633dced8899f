"""The delay pattern: codebook k of frame s stands in column s + delays[k].

The acoustic delay of the RQ-Transformer (0, 1, 1, ...; Moshi) and MusicGen's pattern (0, 1, 2, 3) are the same
arithmetic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import torch
from torch import Tensor

from reference_models.errors import ModelError


def apply_delays(codes: Tensor, delays: Sequence[int], fill: int) -> Tensor:
    """Frames [B, S, K] to columns [B, S + max(delays), K]; `fill` stands where a column has no code.

    Raises ModelError when there is not one delay of at least 0 for each codebook.
    """
    longest = check_delays(delays, codes)
    batch, length, codebooks = codes.shape
    columns = codes.new_full((batch, length + longest, codebooks), fill)
    for book, delay in enumerate(delays):
        columns[:, delay : delay + length, book] = codes[:, :, book]
    return columns


def revert_delays(columns: Tensor, delays: Sequence[int]) -> Tensor:
    """The exact inverse: columns [B, T, K] to the frames [B, T - max(delays), K] that are complete.

    Raises ModelError as `apply_delays`, and when there are fewer columns than the longest delay.
    """
    longest = check_delays(delays, columns)
    length = columns.shape[1] - longest
    if length < 0:
        raise ModelError(f"{columns.shape[1]} columns are fewer than the longest delay, {longest}")
    return torch.stack([columns[:, delay : delay + length, book] for book, delay in enumerate(delays)], dim=-1)


class FrameAssembler:
    """The streaming form of `revert_delays`: drawn columns in, complete frames out.

    Raises ModelError when a delay is negative or missing.
    """

    def __init__(self, delays: Sequence[int]) -> None:
        self.delays = tuple(delays)
        self._needed = check_delays(self.delays) + 1
        self._recent: deque[Tensor] = deque(maxlen=self._needed)

    def push(self, column: Tensor) -> Tensor | None:
        """Take the next column [B, K]; give the frame [B, K] that it completes, or None while none is complete.

        Raises ModelError when the column's shape is not that of the columns before it.
        """
        expected = list(self._recent[0].shape) if self._recent else [column.shape[0], len(self.delays)]
        if list(column.shape) != expected:
            raise ModelError(f"a column has shape {list(column.shape)}; this stream takes {expected}")
        self._recent.append(column)
        if len(self._recent) < self._needed:
            return None
        # The oldest column kept is the frame's own: codebook k was drawn delays[k] columns later.
        return torch.stack([self._recent[delay][:, book] for book, delay in enumerate(self.delays)], dim=-1)


def check_delays(delays: Sequence[int], codes: Tensor | None = None) -> int:
    """The longest delay; ModelError when one is negative, or there is not one for each codebook of `codes`."""
    if not delays or min(delays) < 0:
        raise ModelError(f"delays must be one number of at least 0 for each codebook, not {list(delays)}")
    if codes is not None and (codes.dim() != 3 or codes.shape[2] != len(delays)):
        raise ModelError(f"{len(delays)} delays need codes [batch, length, {len(delays)}], not {list(codes.shape)}")
    return max(delays)
