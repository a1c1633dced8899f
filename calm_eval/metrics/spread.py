"""`seed_spread`: how far apart the samples of one prompt are, because temperature buys quality with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calm_eval.keys import seed_from
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.metrics.seed_spread import seed_spread, seed_spreads
from calm_eval.selftest.check import Check
from calm_eval.stats.bootstrap import LEVEL, NAME, RESAMPLES, ratio_interval


@dataclass(frozen=True)
class SeedSpread:
    """Mean over prompts of the mean cosine distance between the seeds of a prompt."""

    spec: MetricSpec

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """Prompts with fewer than two embedded seeds have no value; with one seed a row has none at all."""
        prompts: dict[str, dict[int, NDArray[np.float32]]] = {}
        failures: Counter[str] = Counter()
        for sample in samples:
            judgement = sample.view.judgements.get("sample")
            if sample.view.failure is not None:
                failures[sample.view.failure] += 1
            elif judgement is None or judgement.vectors is None:
                failures[f"judge:{judgement.refused if judgement and judgement.refused else 'no-vector'}"] += 1
            else:
                prompts.setdefault(sample.item, {})[sample.seed] = judgement.vectors
        several = {name: seeds for name, seeds in prompts.items() if len(seeds) > 1}
        if len(prompts) > len(several):
            failures["one seed"] += len(prompts) - len(several)
        if not several:
            return SetValue(None, 0, dict(failures), refused="one seed: a spread needs --seeds 2 or more")
        values = seed_spreads(several)
        ones = np.ones(len(values))
        interval = ratio_interval(list(values.values()), ones, seed=seed_from("seed-spread", *sorted(values)))
        return SetValue(
            value=float(np.mean(list(values.values()))),
            scored=sum(map(len, several.values())),
            failures=dict(failures),
            low=interval[0] if interval else None,
            high=interval[1] if interval else None,
            method=f"{NAME} over prompts, {RESAMPLES} resamples, {LEVEL:.0%}" if interval else "",
            notes={"prompts": len(several)},
        )


SEED_SPREAD = SeedSpread(
    MetricSpec(
        name="seed_spread",
        title="Spread over seeds",
        unit="cosine distance",
        higher_is_better=True,
        kind="set",
        version=1,
        low=0.0,
        high=2.0,
        judge="musicnn-mtt",
        parameters={"vector": "mean frame", "pairs": "all pairs of seeds of one prompt"},
        definition="mean over prompts of the mean cosine distance between the embeddings of its seeds",
    )
)

CHECKS = (Check("two seeds at a right angle", lambda: seed_spread({0: [1.0, 0.0], 1: [0.0, 1.0]}), 1.0, 1e-12),)
