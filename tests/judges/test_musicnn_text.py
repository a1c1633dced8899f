"""Music and captions in one space, by tags and sentence vectors."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.assets import fetch
from calm_eval.errors import UnavailableError
from calm_eval.judges.musicnn import tag_names
from calm_eval.judges.musicnn_text import PHRASE, MusicnnTextJudge, tag_vector
from calm_eval.selftest.signals import signal


@pytest.fixture(scope="module")
def judge():
    try:
        for name in ("musicnn-mtt", "minilm-l6-v2"):
            fetch(name)
    except UnavailableError as error:
        pytest.skip(f"weights cannot be had: {error}")
    made = MusicnnTextJudge()
    made.load("cpu", 1)
    yield made
    made.close()


def test_the_vector_is_the_weighted_sum_of_the_likeliest_phrases():
    phrases = np.eye(4)
    # sqrt(0.64) and sqrt(0.36) of unit vectors at right angles: already of length 1.
    assert tag_vector(np.array([0.1, 0.64, 0.05, 0.36]), phrases, top=2) == pytest.approx([0.0, 0.8, 0.0, 0.6])
    assert tag_vector(np.array([0.25, 0.0, 0.0, 0.0]), phrases, top=1) == pytest.approx([1.0, 0.0, 0.0, 0.0])


def test_a_phrase_of_the_likeliest_tag_is_nearer_than_that_of_the_least_likely(judge):
    chord = signal("chord", 16000)
    (heard,) = judge.judge([chord])
    (tagged,) = judge._tagger.judge([chord])
    shares = tagged.vectors.mean(axis=0)
    tags = tag_names("MTT")
    best, worst = (
        judge.judge_texts([PHRASE.format(tag=tags[place])])[0] for place in (shares.argmax(), shares.argmin())
    )
    assert float(heard.vectors[0] @ best.vectors[0]) > float(heard.vectors[0] @ worst.vectors[0]) + 0.1


def test_an_answer_does_not_depend_on_its_neighbours(judge):
    sounds = [signal(name, 16000) for name in ("chord", "tone", "noise")]
    together = [one.vectors for one in judge.judge(sounds)]
    for sound, vector in zip(sounds, together, strict=True):
        assert np.array_equal(judge.judge([sound])[0].vectors, vector)
    texts = ["a solo piano melody", "loud drums"]
    for text, one in zip(texts, judge.judge_texts(texts), strict=True):
        assert np.array_equal(judge.judge_texts([text])[0].vectors, one.vectors)
        assert np.linalg.norm(one.vectors) == pytest.approx(1.0, abs=1e-6)


def test_refusals_are_those_of_the_tagger_and_an_empty_text_is_empty(judge):
    refused = [one.refused for one in judge.judge([np.zeros(0, np.float32), np.zeros(64000, np.float32)])]
    assert refused == ["empty", "silent"]
    assert judge.judge_texts(["  "])[0].refused == "empty"


def test_not_loaded_is_an_error():
    with pytest.raises(UnavailableError, match="not loaded"):
        MusicnnTextJudge().judge([signal("tone", 16000)])
