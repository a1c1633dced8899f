"""Each flag of the paper's ablation removes what it names, and nothing else."""

import pytest
import torch

from reference_models.build import make_model
from reference_models.heads.protocol import Sampling
from reference_models.models.batch import Batch
from reference_models.models.conditioning import Conditions
from reference_models.models.generation import generate
from reference_models.models.language_model import count_parameters
from reference_models.noise import Noise
from reference_models.presets import load_model_preset

FULL = load_model_preset("mini-calm-music")


def ablated(awake, **changes):
    preset = FULL
    if "short_context" in changes:
        preset = preset.model_copy(update={"short_context": changes.pop("short_context")})
    preset = preset.model_copy(update={"training": preset.training.model_copy(update=changes)})
    full, model = awake(make_model(FULL)), awake(make_model(preset))
    model.load_state_dict({name: value for name, value in full.state_dict().items() if name in model.state_dict()})
    return full, model


def first_frame(model):
    with torch.inference_mode():
        return next(iter(generate(model, [Conditions()], [prompt()], [1], Sampling(), Noise([("a", 0)])))).frames


def prompt():
    return torch.randn(20, 32, generator=torch.Generator().manual_seed(5))


def seen_in_training(model, batch):
    """What the backbone is fed, and how many frames the head's loss gets."""
    seen = {}
    embed, loss = model.embed, model.head.loss

    def watched_embed(frames):
        seen["inputs"] = frames
        return embed(frames)

    def watched_loss(z, target, generator):
        seen["rows"] = len(z)
        return loss(z, target, generator)

    model.embed, model.head.loss = watched_embed, watched_loss
    try:
        model.loss(batch, torch.Generator().manual_seed(0))
    finally:
        model.embed, model.head.loss = embed, loss
    return seen


@pytest.fixture
def batch():
    frames = torch.randn(3, 300, 32, generator=torch.Generator().manual_seed(2))
    return Batch(frames, torch.tensor([300, 300, 300]))


def test_noise_augmentation(awake, batch):
    full, without = ablated(awake, noise_augmentation=False)
    assert count_parameters(full) == count_parameters(without)
    assert torch.equal(first_frame(full), first_frame(without))  # never at inference
    with_noise, clean = seen_in_training(full, batch), seen_in_training(without, batch)
    assert with_noise["rows"] == clean["rows"]
    assert torch.equal(clean["inputs"][:, 1:], batch.frames)
    assert torch.equal(with_noise["inputs"][:, 0], clean["inputs"][:, 0])  # the start latent stays clean
    noised = with_noise["inputs"][:, 1:]
    assert float(noised.var()) == pytest.approx(1.0, abs=0.05)  # variance preserving
    # E sqrt(1 - k) over uniform k is 2/3: how much of the clean latent is left on average.
    assert float((noised * batch.frames).mean()) == pytest.approx(2 / 3, abs=0.02)


def test_the_rule_that_the_paper_found_worse_loses_variance(awake, batch):
    _, linear = ablated(awake, noise_rule="linear")
    noised = seen_in_training(linear, batch)["inputs"][:, 1:]
    assert float(noised.var()) == pytest.approx(2 / 3, abs=0.03)  # E k^2 + E (1 - k)^2
    assert float((noised * batch.frames).mean()) == pytest.approx(1 / 2, abs=0.02)


def test_the_short_context_sees_clean_latents(awake, batch):
    full, _ = ablated(awake)
    seen = {}
    hook = full.into_short.register_forward_pre_hook(lambda module, inputs: seen.update(clean=inputs[0]))
    full.loss(batch, torch.Generator().manual_seed(0))
    hook.remove()
    assert torch.equal(seen["clean"][:, 1:], batch.frames)


def test_short_context(awake, batch):
    full, without = ablated(awake, short_context=None)
    parts, left = count_parameters(full), count_parameters(without)
    gone = {name: count for name, count in parts.items() if name not in left}
    assert sorted(gone) == ["into_short", "short_context", "short_norm"]
    assert {name: parts[name] for name in left} == left
    assert seen_in_training(full, batch)["rows"] == seen_in_training(without, batch)["rows"]
    with torch.inference_mode():
        states = [
            model.begin([Conditions()], [prompt()], 1, Sampling(), Noise([("a", 0)])) for model in (full, without)
        ]
        clean = torch.cat([full.start_frame[None], full.normalise(prompt())])
        short = full.short_norm(full.short_context(full.into_short(clean)[None]))[:, -1]
    assert torch.allclose(states[0].z, states[1].z + short, atol=1e-5)
    assert short.norm() > 1


def test_head_batch_multiplier(awake, batch):
    full, without = ablated(awake, head_batch=1)
    assert count_parameters(full) == count_parameters(without)
    assert torch.equal(first_frame(full), first_frame(without))
    assert seen_in_training(without, batch)["rows"] == 3 * 300
    assert seen_in_training(full, batch)["rows"] == FULL.training.head_batch * 3 * 300


def test_all_three_together_leave_backbone_and_head(awake):
    full, without = ablated(awake, noise_augmentation=False, head_batch=1, short_context=None)
    assert sorted(count_parameters(without)) == ["backbone", "head", "into_backbone", "norm", "other"]
    assert not torch.allclose(first_frame(full), first_frame(without), atol=1e-3)
