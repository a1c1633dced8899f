"""How the trained minis are judged: paired tests, tuning, the classifier, the choice of items, the figures."""

from __future__ import annotations

import importlib
import json
from collections import Counter
from dataclasses import replace
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parent.parent / "benchmarks"


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a module of benchmarks/ as the scripts there import each other."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


@pytest.fixture
def paired(load: Any) -> Any:
    return load("minis_paired")


def test_gaps_by_hand(paired: Any) -> None:
    distances = np.array([[1.0, 2.0, 5.0, 9.0], [0.0, 3.0, 6.0, 8.0], [2.0, 4.0, 1.0, 7.0], [4.0, 4.0, 3.0, 2.0]])
    gaps = paired.own_and_others(distances, ["a", "a", "b", "c"])
    # Row 0: own 1, others the mean of group b (5) and group c (9).
    assert gaps == pytest.approx([1 - 7, 3 - 7, 1 - (3 + 7) / 2, 2 - (4 + 3) / 2])


def test_one_group_is_refused(paired: Any) -> None:
    with pytest.raises(ValueError, match="one group"):
        paired.own_and_others(np.zeros((2, 2)), ["a", "a"])


def test_sign_flips_reach_the_exact_p(paired: Any) -> None:
    # All of ten differences below 0 and equal: one of 2^10 sign patterns is as low.
    assert paired.sign_flip_p(np.full(10, -1.0), 200_000) == pytest.approx(2**-10, rel=0.25)
    assert paired.sign_flip_p(np.full(10, 1.0)) == pytest.approx(1)


def test_pairings_reach_the_exact_p(paired: Any) -> None:
    # Only the identity of 4! pairings has the sum 0.
    assert paired.pairing_p(1 - np.eye(4), 100_000) == pytest.approx(1 / 24, rel=0.1)


def test_one_sound_for_all_belongs_to_none(paired: Any) -> None:
    row = np.random.default_rng(0).random(30)
    assert paired.pairing_p(np.tile(row, (30, 1))) == pytest.approx(1)


def test_false_alarms_are_as_rare_as_promised(paired: Any) -> None:
    generator = np.random.default_rng(0)
    low = sum(paired.sign_flip_p(generator.standard_normal(20), 400) < 0.05 for _ in range(400))
    # Binomial with 400 trials at 0.05: 20 +- 4.4.
    assert 6 <= low <= 36


def test_binomial_tail(paired: Any) -> None:
    assert paired.binomial_p(3, 3, 0.125) == pytest.approx(0.125**3)
    assert paired.binomial_p(0, 50, 0.3) == pytest.approx(1)
    assert paired.binomial_p(6, 10, 0.5) == pytest.approx(sum(comb(10, k) for k in range(6, 11)) / 1024)


def test_tuning_finds_the_best_of_a_cost_without_interactions(load: Any) -> None:
    asked = []

    def cost(setting: dict[str, float]) -> float:
        asked.append(tuple(sorted(setting.items())))
        return abs(setting["temperature"] - 0.7) + abs(setting["steps"] - 8)

    tried = {"temperature": (0.3, 0.7, 1.0), "steps": (1, 4, 8)}
    assert load("minis_tts").tune({"temperature": 1.0, "steps": 4}, tried, cost) == {"temperature": 0.7, "steps": 8}
    # Three temperatures at 4 steps, two more steps; no setting twice.
    assert len(asked) == len(set(asked)) == 5


def test_shifted_texts_are_all_of_them_and_none_in_its_place(load: Any) -> None:
    texts = [str(number) for number in range(7)]
    moved = load("minis_tts").shifted(texts)
    assert sorted(moved) == texts
    assert all(first != second for first, second in zip(texts, moved, strict=True))


