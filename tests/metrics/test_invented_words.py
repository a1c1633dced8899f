from __future__ import annotations

import numpy as np
import pytest

from calm_eval.assets import fetch
from calm_eval.errors import UnavailableError
from calm_eval.judges.protocol import Judgement
from calm_eval.judges.timed_words import TimedWordsJudge
from calm_eval.metrics.invented_words import INVENTED_WORDS
from calm_eval.metrics.protocol import SampleView
from calm_eval.selftest.signals import signal


def view(words, voiced_chunks, chunks=100):
    probabilities = np.zeros((chunks, 1), dtype=np.float32)
    probabilities[:voiced_chunks] = 0.9
    judged = Judgement(text="...", vectors=probabilities, notes={"words": words})
    return SampleView(failure=None, judgements={"sample": judged})


def test_a_word_is_invented_when_it_touches_no_voice_within_a_fifth_of_a_second():
    # Voice ends at 25 * 0.032 = 0.8 s.
    value = INVENTED_WORDS.measure(view([[0.1, 0.5], [0.95, 1.2], [1.05, 1.2], [2.0, 2.4]], 25))
    assert (value.numerator, value.denominator) == (2, 4)
    assert INVENTED_WORDS.measure(view([], 25)).denominator == 0
    assert INVENTED_WORDS.measure(view([[0.0, 0.3]], 0)).numerator == 1


def test_failures_have_no_value():
    assert INVENTED_WORDS.measure(SampleView(failure="nan")).refused == "nan"
    told = SampleView(failure=None, judgements={"sample": Judgement(refused="empty")})
    assert INVENTED_WORDS.measure(told).refused == "judge:empty"
    plain = SampleView(failure=None, judgements={"sample": Judgement(text="no times")})
    assert INVENTED_WORDS.measure(plain).refused == "judge:no-word-times"


def test_real_speech_invents_nothing_and_noise_nothing_else():
    try:
        for name in ("whisper-tiny.en-ct2", "silero-vad"):
            fetch(name)
    except UnavailableError as error:
        pytest.skip(f"weights cannot be had: {error}")
    judge = TimedWordsJudge()
    judge.load("cpu", 1)
    spoken, chord = (
        INVENTED_WORDS.measure(SampleView(failure=None, judgements={"sample": found}))
        for found in judge.judge([signal("spoken", 16000), signal("chord", 16000)])
    )
    judge.close()
    assert (spoken.numerator, spoken.denominator) == (0, 9)
    # Whisper thanks a chord; nobody spoke.
    assert chord.denominator >= 1
    assert chord.numerator == chord.denominator
