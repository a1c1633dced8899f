"""`selftest` and `doctor`: what they find right, wrong and missing."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import JudgeInfo, Judgement, Requires
from calm_eval.judges.readiness import readiness
from calm_eval.metrics import METRICS
from calm_eval.selftest.check import Check, Golden
from calm_eval.selftest.run import selftest, told
from calm_eval.selftest.signals import signal


@pytest.fixture
def nothing_cached(tmp_path, monkeypatch):
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))


def test_every_closed_form_holds_without_any_weights(nothing_cached):
    outcomes = list(selftest())
    assert [one for one in outcomes if one.failed] == []
    assert sum(one.state == "ok" for one in outcomes) >= 25
    away = [one.subject for one in outcomes if one.state.startswith("not here")]
    assert {"musicnn-mtt-tags", "resemblyzer", "whisper-tiny.en"} <= set(away)
    assert f"{len(away)} judges not here" in told(outcomes)
    assert "assets fetch musicnn-mtt" in told(outcomes)


def test_every_kind_of_arithmetic_has_a_closed_form():
    without = set()
    for target in METRICS.targets().values():
        module, _, _ = target.partition(":")
        if module.startswith("calm_eval.metrics.") and not getattr(__import__(module, fromlist=["x"]), "CHECKS", ()):
            without.add(module.rpartition(".")[2])
    # Their values are a judge's score or the clock's, with nothing to compute; protocols count with word_error_rate.
    assert without == {"dnsmos", "speed", "error_rate_protocols", "hallucination", "squim", "nisqa"}


def test_every_judge_with_weights_has_a_golden():
    named = set()
    for target in JUDGES.targets().values():
        module, _, _ = target.partition(":")
        named |= {one.judge for one in getattr(__import__(module, fromlist=["x"]), "GOLDENS", ())}
    own = {name for name, target in JUDGES.targets().items() if target.startswith("calm_eval.")}
    # Judges that take a seed were held against the original on random weights alone, and say so (`verified: code`).
    unproven = {name for name in own if "random" in inspect.signature(JUDGES.load(name)).parameters}
    assert {JUDGES.load(name)(random=0).info.verified for name in unproven} == {"code"}
    # Who says `weights` says by whom, when and against what.
    infos = [JUDGES.load(name)().info for name in named]
    assert all(info.verified == "weights" and "calm-eval, 20" in info.proven for info in infos)
    # The same network as musicnn-msd-tags; judges whose weights the user names, and those of large-v3 in each package;
    # judges of pairs, tested as metrics.
    assert own - named - unproven == {
        "musicnn-msd", "faster-whisper", "openai-whisper", "signal-pair", "speech-pair", "prompt-copy",
        *(f"whisper-large-v3-{package}" for package in ("openai", "faster", "transformers")),
    }  # fmt: skip


class Broken:
    info = JudgeInfo(name="demo-level", output="scores", sample_rate=16000, version=1, weights={})
    requires = Requires(packages=("calm_eval",))

    def load(self, device, threads):
        pass

    def judge(self, batch):
        return [Judgement(scores={"rms": float(np.abs(audio).mean())}) for audio in batch]

    def close(self):
        pass


def test_a_wrong_figure_fails_and_says_what_was_expected(monkeypatch, cli, nothing_cached):
    import calm_eval_demo

    rms = Golden("demo-level", "rms of a tone", lambda j: j.scores["rms"], 0.35355, 1e-4, "tone")
    monkeypatch.setattr(calm_eval_demo, "GOLDENS", (rms,), raising=False)
    good = [one for one in selftest() if one.subject == "demo-level"]
    assert [one.state for one in good] == ["ok"]
    monkeypatch.setattr(calm_eval_demo, "LevelJudge", Broken)
    bad = [one for one in selftest() if one.subject == "demo-level"]
    assert [one.state for one in bad] == ["FAIL"]
    # The mean magnitude of a sine of amplitude 1/2 is 1 / pi, 0.3183.
    assert "0.318303, expected 0.35355" in told(bad)


def test_a_closed_form_that_raises_is_a_failure(monkeypatch):
    import calm_eval_demo

    monkeypatch.setattr(calm_eval_demo, "CHECKS", (Check("divides", lambda: 1 / 0, 1.0),), raising=False)
    failed = [one for one in selftest() if one.failed]
    assert [one.subject for one in failed] == ["calm_eval_demo"]
    assert "ZeroDivisionError" in told(failed)


def test_signals_are_what_they_say():
    assert signal("silence", 8000).any() == np.False_
    assert np.abs(signal("tone", 16000)).max() == pytest.approx(0.5, abs=1e-3)
    noise = signal("noise", 16000).astype(np.float64)
    # Uniform in [-0.2, 0.2], nearly white: a congruence leaves a little.
    assert noise.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.02)
    power = np.fft.irfft(np.abs(np.fft.rfft(noise, 2 * noise.size)) ** 2)[: noise.size]
    assert np.abs(power[1:2000] / power[0]).max() < 0.05
    assert signal("spoken", 16000).size == pytest.approx(2.61 * 16000, abs=400)


def test_readiness_names_what_is_missing(nothing_cached, monkeypatch):
    import sys

    assert readiness("signal").ready
    away = readiness("resemblyzer")
    assert (away.ready, away.fetchable) == (False, True)
    assert "assets fetch resemblyzer" in away.told
    monkeypatch.setitem(sys.modules, "webrtcvad", None)
    assert "pip install 'calm-eval[mini]'" in readiness("resemblyzer").told
    assert readiness("faster-whisper").told.startswith("needs options")


def test_doctor_tells_of_judges_suites_and_packages(cli, tmp_path):
    call = cli("doctor", CALM_EVAL_CACHE=str(tmp_path / "cache"))
    assert call.returncode == 0, call.stderr
    assert "assets fetch whisper-tiny.en-ct2" in call.stdout
    assert "mini/tts: calm-eval assets fetch --suite mini/tts (" in call.stdout
    assert "torch " in call.stdout
