"""faster-whisper as the package decodes by itself: the same texts, and draws that are a clip's own."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("faster_whisper")

from conftest import available

from calm_eval.assets import fetch
from calm_eval.errors import InputError
from calm_eval.judges.faster_whisper import FasterWhisperJudge, whisper_tiny_en
from calm_eval.judges.faster_whisper_decoding import FALLBACK, SEED
from calm_eval.metrics.error_rate_protocols import F5_LIBRISPEECH_PC, title_with
from calm_eval.selftest.signals import signal

ASSET = "whisper-tiny.en-ct2"
SPOKEN = signal("spoken", 16000)
BACKWARDS, HURRIED = (np.ascontiguousarray(one) for one in (SPOKEN[::-1][16000:32000], SPOKEN[::2][:12000]))


@pytest.fixture(scope="module")
def as_f5():
    available(ASSET)
    judge = FasterWhisperJudge(model=ASSET, beam_size=5, fallback=True)
    judge.load("cpu", 1)
    yield judge
    judge.close()


def test_speech_is_transcribed_as_f5_tts_calls_the_package(as_f5, utterances) -> None:
    from faster_whisper import WhisperModel

    model = WhisperModel(str(fetch(ASSET)), device="cpu", compute_type="int8", cpu_threads=1)
    for utterance in utterances[2:40:16]:
        (found,) = as_f5.judge([utterance.audio])
        assert not found.notes["fell_back"]
        segments, _ = model.transcribe(utterance.audio, beam_size=5, language="en")
        assert found.text == "".join(segment.text for segment in segments).strip()


@pytest.mark.slow
def test_a_draw_is_the_clip_s_own(as_f5) -> None:
    """Whatever was drawn before, and by whatever judge of the same identity."""
    backwards, hurried = as_f5.judge([BACKWARDS, HURRIED])
    assert backwards.notes["fell_back"]
    assert hurried.notes["fell_back"]
    assert as_f5.judge([HURRIED]) == [hurried]
    other = FasterWhisperJudge(model=ASSET, beam_size=5, fallback=True)
    other.load("cpu", 1)
    assert other.judge([HURRIED]) == [hurried]
    plain = whisper_tiny_en()
    plain.load("cpu", 1)
    assert plain.judge([BACKWARDS])[0].text != backwards.text


def test_the_options_are_those_of_f5_tts(as_f5) -> None:
    asked = dict(F5_LIBRISPEECH_PC.decoding)
    asked.pop("compute_type")
    assert {name: as_f5.info.parameters[name] for name in asked} == asked
    named = dataclasses.replace(
        as_f5.info,
        name="whisper-large-v3/faster-whisper",
        parameters={**as_f5.info.parameters, "compute_type": "float16"},
    )
    spec = F5_LIBRISPEECH_PC.in_form("mean").spec
    assert title_with(spec, named) == spec.title


def test_the_package_s_defaults_are_still_these() -> None:
    import inspect

    from faster_whisper import WhisperModel

    defaults = inspect.signature(WhisperModel.transcribe).parameters
    assert {name: defaults[name].default for name in FALLBACK} == dict(FALLBACK)


def test_without_them_the_identity_is_the_old_one() -> None:
    plain, searched = whisper_tiny_en().info, FasterWhisperJudge(model=ASSET, beam_size=5).info
    assert {"seed", "best_of"}.isdisjoint(plain.parameters)
    assert plain.parameters["temperature"] == searched.parameters["temperature"] == 0.0
    assert {name for name in plain.parameters if plain.parameters[name] != searched.parameters[name]} == {"beam_size"}
    assert FasterWhisperJudge(model=ASSET, fallback=True).info.parameters["seed"] == SEED
    with pytest.raises(InputError, match="at least 1"):
        FasterWhisperJudge(model=ASSET, beam_size=0)
