"""What a model takes over from another, and what it keeps."""

import pytest
import torch

from reference_models.build import make_model
from reference_models.errors import ModelError
from reference_models.models.starting import begin_with
from reference_models.presets import load_preset


def test_a_discrete_model_reads_as_a_continuous_one_does():
    codes, latents = (
        make_model(load_preset(name), seed=seed) for seed, name in enumerate(("mini-rq-tts", "mini-calm-tts"))
    )
    before = {name: value.clone() for name, value in codes.state_dict().items()}
    taken = begin_with(codes, latents)
    after, source = codes.state_dict(), latents.state_dict()
    for name, value in after.items():
        assert torch.equal(value, source[name] if name in taken else before[name]), name
    assert "conditioning.text.weight" in taken
    assert {name for name in after if name.startswith("backbone.")} <= set(taken)
    # The voice prompt is embedded from another width, and heads have nothing in common.
    kept = set(after) - set(taken)
    assert {"conditioning.voice.weight", "embedding.weight"} <= kept
    assert all(not name.startswith("head.") for name in taken)


def test_another_backbone_is_refused():
    student, other = (make_model(load_preset(name)) for name in ("mini-calm-tts-student", "mini-rq-tts"))
    with pytest.raises(ModelError, match=r"backbones differ in 'backbone\.layers\.3\."):
        begin_with(other, student)
