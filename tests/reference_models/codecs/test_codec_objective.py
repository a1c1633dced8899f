from __future__ import annotations

import math
from dataclasses import replace
from unittest.mock import patch

import pytest
import torch
from codec_builders import FORMS, LATENTS, codec, noise

from reference_models.codecs import objective as module
from reference_models.codecs.codec import Reconstruction
from reference_models.codecs.losses.levels import level_error
from reference_models.codecs.objective import Objective, Teacher, Weights
from reference_models.codecs.spectral import log_magnitudes
from reference_models.errors import ModelError

ALL = Weights(time=0.5, spectral=2.0, adversarial=3.0, features=4.0, kl=0.01, distillation=25.0)
TERMS = tuple(ALL.active)


def built(weights: Weights) -> Objective:
    torch.manual_seed(7)
    teacher = Teacher(LATENTS, 12) if weights.distillation else None
    return Objective(
        weights,
        16_000,
        spectral_sizes=(64, 256),
        discriminator_sizes=(256, 64),
        discriminator_filters=4,
        teacher=teacher,
    )


def reconstruction(audio: torch.Tensor) -> Reconstruction:
    made: Reconstruction = codec("spectral")(audio, torch.Generator().manual_seed(0))
    return made


AUDIO = 0.3 * noise(2, 1, 3200)
TEACHER = noise(2, 10, 12, seed=4)


def test_the_total_is_the_weighed_sum_of_its_parts() -> None:
    loss = built(ALL)(AUDIO, reconstruction(AUDIO), TEACHER)
    assert set(loss.parts) == set(TERMS)
    expected = sum(weight * loss.parts[name].item() for name, weight in ALL.active.items())
    assert loss.total.item() == pytest.approx(expected, rel=1e-5)
    assert all(part.item() > 0.0 for part in loss.parts.values())


@pytest.mark.parametrize("off", [None, 0.0])
@pytest.mark.parametrize("term", TERMS)
def test_switching_a_term_off_removes_it_and_nothing_else(term: str, off: float | None) -> None:
    full = built(ALL)
    less = built(replace(ALL, **{term: off}))
    if full.discriminator is not None and less.discriminator is not None:
        less.discriminator.load_state_dict(full.discriminator.state_dict())
    if full.distillation is not None and less.distillation is not None:
        less.distillation.load_state_dict(full.distillation.state_dict())
    made = reconstruction(AUDIO)
    before = full(AUDIO, made, TEACHER)
    after = less(AUDIO, made, TEACHER if term != "distillation" else None)
    assert set(after.parts) == set(TERMS) - {term}
    for name, part in after.parts.items():
        torch.testing.assert_close(part, before.parts[name])
    gone = ALL.active[term] * before.parts[term]
    torch.testing.assert_close(after.total, before.total - gone, rtol=1e-4, atol=1e-4)


def test_terms_that_are_off_are_neither_built_nor_computed() -> None:
    lone = built(Weights(kl=0.01))
    assert lone.spectral is None
    assert lone.discriminator is None
    assert lone.distillation is None
    assert not list(lone.parameters())
    with patch.object(module, "l1", side_effect=AssertionError("computed")):
        assert set(lone(AUDIO, reconstruction(AUDIO)).parts) == {"kl"}
    with pytest.raises(ModelError, match="no discriminator"):
        lone.judge(AUDIO, AUDIO)


def test_one_of_the_two_adversarial_terms_is_enough_for_a_discriminator() -> None:
    assert built(Weights(features=1.0)).discriminator is not None
    assert built(Weights(adversarial=1.0)).discriminator is not None


