"""A third-party package registers a system, a judge and a metric by entry points alone."""

from __future__ import annotations

import pytest

from calm_eval import evaluate
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.metrics import METRICS
from calm_eval.registry import SYSTEMS, Registry, import_target


def test_the_three_families_find_the_package(tmp_path, tone_suite):
    assert SYSTEMS.target("demo-sine") == "calm_eval_demo:Sine"
    assert JUDGES.load("demo-level").info.name == "demo-level"
    assert METRICS.load("demo_level").spec.judge == "demo-level"
    run = evaluate(str(tone_suite(3)), ["demo-sine"], out=tmp_path / "run")
    summary = run.summary().set_index("metric")
    # A sine of amplitude 0.5: RMS 0.5 / sqrt(2); it holds over any whole number of periods.
    assert summary.loc["demo_level", "value"] == pytest.approx(0.35355, rel=0.01)
    samples = run.samples()
    assert (samples["streamed"] == 1).all()
    assert (samples["first_audio_seconds"] < samples["generate_seconds"]).all()
    assert samples["spans"].str.contains("head").all()


def test_unknown_names_are_helped_and_broken_packages_named():
    with pytest.raises(InputError, match="did you mean 'wer'"):
        METRICS.target("werr")
    with pytest.raises(UnavailableError, match="cannot import no_such_module"):
        import_target("no_such_module:thing")
    with pytest.raises(UnavailableError, match="has no 'thing'"):
        import_target("json:thing")
    with pytest.raises(InputError, match="two packages register systems 'demo-sine'"):
        Registry("systems", {"demo-sine": "elsewhere:Thing"}).targets()


def test_in_process_gives_the_same_sounds(tmp_path, tone_suite):
    suite = str(tone_suite(3))
    child = evaluate(suite, ["demo-sine"], out=tmp_path / "child")
    here = evaluate(suite, ["demo-sine"], out=tmp_path / "here", in_process=True)
    assert child.samples()["audio"].tolist() == here.samples()["audio"].tolist()
