"""Text to music of the minis: does it sound like the instrument that the caption names?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from minis_generation import Asked, Workshop
from minis_material import HeldOut, clips, in_turns
from minis_outcome import Outcome
from minis_paired import binomial_p
from minis_statistics import RATE, Array, Audio, timbre

from reference_models.presets import load_model_preset

SYSTEMS = ("mini-calm-text2music", "mini-delay-text2music")
CAPTIONS = 96
TRAINING = 960
SECONDS = 8.0
P_BELOW = 0.01


@dataclass(frozen=True)
class Classifier:
    """Multinomial logistic regression on standardised features; `weights` [features + 1, classes]."""

    classes: tuple[str, ...]
    mean: Array
    spread: Array
    weights: Array

    def tell(self, features: Array) -> list[str]:
        """The likeliest class of each row of [items, features]."""
        inputs = (features - self.mean) / self.spread
        scores = np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1) @ self.weights
        return [self.classes[place] for place in scores.argmax(axis=1)]


def train(features: Array, labels: Sequence[str], decay: float = 1e-2) -> Classifier:
    """Fit by L-BFGS on features [items, n], cross-entropy and `decay` times half the squared weights."""
    classes = tuple(sorted(set(labels)))
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    inputs = torch.from_numpy((features - mean) / spread)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=inputs.dtype)], dim=1)
    targets = torch.tensor([classes.index(label) for label in labels])
    weights = torch.zeros(inputs.shape[1], len(classes), dtype=inputs.dtype, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(inputs @ weights, targets) + decay * weights[:-1].square().sum() / 2
        loss.backward()
        return loss

    optimiser.step(closure)
    return Classifier(classes, mean, spread, weights.detach().numpy())


def measure(workshop: Workshop, systems: Sequence[str]) -> Outcome:
    """All bars of the text-to-music minis among `systems`."""
    outcome = Outcome()
    able = []
    for name in (name for name in SYSTEMS if name in systems):
        if (why := workshop.lacks(name)) is not None:
            outcome.missing(f"{name}: instrument of the caption", f"above chance, p < {P_BELOW}", why)
        else:
            able.append(name)
    if not able:
        return outcome
    known = in_turns(clips("mini-music", "train"), _instrument, TRAINING)
    classifier = train(_features([_start(clip) for clip in known]), [_instrument(clip) for clip in known])
    asked = in_turns(clips("mini-music", "test"), _instrument, CAPTIONS)
    captioned = [_instrument(clip) for clip in asked]
    real = _accuracy(classifier, [_start(clip) for clip in asked], captioned)
    for name in able:
        preset = load_model_preset(name)
        requests = [Asked(clip.id, "text_to_music", clip.text, None, SECONDS) for clip in asked]
        made = [one.audio for one in workshop.generate(name, requests, preset.sampling)]
        ceiling = _accuracy(classifier, [workshop.round_trip(preset.codec, _start(clip)) for clip in asked], captioned)
        share = _accuracy(classifier, made, captioned)
        # One sound for all captions is right as often as the commonest instrument is asked for.
        chance = Counter(captioned).most_common(1)[0][1] / len(captioned)
        p = binomial_p(round(share * len(asked)), len(asked), chance)
        outcome.bar(
            f"{name}: instrument of the caption",
            f"above chance, p < {P_BELOW}",
            f"{100 * share:.0f} % of {len(asked)} captions, chance {100 * chance:.1f} %, p {p:.2g} (the classifier on "
            f"real test renders {100 * real:.0f} %, through the codec {100 * ceiling:.0f} %)",
            p < P_BELOW,
        )
        outcome.note(name, "weights", workshop.hashes(name))
        figure = {"value": share, "chance": chance, "real": real, "round_trip": ceiling, "p": p, "items": len(asked)}
        outcome.note(name, "instrument", figure)
    return outcome


def _instrument(clip: HeldOut) -> str:
    return clip.tag("instrument")


def _start(clip: HeldOut) -> Audio:
    return clip.audio()[: round(SECONDS * RATE)]


def _features(sounds: Sequence[Audio]) -> Array:
    return np.stack([timbre(sound) for sound in sounds])


def _accuracy(classifier: Classifier, sounds: Sequence[Audio], labels: Sequence[str]) -> float:
    told = classifier.tell(_features(sounds))
    return sum(first == second for first, second in zip(told, labels, strict=True)) / len(labels)
