from __future__ import annotations

import numpy as np
import pytest
import torch
from codec_builders import noise

from reference_models.codecs.losses.distillation import Distillation, resampled
from reference_models.errors import ModelError


def test_resampling_equals_numpy_interpolation_at_frame_centres() -> None:
    features = noise(1, 50, 3)
    times = (np.arange(25) + 0.5) * 50 / 25 - 0.5
    expected = [np.interp(times, np.arange(50), features[0, :, channel].numpy()) for channel in range(3)]
    np.testing.assert_allclose(resampled(features, 25)[0].T.numpy(), expected, atol=1e-5)
    torch.testing.assert_close(resampled(features, 50), features)


def test_known_angles() -> None:
    distillation = Distillation(2, 2)
    distillation.project.weight.data.copy_(torch.eye(2))
    teacher = torch.tensor([1.0, 0.0]).expand(1, 4, 2)
    for latent, expected in (([5.0, 0.0], 0.0), ([0.0, 3.0], 1.0), ([-0.1, 0.0], 2.0), ([1.0, 1.0], 1 - 0.5**0.5)):
        loss = distillation(torch.tensor(latent).expand(1, 4, 2), teacher)
        assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_gradients_reach_latents_and_projection_only() -> None:
    distillation = Distillation(8, 5)
    latents, teacher = noise(2, 6, 8).requires_grad_(), noise(2, 12, 5, seed=3).requires_grad_()
    distillation(latents, teacher).backward()
    assert float(latents.grad.abs().max()) > 0.0
    assert float(distillation.project.weight.grad.abs().max()) > 0.0
    assert teacher.grad is None


def test_other_features_are_refused() -> None:
    with pytest.raises(ModelError, match="frames, 5"):
        Distillation(8, 5)(noise(2, 6, 8), noise(2, 6, 4))
    with pytest.raises(ModelError, match="frames, 5"):
        Distillation(8, 5)(noise(2, 6, 8), noise(1, 6, 5))
