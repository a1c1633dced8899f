"""What can change a number is in its fingerprint, and nothing else is."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import JudgeInfo
from calm_eval.keys import digest
from calm_eval.metrics import METRICS
from calm_eval.metrics.bound import bind, make_metric
from calm_eval.metrics.identity import judge_fingerprint, metric_identity
from calm_eval.specs.suite import MetricUse

OPTIONS: dict[str, dict[str, Any]] = {"wer_protocol": {"protocol": "seed-tts-eval"}, "perplexity": {}}
OURS = [name for name, target in METRICS.targets().items() if target.startswith("calm_eval.") and name != "perplexity"]
JUDGE_NAMES = [name for name, target in JUDGES.targets().items() if target.startswith("calm_eval.")]


def use(name: str) -> MetricUse:
    return MetricUse(name=name, options=OPTIONS.get(name, {}))


def changed(value: Any) -> Iterator[Any]:
    """The value with each of its leaves changed, one at a time."""
    if isinstance(value, dict):
        for key, one in value.items():
            for other in changed(one):
                yield {**value, key: other}
        yield {**value, "one more": 1}
    elif isinstance(value, list | tuple):
        for place, one in enumerate(value):
            for other in changed(one):
                yield [*value[:place], other, *value[place + 1 :]]
    elif isinstance(value, bool) or value is None:
        yield "changed"
    elif isinstance(value, int | float):
        yield value + 1
    else:
        yield f"{value}, changed"


@pytest.mark.parametrize("name", OURS)
def test_every_parameter_of_a_metric_is_in_its_fingerprint(name):
    spec = make_metric(use(name)).spec
    before = digest(metric_identity(spec, None))
    others = [dataclasses.replace(spec, parameters=other) for other in changed(dict(spec.parameters))]
    others += [dataclasses.replace(spec, version=spec.version + 1), dataclasses.replace(spec, name="other")]
    found = [digest(metric_identity(other, None)) for other in others]
    assert before not in found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", OURS)
def test_titles_units_and_display_are_not(name):
    spec = make_metric(use(name)).spec
    shown = dataclasses.replace(spec, title="another", unit="furlongs", scale=7.0, definition="", low=None, high=None)
    assert digest(metric_identity(shown, None)) == digest(metric_identity(spec, None))


def infos() -> Iterator[JudgeInfo]:
    for name in JUDGE_NAMES:
        try:
            yield JUDGES.load(name)().info
        except (InputError, UnavailableError):
            continue


@pytest.mark.parametrize("info", infos(), ids=lambda info: info.name)
def test_everything_that_a_judge_declares_is_in_its_fingerprint(info):
    before = judge_fingerprint(info)
    others = [dataclasses.replace(info, parameters=other) for other in changed(dict(info.parameters))]
    others += [dataclasses.replace(info, weights=other) for other in changed(dict(info.weights))]
    others += [
        dataclasses.replace(info, version=info.version + 1),
        dataclasses.replace(info, sample_rate=info.sample_rate + 1),
        dataclasses.replace(info, name="other"),
    ]
    found = [judge_fingerprint(other) for other in others]
    assert before not in found
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("judge", "options"),
    [
        ("musicnn-mtt", {}),
        ("whisper-tiny.en", {"compute_type": "float32"}),
        ("silero-vad", {"threshold": 0.6}),
        ("dnsmos", {"windows": "once"}),
        ("dnsmos", {"windows": "all"}),
        ("whisper-encoder", {"compute_type": "int8"}),
        ("signal", {"sample_rate": 16000}),
        ("musicnn-mtt-minilm", {"model": "MSD"}),
    ],
)
def test_options_of_a_judge_move_the_metric(judge, options):
    plain = bind(MetricUse.model_validate({"name": "fad", "judge": {"name": judge}}))
    other = bind(MetricUse.model_validate({"name": "fad", "judge": {"name": judge, "options": options}}))
    assert (plain.fingerprint == other.fingerprint) is (not options)
    assert plain.fingerprint != bind(MetricUse(name="kad", judge=plain.use.judge)).fingerprint


def test_no_two_metrics_are_one():
    prints = [bind(use(name)).fingerprint for name in OURS if name != "wer_protocol"]
    assert len(set(prints)) == len(prints)


def test_threads_revision_and_versions_of_libraries_are_environment(monkeypatch):
    """None of them has a way into a fingerprint: all that it reads is the metric, its options and its judge."""
    from importlib import metadata

    names = ["fad", "wer", "dnsmos_ovrl", "perplexity_mini", "text_audio_agreement"]
    before = [bind(use(name)).fingerprint for name in names]
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setattr(metadata, "version", lambda name: "999")
    monkeypatch.setattr("calm_eval.__version__", "999")
    monkeypatch.setattr("calm_eval.runs.environment._revision", lambda: "another")
    assert [bind(use(name)).fingerprint for name in names] == before