def test_the_classifier_is_as_good_as_bayes_on_gaussians(load: Any) -> None:
    generator = np.random.default_rng(0)
    centres = np.array([[0.0, 0.0], [2.0, 0.0]])
    labels = generator.integers(0, 2, 4000)
    points = centres[labels] + generator.standard_normal((4000, 2))
    names = ["left" if label == 0 else "right" for label in labels]
    classifier = load("minis_text2music").train(points[:2000], names[:2000])
    right = np.mean([told == name for told, name in zip(classifier.tell(points[2000:]), names[2000:], strict=True)])
    # Two unit Gaussians at distance 2 are told apart with probability Phi(1) = 0.8413, here +- 0.008.
    assert right == pytest.approx(0.8413, abs=0.025)


def test_the_classifier_stays_at_chance_on_labels_that_mean_nothing(load: Any) -> None:
    generator = np.random.default_rng(1)
    points, names = generator.standard_normal((2000, 4)), [str(one) for one in generator.integers(0, 4, 2000)]
    told = load("minis_text2music").train(points[:1000], names[:1000]).tell(points[1000:])
    right = np.mean([mine == its for mine, its in zip(told, names[1000:], strict=True)])
    assert right == pytest.approx(0.25, abs=0.05)


@pytest.fixture
def rows(load: Any) -> Any:
    """Thirty clips of voice a, six of b, in turns."""
    held_out = load("minis_material").HeldOut
    one = held_out("", "text", "a", Path("x.flac"), 2.0, ("sentence", "piece:p:1"))
    return [replace(one, id=str(number), voice="b" if number % 6 == 5 else "a") for number in range(36)]


def test_items_in_turns_are_balanced_and_unique(load: Any, rows: Any) -> None:
    taken = load("minis_material").in_turns(rows, lambda clip: clip.voice, 10)
    assert Counter(clip.voice for clip in taken) == {"a": 5, "b": 5}
    assert len({clip.id for clip in taken}) == 10


def test_sentences_of_an_engine_keep_its_proportion_of_voices(
    load: Any, rows: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    material = load("minis_material")
    named = [replace(one, voice=f"espeak-{one.voice}") for one in rows] + [replace(rows[0], voice="piper-c")]
    monkeypatch.setattr(material, "clips", lambda corpus, split: named)
    # Every sixth is of voice b: a plain choice of every sixth would hear one voice alone.
    assert Counter(clip.voice for clip in material.sentences("test", "espeak", 6)) == {
        "espeak-a": 5,
        "espeak-b": 1,
    }


def test_a_tag_is_read_by_its_kind(rows: Any) -> None:
    assert rows[0].tag("piece") == "p:1"
    with pytest.raises(KeyError, match="no tag 'key:'"):
        rows[0].tag("key")


def test_word_error_rates_by_hand(load: Any) -> None:
    words = load("minis_words")
    texts = ["The red dog ran.", "The cat sat."]
    scored = words.score(texts, ["the red dog", "a cat sat down"])
    assert (scored.edits, scored.words) == ((1, 2), (4, 3))
    assert scored.rate().value == pytest.approx(3 / 7)
    better = words.score(texts, texts)
    assert better.rate().value == 0
    assert scored.above(better).value == pytest.approx(3 / 7)
    with pytest.raises(ValueError, match="same texts"):
        scored.above(words.score(["a longer text by far", "x"], ["", ""]))


def test_figures_are_merged_and_those_of_other_weights_go(load: Any, tmp_path: Path) -> None:
    save, file = load("minis_outcome").save, tmp_path / "minis.json"
    save({"m": {"weights": {"model": "1"}, "wer": {"value": 0.5}}, "n": {"weights": {"model": "9"}}}, file)
    save({"m": {"weights": {"model": "1"}, "loop": {"failing": 0.0}}}, file)
    assert set(json.loads(file.read_text())["m"]) == {"weights", "wer", "loop"}
    save({"m": {"weights": {"model": "2"}, "loop": {"failing": 0.1}}}, file)
    assert json.loads(file.read_text()) == {
        "m": {"weights": {"model": "2"}, "loop": {"failing": 0.1}},
        "n": {"weights": {"model": "9"}},
    }
