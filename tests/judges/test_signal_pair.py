"""Judges of a sample beside another sound."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.signal_pair import SignalPairJudge, speech_pair
from calm_eval.selftest.signals import signal


def test_names_settings_and_what_each_needs():
    names = {name: JUDGES.load(name)().info.name for name in ("signal-pair", "speech-pair", "prompt-copy")}
    assert all(name == told for name, told in names.items())
    assert speech_pair().requires.packages == ("pesq", "pystoi")
    with pytest.raises(InputError, match="expected one of distance, speech, copy"):
        SignalPairJudge("all")


def test_scores_are_those_of_the_functions_and_gain_does_not_count():
    sound, noise = signal("spoken", 16000), signal("noise", 16000)
    noisy = sound + 0.05 * noise[: sound.size]
    plain, louder = SignalPairJudge().judge_pairs([(noisy, sound), (0.5 * noisy, sound)])
    assert plain.scores["si_sdr"] == pytest.approx(louder.scores["si_sdr"], abs=1e-4)
    assert plain.scores["chroma_cosine"] == pytest.approx(louder.scores["chroma_cosine"], abs=1e-6)
    assert louder.scores["log_mel_distance"] > plain.scores["log_mel_distance"]


def test_a_frame_too_many_is_cut_and_a_second_is_not():
    sound = signal("chord", 16000)
    rounded, longer = SignalPairJudge().judge_pairs(
        [(np.append(sound, np.zeros(1500, np.float32)), sound), (np.append(sound, np.zeros(1700, np.float32)), sound)]
    )
    assert rounded.scores["si_sdr"] == pytest.approx(120.0)
    assert set(longer.notes["undefined"].values()) == {"unequal-lengths"}
    assert longer.scores == {}


def test_silence_is_undefined_by_name():
    quiet = np.zeros(32000, np.float32)
    (found,) = SignalPairJudge().judge_pairs([(signal("chord", 16000)[:32000], quiet)])
    assert found.notes["undefined"]["si_sdr"] == "silent"


def test_one_sound_alone_is_no_pair():
    assert SignalPairJudge().judge([signal("tone", 16000)])[0].refused == "no-pair"


def test_missing_packages_name_their_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pesq", None)
    with pytest.raises(UnavailableError, match=r"calm-eval\[speech-quality\]"):
        speech_pair().load("cpu", 1)