@pytest.mark.parametrize("term", [*TERMS, "commitment"])
@pytest.mark.parametrize("form", FORMS)
def test_each_term_moves_what_it_should(form: str, term: str) -> None:
    model = codec(form, "rvq" if term == "commitment" else "vae")
    weights = Weights(**{term: 1.0})
    objective = built(weights)
    audio = 0.3 * noise(2, 1, 6 * model.frame_size)
    made = model(audio, torch.Generator().manual_seed(0))
    objective(audio, made, TEACHER if term == "distillation" else None).total.backward()

    def moved(part: torch.nn.Module) -> bool:
        return any(weight.grad is not None and float(weight.grad.abs().max()) > 0.0 for weight in part.parameters())

    assert moved(model.encoder)
    assert moved(model.decoder) == (term not in ("kl", "commitment", "distillation"))
    if objective.discriminator is not None:
        assert not moved(objective.discriminator)


def test_levels_move_encoder_and_decoder_of_the_spectral_form() -> None:
    model = codec("spectral")
    audio = 0.3 * noise(2, 1, 6 * model.frame_size)
    made = model(audio, torch.Generator().manual_seed(0))
    assert made.levels is not None
    torch.testing.assert_close(made.levels.true, log_magnitudes(model.decoder.stft(audio[:, 0])))
    torch.testing.assert_close(made.audio, model.decoder(made.latents))
    built(Weights(levels=1.0))(audio, made).total.backward()
    for part in (model.encoder, model.decoder):
        assert max(float(weight.grad.abs().max()) for weight in part.parameters() if weight.grad is not None) > 0.0
    with pytest.raises(ModelError, match="does not work on magnitudes"):
        built(Weights(levels=1.0))(AUDIO, codec("seanet")(AUDIO))


def test_levels_a_factor_apart_cost_its_logarithm_and_the_difference() -> None:
    true = torch.full((1, 2, 3), math.log(0.1))
    assert float(level_error(true, true)) == 0.0
    assert float(level_error(true + math.log(3.0), true)) == pytest.approx(math.log(3.0) + 10 * 0.2)


def test_the_discriminator_learns_without_the_codec() -> None:
    model = codec("spectral")
    objective = built(Weights(adversarial=1.0))
    made = model(AUDIO)
    objective.judge(AUDIO, made.audio).backward()
    assert all(weight.grad is None for weight in model.parameters())
    assert all(weight.grad is not None for weight in objective.discriminator.parameters())


def test_equal_audio_costs_only_what_is_not_reconstruction() -> None:
    made = Reconstruction(AUDIO, noise(2, 5, LATENTS))
    loss = built(Weights(time=1.0, spectral=1.0, features=1.0))(AUDIO, made)
    assert loss.total.item() == 0.0


def test_audio_shorter_than_whole_frames_is_compared_with_zeros_behind_it() -> None:
    made = Reconstruction(torch.cat([AUDIO, torch.ones(2, 1, 640)], dim=-1), noise(2, 6, LATENTS))
    assert built(Weights(time=1.0))(AUDIO, made).total.item() == pytest.approx(640 / 3840)


def test_what_does_not_fit_is_refused() -> None:
    made = reconstruction(AUDIO)
    with pytest.raises(ModelError, match="switch it off"):
        built(Weights(commitment=1.0))(AUDIO, made)
    with pytest.raises(ModelError, match="switch it off"):
        built(Weights(kl=1.0))(AUDIO, Reconstruction(AUDIO, made.latents))
    with pytest.raises(ModelError, match="teacher"):
        built(Weights(kl=1.0))(AUDIO, made, TEACHER)
    with pytest.raises(ModelError, match="teacher"):
        built(ALL)(AUDIO, made)
    with pytest.raises(ModelError, match="no teacher"):
        Objective(Weights(distillation=1.0), 16_000)
    with pytest.raises(ModelError, match="does not fit"):
        built(Weights(time=1.0))(torch.zeros(2, 1, 4000), made)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_impossible_weights_are_refused(weight: float) -> None:
    with pytest.raises(ModelError, match="loss weight time"):
        Weights(time=weight)


def test_no_weight_at_all_is_refused() -> None:
    with pytest.raises(ModelError, match="every loss weight"):
        Weights(kl=0.0)
