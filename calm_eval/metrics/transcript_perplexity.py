"""`perplexity_mini`, `perplexity`: how likely a language model finds the transcripts of a row, in three forms."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from calm_eval.errors import InputError
from calm_eval.keys import seed_from
from calm_eval.metrics.ngram import mini_model
from calm_eval.metrics.perplexity import CausalScorer, TextScore, ngram_score, perplexity
from calm_eval.metrics.protocol import MetricSpec, SetReference, SetSample, SetValue
from calm_eval.metrics.transcripts import transcripts
from calm_eval.selftest.check import Check
from calm_eval.stats.bootstrap import LEVEL, NAME, RESAMPLES, ratio_interval
from calm_eval.stats.median import NAME as ORDER_STATISTICS
from calm_eval.stats.median import median_interval

Form = Literal["corpus", "mean", "median"]
Interval = tuple[float, float] | None

_WORDS = {
    "corpus": "exp of all negative log likelihood over all tokens",
    "mean": "mean over texts of the perplexity of a text",
    "median": "median over texts of the perplexity of a text",
}


@dataclass(frozen=True)
class TranscriptPerplexity:
    """One form of perplexity. `scorer` opens a language model: text to its score."""

    spec: MetricSpec
    form: Form
    scorer: Callable[[], Any]

    def measure_set(self, samples: Sequence[SetSample], references: Sequence[SetReference]) -> SetValue:
        """Samples without a word are not in the value; they are counted as `no-words`. Loops lower it: see VERT."""
        told = transcripts(samples)
        if not told.texts:
            return SetValue(None, 0, told.failures, refused="no transcript")
        with self.scorer() as score:
            found = {who: score(text) for who, text in sorted(told.texts.items())}
        kept = {who: one for who, one in found.items() if one.tokens}
        failures = dict(told.failures)
        if len(found) > len(kept):
            failures["no-words"] = failures.get("no-words", 0) + len(found) - len(kept)
        if not kept:
            return SetValue(None, 0, failures, refused="no transcript")
        forms = perplexity(list(kept.values()))
        interval, method = self._interval(kept)
        return SetValue(
            value=getattr(forms, self.form),
            scored=len(kept),
            failures=failures,
            low=interval[0] if interval else None,
            high=interval[1] if interval else None,
            method=method if interval else "",
            notes={
                "tokens": forms.tokens,
                "unknown words": sum(one.unknown for one in kept.values()),
                "corpus": forms.corpus,
                "mean": forms.mean,
                "median": forms.median,
            },
        )

    def _interval(self, kept: dict[tuple[str, int], TextScore]) -> tuple[Interval, str]:
        """Items are drawn, each with all its seeds; the median's interval needs no drawing."""
        if self.form == "median":
            return median_interval([one.perplexity for one in kept.values()]), f"{ORDER_STATISTICS}, 95%"
        tops: dict[str, float] = {}
        bottoms: dict[str, float] = {}
        for (item, _), one in kept.items():
            top, bottom = (one.nll, one.tokens) if self.form == "corpus" else (one.perplexity, 1)
            tops[item] = tops.get(item, 0.0) + top
            bottoms[item] = bottoms.get(item, 0.0) + bottom
        drawn = ratio_interval(list(tops.values()), list(bottoms.values()), seed=seed_from("perplexity", *sorted(tops)))
        if drawn is not None and self.form == "corpus":
            drawn = math.exp(drawn[0]), math.exp(drawn[1])
        return drawn, f"{NAME} over items, {RESAMPLES} resamples, {LEVEL:.0%}"


@contextmanager
def _mini() -> Iterator[Callable[[str], TextScore]]:
    yield functools.partial(ngram_score, mini_model())


def perplexity_mini(form: str = "corpus") -> TranscriptPerplexity:
    """Under the trigram model of the mini texts: a scale for the mini suites and for nothing else."""
    named = _form(form)
    name = "perplexity_mini" if named == "corpus" else f"perplexity_mini_{named}"
    model = {"model": "mini n-gram", "identity": mini_model().identity}
    return TranscriptPerplexity(_spec(name, f"Perplexity, mini n-gram, {named}", named, model), named, _mini)


def perplexity_under(model: str, form: str = "median", end: bool = False, lower: bool = False) -> TranscriptPerplexity:
    """Under a causal language model of transformers in the folder `model`; options as `CausalScorer`."""
    named = _form(form)
    scorer = CausalScorer(model, end=end, lower=lower)

    @contextmanager
    def opened() -> Iterator[Callable[[str], TextScore]]:
        scorer.load()
        try:
            yield scorer.score
        finally:
            scorer.close()

    about = {"model": "causal language model", "identity": scorer.identity}
    return TranscriptPerplexity(_spec("perplexity", f"Perplexity, {named}", named, about), named, opened)


def _form(form: str) -> Form:
    for known in get_args(Form):
        if form == known:
            return cast(Form, known)
    raise InputError(f"unknown form '{form}' of a perplexity. Known: {', '.join(_WORDS)}")


def _spec(name: str, title: str, form: Form, model: dict[str, Any]) -> MetricSpec:
    return MetricSpec(
        name=name,
        title=title,
        unit="per token",
        higher_is_better=False,
        kind="set",
        version=1,
        low=1.0,
        judge="whisper-tiny.en",
        parameters={"form": form, **model},
        definition=f"{_WORDS[form]}, transcripts under {model['model']}",
    )


CHECKS = (
    Check("three tokens of probability 1/8", lambda: perplexity([TextScore(3 * math.log(8), 3)]).corpus, 8.0, 1e-12),
    Check("mean of 2 and 8", lambda: perplexity([TextScore(math.log(n), 1) for n in (2, 8)]).mean, 5.0, 1e-12),
)
