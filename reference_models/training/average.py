"""An exponential mean of the weights, which is what a checkpoint holds."""

from __future__ import annotations

from torch import Tensor, nn


class WeightAverage:
    """`decay` is reached slowly: at update n it is at most (1 + n) / (10 + n), so that the start is soon forgotten."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay, self.updates = decay, 0
        self.weights = {name: weight.detach().clone() for name, weight in module.named_parameters()}

    def update(self, module: nn.Module) -> None:
        """Move towards the module's weights."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, weight in module.named_parameters():
            self.weights[name].lerp_(weight.detach(), 1 - decay)

    def state(self, module: nn.Module) -> dict[str, Tensor]:
        """The module's state with averaged weights; buffers are those of the module."""
        return {name: self.weights.get(name, value).detach().clone() for name, value in module.state_dict().items()}
