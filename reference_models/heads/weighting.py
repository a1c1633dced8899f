"""A weight of the loss that is learned with the network: the log-uncertainty of each time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class LearnedWeight(nn.Module):
    """w(times) of `exp(w) * error - w`, whose minimum is at exp(-w) = the mean error at these times (EDM2, sCM).

    A ReLU MLP, `times` -> 32 -> 32 -> 1, whose last layer starts at zero: every time weighs the same.
    """

    def __init__(self, times: int) -> None:
        super().__init__()
        self.first = nn.Linear(times, 32)
        self.second = nn.Linear(32, 32)
        self.last = nn.Linear(32, 1)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, error: Tensor, *times: Tensor) -> Tensor:
        """`error` [N] (mean square over the dimensions), `times` each [N, 1]: weighted losses [N]."""
        hidden = F.relu(self.second(F.relu(self.first(torch.cat(times, dim=-1)))))
        weight = self.last(hidden).squeeze(-1)
        return torch.exp(weight) * error - weight
