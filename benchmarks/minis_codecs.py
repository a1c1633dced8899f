"""Round trips of the mini codecs: words that survive for speech, log-mel distance for music."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from minis_generation import Workshop
from minis_material import ESPEAK, PIPER, HeldOut, clips, sentences
from minis_outcome import Figure, Outcome, rate_figure
from minis_statistics import log_mel_distance
from minis_words import Listener, Rate, Scored

from calm_eval.data.corpus_items import spread
from calm_eval.stats.bootstrap import ratio_interval

SENTENCES, OTHERS = 240, 80
"""Sentences of Piper, which the bars are held on, and of espeak-ng."""
MUSIC_CLIPS = 240
DEPTHS = (16, 8, 4, 2, 1)
MOST_ABOVE = {"mini-vae-speech": 0.05, "mini-rvq-speech": 0.10}


def measure(workshop: Workshop, listener: Listener, systems: Sequence[str]) -> Outcome:
    """All bars of the codecs among `systems`."""
    outcome = Outcome()
    speech = [name for name in MOST_ABOVE if name in systems]
    if speech:
        outcome.add(_speech(workshop, listener, speech))
    music = [name for name in ("mini-vae-music", "mini-rvq-music") if name in systems]
    if music:
        outcome.add(_music(workshop, music))
    return outcome


def _speech(workshop: Workshop, listener: Listener, systems: Sequence[str]) -> Outcome:
    outcome = Outcome()
    able = []
    for name in systems:
        if (why := workshop.lacks(name)) is not None:
            outcome.missing(_title(name), _limit(name), why)
        else:
            able.append(name)
    if not able:
        return outcome
    chosen = [*sentences("test", PIPER, SENTENCES), *sentences("test", ESPEAK, OTHERS)]
    texts, sounds = [clip.text for clip in chosen], [clip.audio() for clip in chosen]
    judged, others = range(SENTENCES), range(SENTENCES, len(chosen))
    own = listener.score(texts, sounds)
    outcome.note("readings", "wer", _figure(own.only(judged), espeak=_figure(own.only(others))))
    for name in able:
        outcome.note(name, "weights", workshop.hashes(name))
        scored: list[Scored] = []
        for depth in DEPTHS if "rvq" in name else (None,):
            heard = listener.score(texts, [workshop.round_trip(name, sound, depth) for sound in sounds])
            scored.append(heard.only(judged))
            outcome.note(
                name,
                "wer" if depth is None else f"wer_depth_{depth}",
                _figure(
                    heard.only(judged),
                    above_input=rate_figure(heard.only(judged).above(own.only(judged))),
                    espeak=_figure(
                        heard.only(others), above_input=rate_figure(heard.only(others).above(own.only(others)))
                    ),
                ),
            )
            if len(scored) == 1:
                text = _sentence(heard, own, judged, others)
                outcome.bar(_title(name), _limit(name), text, _above(heard, own, judged).value <= MOST_ABOVE[name])
        if len(scored) > 1:
            steps = [lower.above(higher) for higher, lower in itertools.pairwise(scored)]
            outcome.bar(*_halvings(name, scored, steps))
    return outcome


def _figure(scored: Scored, **more: Any) -> Figure:
    return rate_figure(scored.rate(), **more)


def _above(heard: Scored, own: Scored, places: Sequence[int]) -> Rate:
    return heard.only(places).above(own.only(places))


def _sentence(heard: Scored, own: Scored, judged: Sequence[int], others: Sequence[int]) -> str:
    return (
        f"{_above(heard, own, judged).sentence(points=True)} ({heard.only(judged).rate().value:.3f} and "
        f"{own.only(judged).rate().value:.3f}, {len(judged)} sentences of Piper); "
        f"voices of espeak-ng {_above(heard, own, others).sentence(points=True)}"
    )


def _title(name: str) -> str:
    return f"{name}: WER of round trips"


def _limit(name: str) -> str:
    return f"at most {100 * MOST_ABOVE[name]:.0f} points above its input"


def _halvings(name: str, scored: Sequence[Scored], steps: Sequence[Rate]) -> tuple[str, str, str, bool]:
    rates = ", ".join(f"{depth}: {one.rate().value:.3f}" for depth, one in zip(DEPTHS, scored, strict=True))
    changes = "; ".join(step.sentence(points=True) for step in steps)
    worse = all(step.value > 0 for step in steps)
    return f"{name}: WER at every halving of depth", "worse each time", f"{rates} (changes {changes})", worse


def _music(workshop: Workshop, systems: Sequence[str]) -> Outcome:
    outcome = Outcome()
    found: dict[str, list[float]] = {}
    for name in (name for name in systems if workshop.lacks(name) is None):
        found[name] = _distances(workshop, name, spread(clips("mini-music", "test"), MUSIC_CLIPS))
        outcome.note(name, "weights", workshop.hashes(name))
        outcome.note(name, "log_mel_db", rate_figure(_mean(found[name])))
    title, limit = "music codecs: log-mel distance of round trips, VAE less RVQ", "below 0 dB"
    if len(found) < 2:
        why = "; ".join(filter(None, map(workshop.lacks, systems))) or "needs both codecs"
        outcome.missing(title, limit, why)
        return outcome
    vae, rvq = found["mini-vae-music"], found["mini-rvq-music"]
    gap = _mean([first - second for first, second in zip(vae, rvq, strict=True)])
    text = (
        f"{gap.value:+.2f} dB [{gap.low:+.2f}, {gap.high:+.2f}] ({_mean(vae).value:.2f} and {_mean(rvq).value:.2f} dB, "
        f"{gap.items} clips)"
    )
    outcome.bar(title, limit, text, gap.high < 0)
    return outcome


def _distances(workshop: Workshop, name: str, chosen: Sequence[HeldOut]) -> list[float]:
    sounds = (clip.audio() for clip in chosen)
    return [log_mel_distance(workshop.round_trip(name, sound), sound) for sound in sounds]


def _mean(values: Sequence[float]) -> Rate:
    bounds = ratio_interval(values, [1.0] * len(values), seed=0)
    if bounds is None:
        raise ValueError("a mean with an interval needs at least two values")
    return Rate(sum(values) / len(values), *bounds, len(values))
