"""What no continuation may be: a copy of its prompt, a loop, silence. True continuations give the scale."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from minis_generation import Workshop
from minis_outcome import Outcome
from minis_statistics import (
    RATE,
    Array,
    Audio,
    copy_threshold,
    loop_correlation,
    mel_copy,
    silent_share,
    waveform_copy,
)

FAILING = 0.05
BLIND = 0.25
"""Where more true continuations than this look like copies or loops, the check cannot tell and decides nothing."""

Sounds = Sequence[Audio]
Check = Callable[[Sounds, Sounds], Array]
"""Continuations and their prompts to one score each, higher where it is worse."""


def _with_prompts(measure: Callable[[Audio, Audio], float]) -> Check:
    return lambda made, prompts: np.array([measure(*pair) for pair in zip(made, prompts, strict=True)])


def _alone(measure: Callable[[Audio], float]) -> Check:
    return lambda made, prompts: np.array([measure(sound) for sound in made])


CHECKS: Mapping[str, tuple[str, Check]] = {
    "no copy of the prompt, cross-correlation": ("copy", _with_prompts(waveform_copy)),
    "no copy of the prompt, log-mel patches": ("copy", _with_prompts(mel_copy)),
    "no loop": ("loop", _alone(loop_correlation)),
}
"""Each with the kind of planted fault that it must find."""


@dataclass(frozen=True)
class Scale:
    """What the checks say of true continuations and of planted faults, by check, and the truth's silent shares."""

    truth: Mapping[str, Array]
    planted: Mapping[str, Array]
    silent: Array


def scale(workshop: Workshop, codec: str, prompts: Sounds, truth: Sounds) -> Scale:
    """Score the truth, and faults planted from it: the prompt said again, and its first second over and over.

    Both go through `codec`, because what a model repeats does too.
    """

    def heard(sound: Audio) -> Audio:
        return workshop.round_trip(codec, sound) if workshop.lacks(codec) is None else sound

    def filled(sound: Audio, size: int) -> Audio:
        return np.tile(sound, -(-size // sound.size))[:size]

    bad = {
        "copy": [filled(heard(prompt), sound.size) for prompt, sound in zip(prompts, truth, strict=True)],
        "loop": [heard(filled(sound[:RATE], sound.size)) for sound in truth],
    }
    return Scale(
        {title: check(truth, prompts) for title, (_, check) in CHECKS.items()},
        {title: check(bad[kind], prompts) for title, (kind, check) in CHECKS.items()},
        _alone(silent_share)(truth, prompts),
    )


def faults(name: str, made: Sounds, prompts: Sounds, against: Scale) -> Outcome:
    """Bars for continuations `made` after `prompts`."""
    outcome = Outcome()
    for title, (_, check) in CHECKS.items():
        own, true, planted = check(made, prompts), against.truth[title], against.planted[title]
        limit = copy_threshold(true, planted)
        failing, usual, found = (float((scores > limit).mean()) for scores in (own, true, planted))
        outcome.bar(
            f"{name}: {title}",
            f"at most {100 * FAILING:.0f} points more items above the threshold than of true continuations",
            f"{100 * failing:.1f} % above {limit:.2f} (truth {100 * usual:.1f} %, planted {100 * found:.0f} % found); "
            f"median {np.median(own):.2f}, truth {np.median(true):.2f}",
            None if usual > BLIND else failing <= usual + FAILING,
        )
        key = title.replace(",", "").replace(" ", "_").replace("-", "_")
        outcome.note(name, key, {"failing": failing, "truth": usual, "threshold": round(limit, 4), "found": found})
    quiet = (_alone(silent_share)(made, prompts) > 0.5) & (against.silent <= 0.5)
    outcome.bar(
        f"{name}: no silence",
        f"at most {100 * FAILING:.0f} % of items mostly under -60 dBFS where the truth is not",
        f"{100 * quiet.mean():.1f} %",
        bool(quiet.mean() <= FAILING),
    )
    outcome.note(name, "silent", {"failing": float(quiet.mean())})
    return outcome
