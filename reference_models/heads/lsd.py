"""Lagrangian self-distillation: a network of mean velocities between two times, sampled in few jumps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.func import functional_call

from reference_models.errors import ModelError
from reference_models.heads.continuous import ContinuousHead, Draw, normal_like, normal_times
from reference_models.heads.rectified_flow import straight_path
from reference_models.heads.weighting import LearnedWeight

Map = Callable[[Tensor, Tensor, Tensor], Tensor]
Jump = Callable[[float, float, Tensor], Tensor]


class LSDHead(ContinuousHead):
    """u(s, t, x) is the mean velocity from time s to t, so x + (t - s) u is the flow map; times as in rectified flow.

    Boffi, Albergo and Vanden-Eijnden, "How to build a consistency model: learning flow maps via self-distillation",
    with the choices of Pocket TTS: times of sigmoid(N(`mean`, `std`^2)), a learned weight for each pair of times, and
    3/4 flow matching (s = t) to 1/4 distillation. `split` says how: "calls" (released code) adds the distillation
    of all rows in a quarter of the calls, divided by that probability; "rows" (paper) gives each row one of the two
    losses. `stop` is what the distillation's target keeps of its gradients: "minimal" those of the point that it is
    taken at, "classic" none. Without `weighted` every pair of times weighs the same.

    On the toys in the plane one jump is learned with "classic" and without weights only: "minimal" leaves the longest
    jumps unlearned, and learned weights let the self-distillation outweigh the data that anchors it.
    """

    def __init__(
        self,
        dimensions: int,
        condition: int,
        width: int,
        blocks: int,
        mean: float = 0.4,
        std: float = 1.0,
        distilled: float = 0.25,
        split: Literal["calls", "rows"] = "calls",
        stop: Literal["minimal", "classic"] = "minimal",
        weighted: bool = True,
    ) -> None:
        super().__init__(dimensions, condition, width, blocks, times=2)
        if not 0 < distilled < 1 or split not in ("calls", "rows") or stop not in ("minimal", "classic"):
            raise ModelError(
                "LSD takes a distilled share between 0 and 1, a split 'calls' or 'rows' and a stop 'minimal' or "
                f"'classic'; got {distilled}, {split!r} and {stop!r}"
            )
        self.mean, self.std, self.distilled, self.split, self.stop = mean, std, distilled, split, stop
        self.weight = LearnedWeight(times=2) if weighted else None

    def _loss(self, prepared: Tensor, target: Tensor, generator: torch.Generator | None) -> Tensor:
        noise = normal_like(target, generator)
        share = self.distilled
        if self.split == "calls":
            loss = (1 - share) * self._flow_matching(prepared, target, noise, generator)
            if float(torch.rand((), generator=generator)) < share:
                loss = loss + self._distillation(prepared, target, noise, generator)
            return loss
        chosen = torch.rand(len(target), generator=generator) < share
        losses = target.new_empty(len(target))
        for rows, term in ((chosen, self._distillation), (~chosen, self._flow_matching)):
            # Places are found on the CPU, so that no device is waited for.
            places = rows.nonzero().squeeze(-1).to(target.device)
            losses = losses.index_copy(0, places, term(prepared[places], target[places], noise[places], generator))
        return losses

    def _flow_matching(
        self, prepared: Tensor, data: Tensor, noise: Tensor, generator: torch.Generator | None
    ) -> Tensor:
        t = torch.sigmoid(normal_times(data, generator, self.mean, self.std))
        error = flow_matching_error(lambda s, t, x: self.network(x, (s, t), prepared), data, noise, t)
        return self._weighted(error, t, t)

    def _distillation(self, prepared: Tensor, data: Tensor, noise: Tensor, generator: torch.Generator | None) -> Tensor:
        pair = [torch.sigmoid(normal_times(data, generator, self.mean, self.std)) for _ in range(2)]
        s, t = torch.minimum(*pair), torch.maximum(*pair)
        weights = {name: weight.detach() for name, weight in self.network.named_parameters()}

        def still(s: Tensor, t: Tensor, x: Tensor) -> Tensor:
            point = x if self.stop == "minimal" else x.detach()
            return functional_call(self.network, weights, (point, (s, t), prepared.detach()))

        x, _ = straight_path(data, noise, s)
        error = distillation_error(lambda s, t, x: self.network(x, (s, t), prepared), still, x, s, t)
        return self._weighted(error, s, t)

    def _weighted(self, error: Tensor, s: Tensor, t: Tensor) -> Tensor:
        square = error.square().mean(dim=-1)
        return square if self.weight is None else self.weight(square, s, t)

    def _sample(self, prepared: Tensor, draw: Draw, steps: int) -> Tensor:
        return jumps(lambda s, t, x: self.network.at(x, (s, t), prepared), draw(), steps)


def flow_matching_error(u: Map, data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """u(t, t, x_t) less the velocity of the line from noise to data, [N, dimensions]; `t` [N, 1] in [0, 1]."""
    x, slope = straight_path(data, noise, t)
    return u(t, t, x) - slope


def distillation_error(u: Map, still: Map, x: Tensor, s: Tensor, t: Tensor) -> Tensor:
    """d/dt of the map from s to t, less the velocity at its end, [N, dimensions]; `x` lies at time `s` <= `t`.

    `still` is u as the target sees it: equal in value, with other gradients. The Lagrangian equation of a flow map
    says that the difference is zero.
    """
    mean, change = torch.func.jvp(lambda later: u(s, later, x), (t,), (torch.ones_like(t),))
    return mean + (t - s) * change - still(t, t, x + (t - s) * mean)


def jumps(u: Jump, x: Tensor, steps: int) -> Tensor:
    """From noise to data in `steps` equal jumps of the flow map: [N, dimensions]."""
    for step in range(steps):
        x = x + u(step / steps, (step + 1) / steps, x) / steps
    return x
