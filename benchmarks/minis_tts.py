"""Text to speech of the minis: word error rates at settings chosen on other sentences than those that are scored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from minis_generation import Asked, Made, Workshop
from minis_material import ESPEAK, PIPER, HeldOut, sentences, voice_prompt
from minis_outcome import Outcome, rate_figure
from minis_words import Listener, Rate, score

TUNING = 48
SENTENCES, OTHERS = 240, 80
"""Sentences of Piper, which the bars are held on, and of espeak-ng."""
VOICE_SECONDS = 3.0
"""The longest voice prompt."""

Setting = dict[str, float | int]
Values = Mapping[str, Sequence[float | int]]


@dataclass(frozen=True)
class Case:
    """One bar: a system, where its tuning starts, what is tried of each parameter in turn, and the highest WER."""

    name: str
    system: str
    start: Mapping[str, float | int]
    tried: Values
    most: float


FULL: Values = {"temperature": (0.3, 0.5, 0.7, 1.0), "steps": (1, 4, 8), "cfg": (1.0, 1.5, 2.0)}
ONE_STEP: Values = {"temperature": (0.3, 0.5, 0.7, 1.0), "cfg": (1.0, 1.5, 2.0)}
CASES = (
    Case("best", "mini-calm-tts", {"temperature": 0.5, "steps": 4, "cfg": 1.5}, FULL, 0.25),
    Case("one_step", "mini-calm-tts", {"temperature": 0.5, "steps": 1, "cfg": 1.5}, ONE_STEP, 0.35),
    # Guidance is in the student already.
    Case(
        "one_step",
        "mini-calm-tts-student",
        {"temperature": 0.5, "steps": 1},
        {"temperature": ONE_STEP["temperature"]},
        0.35,
    ),
    Case("best", "mini-rq-tts", {"temperature": 0.4, "cfg": 2.0}, {"temperature": (0.2, 0.4, 0.6)}, 0.40),
)
SHUFFLED_LEAST = 0.90


def measure(workshop: Workshop, listener: Listener, systems: Sequence[str]) -> Outcome:
    """All bars of the TTS minis among `systems`."""
    outcome = Outcome()
    cases = [case for case in CASES if case.system in systems]
    for case in cases:
        title, limit = f"{case.system}, {case.name.replace('_', ' ')}: WER", f"at most {case.most:.2f}"
        if (why := workshop.lacks(case.system)) is not None:
            outcome.missing(title, limit, why)
            continue
        tuned = tune(case.start, case.tried, partial(_tuning_rate, workshop, listener, case))
        chosen = [*sentences("test", PIPER, SENTENCES), *sentences("test", ESPEAK, OTHERS)]
        judged, others = range(SENTENCES), range(SENTENCES, len(chosen))
        texts = [clip.text for clip in chosen]
        made = speak(workshop, case.system, chosen, "test", tuned)
        heard = [listener.hear(one.audio) for one in made]
        whole, read = score(texts, heard), listener.score(texts, [clip.audio() for clip in chosen])
        rate = whole.only(judged).rate()
        shuffled = score(shifted(texts[:SENTENCES]), heard[:SENTENCES]).rate()
        endless = sum(one.ended == "limit" for one in made) / len(made)
        outcome.note(case.system, "weights", workshop.hashes(case.system))
        outcome.note(
            case.system,
            f"wer_{case.name}",
            rate_figure(
                rate,
                setting=tuned,
                readings=rate_figure(read.only(judged).rate()),
                shuffled=rate_figure(shuffled),
                never_ended=endless,
                espeak=rate_figure(whole.only(others).rate(), readings=rate_figure(read.only(others).rate())),
            ),
        )
        text = (
            f"{_sentence(rate, read.only(judged).rate(), tuned, endless)}; voices of espeak-ng "
            f"{whole.only(others).rate().value:.3f} (readings {read.only(others).rate().value:.3f})"
        )
        outcome.bar(title, limit, text, rate.value <= case.most)
        if case.name == "best":
            title = f"{case.system}, best: WER against shuffled texts"
            outcome.bar(title, f"above {SHUFFLED_LEAST}", shuffled.sentence(), shuffled.value > SHUFFLED_LEAST)
    return outcome


def tune(start: Mapping[str, float | int], tried: Values, rate: Callable[[Setting], float]) -> Setting:
    """The best setting found by changing one parameter after the other; of equals the first tried."""
    best = dict(start)
    known: dict[tuple[tuple[str, float | int], ...], float] = {}

    def cost(setting: Setting) -> float:
        key = tuple(sorted(setting.items()))
        if key not in known:
            known[key] = rate(setting)
        return known[key]

    for name, values in tried.items():
        best = min(({**best, name: value} for value in values), key=cost)
    return best


def speak(
    workshop: Workshop, system: str, chosen: Sequence[HeldOut], split: str, setting: Mapping[str, float | int]
) -> list[Made]:
    """Each clip's text in its own voice, the voice told by the start of another sentence of it."""
    asked = [Asked(clip.id, "tts", clip.text, voice_prompt(clip, split, VOICE_SECONDS)) for clip in chosen]
    return workshop.generate(system, asked, setting)


def shifted(texts: Sequence[str]) -> list[str]:
    """The texts with each in the place of another: half the list further, where no neighbour of its own kind is."""
    half = len(texts) // 2
    return [*texts[half:], *texts[:half]]


def _tuning_rate(workshop: Workshop, listener: Listener, case: Case, setting: Setting) -> float:
    chosen = sentences("valid", PIPER, TUNING)
    made = speak(workshop, case.system, chosen, "valid", setting)
    return listener.score([clip.text for clip in chosen], [one.audio for one in made]).rate().value


def _sentence(rate: Rate, read: Rate, setting: Setting, endless: float) -> str:
    how = ", ".join(f"{name} {value:g}" for name, value in setting.items())
    return (
        f"{rate.sentence()} at {how} ({rate.items} sentences; the readings {read.sentence()}; "
        f"{100 * endless:.1f} % did not end by themselves)"
    )
