"""Who sees whom: causal, within a window, and never the padding."""

from __future__ import annotations

import torch
from torch import Tensor


def attention_mask(
    queries: int, keys: int, first_key: int, window: int | None, padding: Tensor | None, device: torch.device
) -> Tensor | None:
    """True where a query sees a key: [queries, keys], or [batch, 1, queries, keys] with padding; None: plainly causal.

    The queries are the last of the keys; `first_key` is the position of the first key. A padded query sees itself,
    because a softmax over nothing is NaN; what comes out of it is seen by nobody.
    """
    if padding is None and queries == keys and first_key == 0 and (window is None or window >= keys):
        return None
    key = torch.arange(keys, device=device)[None, :]
    query = torch.arange(keys - queries, keys, device=device)[:, None]
    mask = key <= query
    if window is not None:
        mask &= key > query - window
    if padding is None:
        return mask
    real = (key + first_key)[None] >= padding[:, None, None].to(device)
    return ((mask[None] & real) | (key == query)[None])[:, None]
