"""Causal modules that run on a whole signal or piece by piece with the same result."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn


class Streaming(nn.Module):
    """A causal map. `forward` takes a whole signal; `step` the next piece, with all memory in an explicit state.

    `start(batch)` gives the state before the first piece; `step` changes it in place. Joined outputs of `step` equal
    `forward` of the joined pieces. The module itself remembers nothing, so many streams can share it.
    """

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """The output of a whole signal."""

    @abstractmethod
    def start(self, batch: int) -> Any:
        """A fresh state for `batch` rows."""

    @abstractmethod
    def step(self, x: Tensor, state: Any) -> Tensor:
        """The output that the next piece completes."""


class Pointwise(Streaming):
    """A module without memory: every time step is on its own."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        """The module's output."""
        return self.module(x)

    def start(self, batch: int) -> None:
        """Nothing to remember."""

    def step(self, x: Tensor, state: None) -> Tensor:
        """The same as `forward`."""
        return self.module(x)


class Chain(Streaming):
    """Stages one after the other. The state is the list of their states."""

    def __init__(self, stages: Sequence[Streaming]) -> None:
        super().__init__()
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> Tensor:
        """Through all stages."""
        for stage in self.stages:
            x = stage(x)
        return x

    def start(self, batch: int) -> list[Any]:
        """One fresh state for each stage."""
        return [stage.start(batch) for stage in self.stages]

    def step(self, x: Tensor, state: list[Any]) -> Tensor:
        """The next piece through all stages."""
        for stage, memory in zip(self.stages, state, strict=True):
            x = stage.step(x, memory)
        return x


class Residual(Streaming):
    """`x + inner(x)`; `inner` keeps shape and rate."""

    def __init__(self, inner: Streaming) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, x: Tensor) -> Tensor:
        """The sum of input and branch."""
        return x + self.inner(x)

    def start(self, batch: int) -> Any:
        """The branch's state."""
        return self.inner.start(batch)

    def step(self, x: Tensor, state: Any) -> Tensor:
        """The next piece of the sum."""
        return x + self.inner.step(x, state)
