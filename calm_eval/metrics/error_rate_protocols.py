"""Published word-error-rate protocols as presets: each with its normaliser, its aggregation and the ASR it names.

A preset reproduces what a tool does to texts and counts. What was heard is the bound judge's affair: the fingerprint
holds both the judge and the ASR that the protocol names, and `title_with` says when they differ. Two presets are two
quantities.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from calm_eval.errors import InputError
from calm_eval.judges.protocol import JudgeInfo
from calm_eval.metrics import normalisers
from calm_eval.metrics.edits import Edits
from calm_eval.metrics.normalisers import Normaliser
from calm_eval.metrics.protocol import MetricSpec
from calm_eval.metrics.word_error_rate import ErrorRate, Form, error_rate_spec

_FORM_WORDS: Mapping[Form, str] = MappingProxyType(
    {
        "corpus": "word edits of all items over words of all items",
        "capped": "as the corpus rate, no item counting more edits than it has words",
        "mean": "mean over items of edits over words",
        "above-half": "share of items with an error rate above 50 %",
        "empty-transcripts": "share of items whose normalised transcript holds no word",
    }
)


@dataclass(frozen=True)
class Protocol:
    """A published recipe for WER.

    `aggregation` is the form that its tool reports. `asr` is a judge's name, model and runtime, and `decoding` what of
    its options the tool sets or leaves at a default that matters. `decimals` of a per cent are printed by the tool
    (None: all); values here are never rounded.
    """

    name: str
    normaliser: Normaliser
    aggregation: Literal["corpus", "mean"]
    asr: str
    decoding: Mapping[str, Any]
    decimals: int | None
    source: str

    @property
    def metric(self) -> str:
        """Name of its metric in the form that its tool reports."""
        return "wer_" + self.name.replace("-", "_")

    def in_form(self, form: Form) -> ErrorRate:
        """The metric in one form. Items without reference words have no value in any, and are counted."""
        published = form == self.aggregation
        name = self.metric if published else f"{self.metric}_{form.replace('-', '_')}"
        title = f"WER, {self.name} rules" if published else f"WER, {self.name} rules, {form}"
        parameters = {
            "normaliser": self.normaliser.name,
            "normaliser_version": self.normaliser.version,
            "protocol": self.name,
            "protocol_asr": self.asr,
            "protocol_decoding": dict(self.decoding),
            "form": form,
            "no_reference_words": "no value",
        }
        definition = f"{_FORM_WORDS[form]}; text rules of {self.source}"
        spec = error_rate_spec(name, title, form, definition, parameters)
        return ErrorRate(spec, form, normaliser=self.normaliser, insertions_without_reference=False)

    def as_printed(self, value: float) -> float:
        """A rate (fraction) in per cent with the tool's rounding."""
        return 100.0 * value if self.decimals is None else round(100.0 * value, self.decimals)


_LONGEVAL_DECODING = {"dtype": "float16", "timestamps": "word", "language": "en", "attention": "eager"}

SEED_TTS_EVAL = Protocol(
    name="seed-tts-eval",
    normaliser=normalisers.SEED_TTS_EVAL,
    aggregation="mean",
    asr="whisper-large-v3/transformers",
    decoding={"dtype": "float32", "beam_size": 1, "windows": "first 30 s alone", "resampler": "scipy.signal.resample"},
    decimals=3,
    source="BytedanceSpeech/seed-tts-eval@752f429 run_wer.py and average_wer.py",
)
F5_LIBRISPEECH_PC = Protocol(
    name="f5-librispeech-pc",
    normaliser=normalisers.F5_LIBRISPEECH,
    aggregation="mean",
    asr="whisper-large-v3/faster-whisper",
    decoding={
        "compute_type": "float16",
        "beam_size": 5,
        "temperature": [0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
        "condition_on_previous_text": True,
    },
    decimals=3,
    source="SWivid/F5-TTS@2ae2c9b src/f5_tts/eval/utils_eval.py and eval_librispeech_test_clean.py",
)
TTS_LONGEVAL = Protocol(
    name="tts-longeval",
    normaliser=normalisers.TTS_LONGEVAL_F5,
    aggregation="mean",
    asr="whisper-large-v3/transformers",
    decoding=_LONGEVAL_DECODING,
    decimals=2,
    source="kyutai-labs/tts_longeval@4c333b1 tts_longeval/wer.py with configs/librispeech.toml",
)
TTS_LONGEVAL_SEED = Protocol(
    name="tts-longeval-seed",
    normaliser=normalisers.TTS_LONGEVAL_SEED,
    aggregation="mean",
    asr="whisper-large-v3/transformers",
    decoding=_LONGEVAL_DECODING,
    decimals=2,
    source="kyutai-labs/tts_longeval@4c333b1 tts_longeval/wer.py with configs/seeden.toml",
)
POCKET_TTS = Protocol(
    name="pocket-tts",
    normaliser=normalisers.WHISPER_ENGLISH,
    aggregation="corpus",
    asr="granite-speech-4.1-2b/transformers",
    decoding={"dtype": "bfloat16", "beam_size": 1, "max_new_tokens": 200},
    decimals=None,
    source="kyutai-labs/pocket-tts@109ac2e training/eval/librispeech.py",
)

PROTOCOLS: Mapping[str, Protocol] = MappingProxyType(
    {each.name: each for each in (SEED_TTS_EVAL, F5_LIBRISPEECH_PC, TTS_LONGEVAL, TTS_LONGEVAL_SEED, POCKET_TTS)}
)
"""By name."""

WER_SEED_TTS_EVAL = SEED_TTS_EVAL.in_form("mean")
WER_F5_LIBRISPEECH_PC = F5_LIBRISPEECH_PC.in_form("mean")
WER_TTS_LONGEVAL = TTS_LONGEVAL.in_form("mean")
WER_TTS_LONGEVAL_SEED = TTS_LONGEVAL_SEED.in_form("mean")
WER_POCKET_TTS = POCKET_TTS.in_form("corpus")


def wer_by_protocol(protocol: str, form: str | None = None) -> ErrorRate:
    """A protocol's WER in any form (None: the one that its tool reports). Raises InputError on unknown names."""
    if protocol not in PROTOCOLS:
        raise InputError(f"unknown error-rate protocol '{protocol}'. Known: {', '.join(PROTOCOLS)}")
    recipe = PROTOCOLS[protocol]
    for known in get_args(Form):
        if known == (form or recipe.aggregation):
            return recipe.in_form(known)
    raise InputError(f"unknown form '{form}' of an error rate. Known: {', '.join(get_args(Form))}")


def title_with(spec: MetricSpec, judge: JudgeInfo | None) -> str:
    """The title of a metric, and where its protocol names another ASR or other decoding than the judge's, which.

    A metric of no protocol keeps its title. Decoding is the protocol's only when the judge declares every option of it
    with the same value.
    """
    named = spec.parameters.get("protocol_asr")
    if named is None or judge is None:
        return spec.title
    if judge.name != named:
        return f"{spec.title} ({judge.name}, not {named})"
    options: Mapping[str, Any] = spec.parameters["protocol_decoding"]
    other = [option for option, value in options.items() if judge.parameters.get(option) != value]
    return f"{spec.title} (other {', '.join(other)})" if other else spec.title


def median_rate(items: Sequence[Edits]) -> float:
    """Median over items of edits over length; items of no length are left out.

    Raises ValueError when none is left.
    """
    rates = [item.errors / item.length for item in items if item.length]
    if not rates:
        raise ValueError("no item has reference words")
    return float(np.median(rates))
