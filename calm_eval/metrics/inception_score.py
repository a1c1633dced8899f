"""`inception_score`: how sure a tagger is of each clip, and how unlike the clips are; what audioldm_eval calls ISc.

    IS = exp( mean over clips of KL(p(y | x) || mean over clips of p(y | x)) )        p: softmax of 527 logits of a clip

1 for clips that are all tagged alike, at most the number of tags or of clips, whichever is smaller (Salimans et al.
2016). No reference is asked: it says nothing of quality, and a tagger that is surely wrong scores as well as one that
is right. audioldm_eval/metrics/isc.py shuffles the clips, takes the score of each of ten parts and prints their mean;
a part of n clips is at most n, so that the number grows with the size of the set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calm_eval.metrics.embedded_set import embedded_samples
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.selftest.check import Check
from calm_eval.stats.jackknife import GROUPS, LEVEL, NAME, Jackknife, deal, interval, jackknife_of

SPLITS, SHUFFLE = 10, 2020
"""Parts, and the seed of their shuffle, as the tool has them."""
FEW = "fewer than 100 clips"
"""A part holds so few clips that it bounds the score."""
LEAST = 3
"""Groups for an interval."""


def inception_score(logits: ArrayLike, splits: int = SPLITS, shuffle: int | None = SHUFFLE) -> float:
    """Mean over `splits` parts of the score of logits [clips, classes], in [1, min(clips of a part, classes)].

    In float64. Parts as `parts_of` gives them. Raises ValueError for other shapes, for values that are not finite and
    for fewer than two clips a part.
    """
    given = np.asarray(logits, dtype=np.float64)
    if given.ndim != 2 or given.size == 0 or not np.isfinite(given).all():
        raise ValueError(f"finite logits [clips, classes], got {given.shape}")
    return _mean_score(given, parts_of(len(given), splits, shuffle))


def parts_of(count: int, splits: int = SPLITS, shuffle: int | None = SHUFFLE) -> NDArray[np.int64]:
    """The part of each of `count` clips: in the order of `numpy.random.RandomState(shuffle).permutation` (None: as they
    are) a part holds those from i count // splits on. Raises ValueError for fewer than two clips a part."""
    if splits < 1 or count < 2 * splits:
        raise ValueError(f"at least two clips for each of {splits} parts, got {count}")
    order = np.arange(count) if shuffle is None else np.random.RandomState(shuffle).permutation(count)
    edges = [part * count // splits for part in range(splits + 1)]
    parts = np.empty(count, dtype=np.int64)
    parts[order] = np.repeat(np.arange(splits), np.diff(edges))
    return parts


def _mean_score(logits: NDArray[np.float64], parts: NDArray[np.int64]) -> float:
    return float(np.mean([_score(logits[parts == part]) for part in np.unique(parts)]))


def _score(logits: NDArray[np.float64]) -> float:
    moved = logits - logits.max(axis=1, keepdims=True)
    logs = moved - np.log(np.exp(moved).sum(axis=1, keepdims=True))
    shares = np.exp(logs)
    # A class that no clip has any of adds nothing.
    mean = np.log(np.maximum(shares.mean(axis=0), np.finfo(np.float64).tiny))
    return float(np.exp((shares * (logs - mean)).sum(axis=1).mean()))


@dataclass(frozen=True)
class InceptionScore:
    """The score of a row's clips, each one vector of logits. Compare equal numbers of clips."""

    spec: MetricSpec
    splits: int

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """The interval stands around the value at this number of clips; items are left out with all their seeds."""
        told = embedded_samples(samples)
        items = {name: np.array(told.clips[name], dtype=np.float64) for name in sorted(told.clips)}
        count = sum(map(len, items.values()))
        if count != told.counted:
            return SetValue(None, 0, told.failures, refused="several windows a clip")
        if count < 2 * self.splits:
            return SetValue(None, 0, told.failures, refused="too few clips")
        logits = np.concatenate(list(items.values()))
        value = inception_score(logits, self.splits)
        spread = self._spread(logits, items, value)
        return SetValue(
            value=value,
            scored=told.counted,
            failures=told.failures,
            low=max(1.0, spread.low) if spread else None,
            high=spread.high if spread else None,
            method=f"{NAME} over items, {GROUPS} groups, {LEVEL:.0%}" if spread else "",
            warnings=(FEW,) if count < 100 else (),
            notes={"clips": count, "splits": self.splits, "most that it can be": count / self.splits},
        )

    def _spread(
        self, logits: NDArray[np.float64], items: Mapping[str, NDArray[np.float64]], value: float
    ) -> Jackknife | None:
        """Around the value itself; None for too few items. A clip stays in its part whatever is left out beside it."""
        dealt = deal(items)
        group = np.concatenate([np.full(len(frames), dealt[name]) for name, frames in items.items()])
        sizes = np.bincount(group).tolist()
        if len(sizes) < LEAST:
            return None
        parts = parts_of(len(logits), self.splits)
        left_out = [_mean_score(logits[group != out], parts[group != out]) for out in range(len(sizes))]
        found = jackknife_of(value, left_out, sizes)
        return interval(value, value, found.error, found.freedom, found.groups)


INCEPTION_SCORE = InceptionScore(
    MetricSpec(
        name="inception_score",
        title="ISc, audioldm_eval",
        unit="score, at least 1",
        higher_is_better=True,
        kind="set",
        version=1,
        low=1.0,
        judge="panns-audioldm-logits",
        parameters={"splits": SPLITS, "shuffle": SHUFFLE, "form": "softmax over logits", "arithmetic": "float64"},
        definition="mean over 10 parts of exp(mean KL(tags of a clip || mean tags)), softmax of PANNs' logits",
    ),
    SPLITS,
)

CHECKS = (
    # Two clips that are surely of two classes: each at ln 2 from their mean.
    Check("two sure clips of two classes", lambda: inception_score([[90.0, 0.0], [0.0, 90.0]], 1, None), 2.0, 1e-12),
    Check("clips that are tagged alike", lambda: inception_score([[1.0, 2.0]] * 4, 2), 1.0, 1e-12),
)
