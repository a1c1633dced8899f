"""The heads there are. A new head is one file, and one line here. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class HeadEntry:
    """Where a head's class is, what it draws, and what one frame costs.

    `evaluations`: runs of the head's network a frame equal the sampling's `steps`, the `depth`, or are none.
    """

    target: str
    family: Literal["continuous", "discrete"]
    evaluations: Literal["steps", "depth", "none"]


HEADS = {
    "consistency": HeadEntry("reference_models.heads.consistency:ConsistencyHead", "continuous", "steps"),
    "trigflow": HeadEntry("reference_models.heads.trigflow:TrigFlowHead", "continuous", "steps"),
    "lsd": HeadEntry("reference_models.heads.lsd:LSDHead", "continuous", "steps"),
    "rectified_flow": HeadEntry("reference_models.heads.rectified_flow:RectifiedFlowHead", "continuous", "steps"),
    "rq_depth": HeadEntry("reference_models.heads.rq_depth:DepthTransformer", "discrete", "depth"),
    "delay": HeadEntry("reference_models.heads.delay:DelayHead", "discrete", "none"),
}
