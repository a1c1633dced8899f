"""Continuations by the minis: do they belong to their prompt, without copying it, looping or falling silent?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from minis_faults import Scale, faults, scale
from minis_generation import Asked, Workshop
from minis_material import HeldOut, clips, in_turns
from minis_outcome import Outcome
from minis_paired import own_and_others, pairing_p, sign_flip_p
from minis_statistics import (
    RATE,
    Array,
    Audio,
    cosine_distance,
    pitch_classes,
    timbre,
    timbre_distance,
)

from reference_models.catalogue import card
from reference_models.presets import load_model_preset, names

ITEMS = 96
PROMPT_SECONDS = 3.0
SPEECH = ("mini-calm-speech", "mini-rq-speech")
MUSIC = ("mini-calm-music", "mini-trigflow-music", "mini-rq-music", "mini-delay-music")
P_BELOW = 0.01


@dataclass(frozen=True)
class Kind:
    """One kind of continuation: its task, how long it is (s), the codec that planted faults go through."""

    task: str
    seconds: float
    codec: str
    statistics: Mapping[str, tuple[Callable[[Audio], Array], Callable[[Array, Array], float]]]


TIMBRE = (timbre, timbre_distance)
KINDS = {
    "speech_continuation": Kind("speech_continuation", 5.0, "mini-vae-speech", {"log-mel": TIMBRE}),
    "music_continuation": Kind(
        "music_continuation",
        6.0,
        "mini-vae-music",
        {"log-mel": TIMBRE, "pitch classes": (pitch_classes, cosine_distance)},
    ),
}


@dataclass(frozen=True)
class Piece:
    """An item cut in two: `prompt`, and the true continuation, as 16 kHz samples. `group` is its voice or piece."""

    clip: HeldOut
    group: str
    prompt: Audio
    truth: Audio


def measure(workshop: Workshop, systems: Sequence[str]) -> Outcome:
    """All bars of the continuation minis among `systems`."""
    outcome = Outcome()
    for task, kind in KINDS.items():
        able = []
        for name in (name for name in systems if name in names() and task in card(name).tasks):
            if (why := workshop.lacks(name)) is not None:
                outcome.missing(f"{name}: continuations", "nearer to their own; no copy, loop, silence", why)
            else:
                able.append(name)
        if not able:
            continue
        pieces = chosen(kind)
        against = scale(workshop, kind.codec, [one.prompt for one in pieces], [one.truth for one in pieces])
        for name in able:
            sampling = load_model_preset(name).sampling
            asked = [Asked(one.clip.id, task, None, one.prompt, kind.seconds) for one in pieces]
            made = [one.audio for one in workshop.generate(name, asked, sampling)]
            outcome.note(name, "weights", workshop.hashes(name))
            outcome.add(judge(name, kind, pieces, made, against))
    return outcome


def chosen(kind: Kind) -> list[Piece]:
    """Test items with room for prompt and continuation, balanced over voices or pieces."""
    speech = kind.task == "speech_continuation"

    def group(clip: HeldOut) -> str:
        return clip.voice if speech else clip.tag("piece")

    rows = [
        clip
        for clip in clips("mini-speech" if speech else "mini-music", "test")
        if clip.seconds >= PROMPT_SECONDS + kind.seconds and (not speech or "paragraph" in clip.tags)
    ]
    pieces = []
    for clip in in_turns(rows, group, ITEMS):
        sound = clip.audio()
        start, end = round(PROMPT_SECONDS * RATE), round((PROMPT_SECONDS + kind.seconds) * RATE)
        pieces.append(Piece(clip, group(clip), sound[:start], sound[start:end]))
    return pieces


def judge(name: str, kind: Kind, pieces: Sequence[Piece], made: Sequence[Audio], against: Scale) -> Outcome:
    """Bars for continuations `made` of `pieces`."""
    outcome = Outcome()
    for statistic, (describe, distance) in kind.statistics.items():
        own, true = [describe(sound) for sound in made], [describe(one.truth) for one in pieces]
        table = np.array([[distance(mine, its) for its in true] for mine in own])
        gaps = own_and_others(table, [one.group for one in pieces])
        signs, pairs = sign_flip_p(gaps), pairing_p(table)
        others = float((np.diag(table) - gaps).mean())
        spread = float(gaps.std(ddof=1))
        effect = float(gaps.mean()) / spread if spread > 0 else 0.0
        outcome.bar(
            f"{name}: {statistic} nearer to its own continuation than to others",
            f"p < {P_BELOW} (sign flips and pairings)",
            f"{np.diag(table).mean():.3f} and {others:.3f}, effect {effect:+.2f} sd, nearer in "
            f"{100 * (gaps < 0).mean():.0f} % of {len(gaps)}; p {signs:.2g} and {pairs:.2g}",
            max(signs, pairs) < P_BELOW and float(gaps.mean()) < 0,
        )
        figure = {"own": np.diag(table).mean(), "others": others, "effect_sd": effect, "nearer": (gaps < 0).mean()}
        outcome.note(
            name,
            f"nearer_{statistic.replace(' ', '_')}",
            {**{key: round(float(value), 5) for key, value in figure.items()}, "p_signs": signs, "p_pairs": pairs},
        )
    outcome.add(faults(name, made, [one.prompt for one in pieces], against))
    return outcome
