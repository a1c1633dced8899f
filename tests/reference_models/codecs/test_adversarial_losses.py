from __future__ import annotations

import pytest
import torch
from codec_builders import noise

from reference_models.codecs.losses.adversarial import (
    MultiScaleDiscriminator,
    feature_matching,
    hinge_discriminator,
    hinge_generator,
)
from reference_models.errors import ModelError


def test_hinge_at_known_logits() -> None:
    real = [torch.tensor([2.0, 0.5]), torch.tensor([-1.0])]
    fake = [torch.tensor([-3.0, 0.0]), torch.tensor([1.0])]
    # Scale 1: (0 + 0.5) / 2 + (0 + 1) / 2; scale 2: 2 + 2.
    assert hinge_discriminator(real, fake).item() == pytest.approx((0.75 + 4.0) / 2)
    # Scale 1: (4 + 1) / 2; scale 2: 0.
    assert hinge_generator(fake).item() == pytest.approx(1.25)


def test_feature_matching_is_relative_and_zero_for_equal_features() -> None:
    real = [noise(2, 3), 100.0 * noise(4, 5)]
    assert feature_matching(real, real).item() == 0.0
    assert feature_matching(real, [1.5 * layer for layer in real]).item() == pytest.approx(0.5)
    assert feature_matching(real, [torch.zeros_like(layer) for layer in real]).item() == pytest.approx(1.0)


def test_a_frozen_pass_says_the_same_and_leaves_no_gradient() -> None:
    torch.manual_seed(0)
    discriminator = MultiScaleDiscriminator((256, 64), filters=4)
    audio = noise(2, 1, 1600).requires_grad_()
    plain, frozen = discriminator(audio), discriminator.frozen(audio)
    for a, b in zip(plain, frozen, strict=True):
        torch.testing.assert_close(a.logits, b.logits)
        assert len(a.features) == len(b.features) == 5
    hinge_generator([scale.logits for scale in frozen]).backward()
    assert float(audio.grad.abs().max()) > 0.0
    assert all(weight.grad is None for weight in discriminator.parameters())


def test_a_discriminator_learns_to_tell_noise_from_a_tone() -> None:
    torch.manual_seed(0)
    discriminator = MultiScaleDiscriminator((256,), filters=4)
    optimiser = torch.optim.Adam(discriminator.parameters(), lr=3e-3)
    tone = torch.sin(0.3 * torch.arange(1600.0)).expand(4, 1, 1600)
    for step in range(40):
        fake = noise(4, 1, 1600, seed=step)
        loss = hinge_discriminator([discriminator(tone)[0].logits], [discriminator(fake)[0].logits])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        real, fake = discriminator(tone)[0].logits.mean(), discriminator(noise(4, 1, 1600, seed=999))[0].logits.mean()
    assert real > 0.5
    assert fake < -0.5


def test_windows_that_cannot_be_are_refused() -> None:
    with pytest.raises(ModelError, match="windows"):
        MultiScaleDiscriminator(())
