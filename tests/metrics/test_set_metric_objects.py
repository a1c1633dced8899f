"""Metrics of sets as objects: what they do with refusals, failures, few clips and equal sets."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import sqrtm

from calm_eval.judges.protocol import Judgement
from calm_eval.metrics.diversity import VERT
from calm_eval.metrics.fad import FAD, LOW_RANK
from calm_eval.metrics.fad_floor import FAD_FLOOR
from calm_eval.metrics.fad_infinity import FAD_INFINITY
from calm_eval.metrics.kad import KAD
from calm_eval.metrics.kl import KL, KL_CATEGORICAL
from calm_eval.metrics.protocol import SampleView, SetReference, SetSample
from calm_eval.metrics.spread import SEED_SPREAD
from calm_eval.metrics.text_audio_agreement import TEXT_AUDIO_AGREEMENT
from calm_eval.metrics.transcript_perplexity import perplexity_mini

OF_EMBEDDINGS = [FAD, FAD_FLOOR, KAD]


def sample(item, vectors=None, *, seed=0, failure=None, refused=None, text=None, caption=None, heard=None):
    judged = {}
    if failure is None:
        told = None if vectors is None else np.asarray(vectors, dtype=np.float32)
        judged["sample"] = Judgement(vectors=told, refused=refused, text=heard)
    if text is not None:
        judged["text"] = Judgement(vectors=np.asarray(text, dtype=np.float32)[None])
    return SetSample(item, seed, SampleView(failure=failure, text=caption, judgements=judged))


def clips(count, frames=6, dims=3, seed=0, move=0.0):
    rng = np.random.default_rng(seed)
    return {f"clip-{n}": (rng.standard_normal((frames, dims)) + move).astype(np.float32) for n in range(count)}


def samples(of):
    return [sample(name, frames) for name, frames in of.items()]


def references(of):
    return [SetReference(name, Judgement(vectors=frames)) for name, frames in of.items()]


def by_scipy(first, second):
    one, two = (np.concatenate(list(each.values())).astype(np.float64) for each in (first, second))
    covariances = [np.cov(each, rowvar=False) for each in (one, two)]
    root = sqrtm(covariances[0] @ covariances[1]).real
    away = one.mean(axis=0) - two.mean(axis=0)
    return float(away @ away + np.trace(covariances[0] + covariances[1] - 2 * root))


def test_fad_is_that_of_scipy_whatever_the_order():
    made, true = clips(30, move=0.4), clips(40, seed=1)
    found = FAD.measure_set(samples(made), references(true))
    assert found.value == pytest.approx(by_scipy(made, true), rel=1e-8)
    backwards = FAD.measure_set(samples(made)[::-1], references(true)[::-1])
    assert backwards.value == pytest.approx(found.value, rel=1e-12)
    assert (backwards.low, backwards.high) == pytest.approx((found.low, found.high), rel=1e-9)
    assert found.low < found.high


def test_equal_sets_are_at_nought_with_no_width():
    made = clips(25)
    for metric in (FAD, KAD):
        found = metric.measure_set(samples(made), references(made))
        assert found.value == pytest.approx(0.0, abs=1e-9)
        assert (found.low, found.high) == pytest.approx((0.0, 0.0), abs=1e-9)


def test_the_whole_set_twice_changes_nothing_but_the_divisor():
    made, true = clips(20, move=0.3), clips(20, seed=3)
    doubled = {**made, **{f"{name}-again": frames for name, frames in made.items()}}
    count = 20 * 6
    once, twice = (FAD.measure_set(samples(each), references(true)).value for each in (made, doubled))
    # Only the divisor n - 1 of the covariance moves.
    shrink = math.sqrt((2 * count) * (count - 1) / (count * (2 * count - 1)))
    centre = np.concatenate(list(made.values())).astype(np.float64).mean(axis=0)
    scaled = {name: centre + (frames - centre) * shrink for name, frames in made.items()}
    assert twice == pytest.approx(FAD.measure_set(samples(scaled), references(true)).value, rel=1e-6)
    assert twice != once


@pytest.mark.parametrize("metric", OF_EMBEDDINGS, ids=lambda metric: metric.spec.name)
@pytest.mark.parametrize("place", [0, 12, 23])
@pytest.mark.parametrize(
    ("bad", "name"),
    [({"failure": "nan"}, "nan"), ({"failure": "missing"}, "missing"), ({"refused": "silent"}, "judge:silent")],
)
def test_a_bad_clip_is_left_out_by_name_wherever_it_stands(metric, place, bad, name):
    made, true = samples(clips(24, move=0.5)), references(clips(24, seed=5))
    without = metric.measure_set(made, true)
    with_it = metric.measure_set([*made[:place], sample("bad", **bad), *made[place:]], true)
    assert with_it.value == pytest.approx(without.value, rel=1e-12)
    assert (with_it.scored, dict(with_it.failures)) == (24, {name: 1})


@pytest.mark.parametrize("metric", [*OF_EMBEDDINGS, FAD_INFINITY], ids=lambda metric: metric.spec.name)
@pytest.mark.parametrize("of", [[], [("a", None)], [("a", "failed")]])
def test_nothing_to_measure_is_a_named_refusal_and_no_number(metric, of):
    made = [sample(name, refused="silent") if how is None else sample(name, failure="crash") for name, how in of]
    found = metric.measure_set(made, references(clips(5)))
    assert found.value is None
    assert found.refused
    assert sum(found.failures.values()) == len(of)


def test_a_refused_clip_of_the_reference_set_is_said():
    true = [*references(clips(10, seed=2)), SetReference("quiet", Judgement(refused="silent"))]
    for metric in OF_EMBEDDINGS:
        assert "reference set: judge:silent ×1" in metric.measure_set(samples(clips(10)), true).warnings


def test_one_clip_of_several_frames_has_a_fad_and_no_interval():
    found = FAD.measure_set(samples(clips(1, frames=9)), references(clips(12, seed=2)))
    assert found.value > 0
    assert (found.low, found.high) == (None, None)
    assert KAD.measure_set(samples(clips(1)), references(clips(12))).refused == "fewer than two clips"


def test_few_frames_are_marked():
    few = FAD.measure_set(samples(clips(3, frames=1, dims=5)), references(clips(30, dims=5)))
    assert LOW_RANK in few.warnings
    assert LOW_RANK not in FAD.measure_set(samples(clips(30, dims=5)), references(clips(30, dims=5, seed=1))).warnings


def test_all_seeds_of_an_item_are_one_clip():
    made = clips(10, move=0.2)
    true = references(clips(30, seed=4))
    halves = [
        sample(name, part, seed=seed)
        for name, frames in made.items()
        for seed, part in enumerate((frames[:3], frames[3:]))
    ]
    whole, split = (FAD.measure_set(each, true) for each in (samples(made), halves))
    assert (split.value, split.low, split.high) == pytest.approx((whole.value, whole.low, whole.high), rel=1e-9)
    assert (split.scored, whole.scored) == (20, 10)


def test_the_floor_is_what_equal_distributions_show():
    values, floors = [], []
    for world in range(40):
        made, true = clips(60, frames=1, dims=4, seed=world), clips(200, frames=1, dims=4, seed=1000 + world)
        values.append(FAD.measure_set(samples(made), references(true)).value)
        floors.append(FAD_FLOOR.measure_set(samples(made), references(true)).value)
    # Identity covariance, d = 4: (1/60 + 1/200) (4 + 5) = 0.195.
    assert np.mean(floors) == pytest.approx((1 / 60 + 1 / 200) * 9, rel=0.1)
    assert np.mean(values) == pytest.approx(np.mean(floors), rel=0.15)


def test_infinity_wants_five_frames_a_dimension_and_lies_below_the_biased_value():
    true = references(clips(400, frames=1, dims=3, seed=9))
    assert FAD_INFINITY.measure_set(samples(clips(14, frames=1)), true).refused == "n < 5d"
    made = samples(clips(120, frames=1, move=0.3, seed=2))
    found = FAD_INFINITY.measure_set(made, true)
    assert found.low < found.value < found.high
    assert found.value < FAD.measure_set(made, true).value


def pair(reference, made):
    judged = {}
    for name, vectors in (("reference", reference), ("sample", made)):
        judged[name] = (
            Judgement(refused=vectors) if isinstance(vectors, str) else Judgement(vectors=np.float32(vectors))
        )
    return SampleView(failure=None, judgements=judged)


def test_kl_of_a_pair_and_its_refusals():
    value = KL.measure(pair([[0.5, 0.5]], [[0.25, 0.5]])).numerator
    assert value == pytest.approx(0.5 * math.log(2) + 0.5 * math.log(0.5 / 0.75), rel=1e-6)
    assert KL.measure(pair([[0.3, 0.2]], [[0.3, 0.2]])).numerator == 0.0
    assert KL_CATEGORICAL.measure(pair([[0.2, 0.4]], [[0.1, 0.2]])).numerator == pytest.approx(0.0, abs=1e-7)
    assert KL.measure(pair("silent", [[0.1]])).refused == "reference:silent"
    assert KL.measure(pair([[0.1]], "too-short")).refused == "judge:too-short"
    assert KL.measure(SampleView(failure="nan")).refused == "nan"
    assert KL.measure(SampleView(failure=None, judgements={"sample": Judgement(vectors=np.ones((1, 1)))})).refused == (
        "no-reference"
    )


def captioned(texts, sounds):
    return [
        sample(f"item-{number}", sound[None], text=text, caption=f"caption {number}")
        for number, (text, sound) in enumerate(zip(texts, sounds, strict=True))
    ]


def test_agreement_is_a_cosine_and_its_gates_know_good_from_collapsed_and_from_deaf():
    rng = np.random.default_rng(0)
    texts = rng.standard_normal((12, 16)).astype(np.float32)
    good = captioned(texts, texts + 0.3 * rng.standard_normal((12, 16)).astype(np.float32))
    verdict = TEXT_AUDIO_AGREEMENT.gate(good)
    assert (verdict.invalid, verdict.warnings) == (None, ())
    value = TEXT_AUDIO_AGREEMENT.measure(good[3].view).numerator
    first, second = texts[3], good[3].view.judgements["sample"].vectors[0]
    assert value == pytest.approx(float(first @ second / np.linalg.norm(first) / np.linalg.norm(second)), rel=1e-6)
    deaf = TEXT_AUDIO_AGREEMENT.gate(captioned(texts, rng.standard_normal((12, 16)).astype(np.float32)))
    assert deaf.invalid == "gate: not telling captions apart"
    alike = np.float32(1) + 0.01 * texts
    assert "telling texts apart" in TEXT_AUDIO_AGREEMENT.gate(captioned(alike, alike)).invalid
    few = TEXT_AUDIO_AGREEMENT.gate(good[:5])
    assert (few.invalid, len(few.warnings)) == (None, 2)


def test_transcripts_without_words_are_counted_and_not_diverse():
    told = [sample("a", heard="the cat sat"), sample("b", heard="a dog ran off"), sample("c", heard=" ")]
    told.append(sample("d", failure="crash"))
    for metric in (VERT, perplexity_mini()):
        found = metric.measure_set(told, ())
        assert found.value is not None
        assert (found.scored, dict(found.failures)) == (2, {"no-words": 1, "crash": 1})
    assert VERT.measure_set(told[1:], ()).refused == "fewer than two transcripts"
    assert perplexity_mini().measure_set(told[2:], ()).refused == "no transcript"


def test_a_loop_is_likely_and_not_diverse():
    loop = [sample(name, heard="the man sold " * 8) for name in "abc"]
    assert VERT.measure_set(loop, ()).value == pytest.approx(1.0)


def test_the_interval_of_vert_is_as_wide_as_vert_spreads_over_worlds():
    def world(seed):
        rng = np.random.default_rng(seed)
        common = 1 / np.arange(1, 61)
        told = []
        for name in range(30):
            own = rng.choice(60, 20, replace=False)
            words = [rng.choice(own) if rng.random() < 0.4 else rng.choice(60, p=common / common.sum())
                     for _ in range(rng.integers(4, 20))]  # fmt: skip
            told.append(sample(f"i{name}", heard=" ".join(f"w{word}" for word in words)))
        return told

    found = [VERT.measure_set(world(seed), ()) for seed in range(60)]
    spread = float(np.std([one.value for one in found], ddof=1))
    # Student's t with 19 degrees of freedom reaches 2.093 standard errors to each side.
    told = float(np.mean([one.high - one.low for one in found])) / 2 / 2.093
    assert 0.75 < told / spread < 1.25
    assert all((one.low + one.high) / 2 == pytest.approx(one.value) for one in found)
    backwards = VERT.measure_set(world(0)[::-1], ())
    assert (backwards.low, backwards.high) == (found[0].low, found[0].high)
    assert VERT.measure_set(world(0)[:2], ()).low is None


def test_spread_needs_two_seeds_and_is_the_mean_over_prompts():
    right = [sample("a", [[1.0, 0.0]]), sample("a", [[0.0, 1.0]], seed=1)]
    alike = [sample("b", [[1.0, 0.0]]), sample("b", [[2.0, 0.0]], seed=1)]
    found = SEED_SPREAD.measure_set([*right, *alike, sample("c", [[1.0, 0.0]])], ())
    assert found.value == pytest.approx(0.5)
    assert dict(found.failures) == {"one seed": 1}
    assert "--seeds" in SEED_SPREAD.measure_set(alike[:1], ()).refused
