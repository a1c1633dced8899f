"""WavLM Base+ with an x-vector head against transformers' WavLMForXVector on shared random weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from parity import apart
from shared_weights import drawn, parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.wavlm_base_plus_sv import LEAST, WavlmBasePlusSvJudge
from calm_eval.judges.wavlm_network import WAVLM_BASE
from calm_eval.judges.xvector_network import CONTEXT, XVectorNetwork, build

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
SMALL = replace(WAVLM_BASE, width=48, depth=3, heads=4, inner=96, channels=32, buckets=32, furthest=40)


def theirs(shape=WAVLM_BASE, weighted=True):
    """transformers' model with drawn weights; of its defaults, `microsoft/wavlm-base-plus-sv` has the head's."""
    config = transformers.WavLMConfig(
        hidden_size=shape.width, num_hidden_layers=shape.depth, num_attention_heads=shape.heads,
        intermediate_size=shape.inner, conv_dim=[shape.channels] * 7, num_buckets=shape.buckets,
        max_bucket_distance=shape.furthest, use_weighted_layer_sum=weighted, num_labels=5,
    )  # fmt: skip
    model = transformers.WavLMForXVector(config).eval()
    with torch.no_grad():
        for name, value in model.state_dict().items():
            value.copy_(torch.from_numpy(drawn(name, value.shape)))
    return model


@pytest.mark.parametrize("weighted", [True, False])
def test_vectors_are_those_of_transformers(weighted) -> None:
    model = theirs(SMALL, weighted)
    network = XVectorNetwork(model.state_dict(), torch, "cpu", SMALL)
    answers = []
    for kind, seconds in (("chord", 1.5), ("chirp", 0.6), ("noise", 0.33)):
        clip = parity_clip(kind, seconds, 16000)
        with torch.inference_mode():
            expected = model(torch.from_numpy(clip)[None]).embeddings
        answers.append(network(clip))
        assert apart(answers[-1], expected) < 1e-4
    assert apart(answers[1], answers[0]) > 0.01


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The published size with drawn weights, under the names that old versions of transformers saved."""
    model = theirs()
    state = {}
    for name, value in model.state_dict().items():
        new = name.replace("parametrizations.weight.original0", "weight_g")
        state[new.replace("parametrizations.weight.original1", "weight_v")] = value
    file = tmp_path_factory.mktemp("sv") / "pytorch_model.bin"
    torch.save(state, file)
    return model, file


def test_a_published_checkpoint_through_the_judge(published) -> None:
    model, file = published
    judge = WavlmBasePlusSvJudge(path=str(file))
    judge.load("cpu", 1)
    clip = parity_clip("chord", 1.0, 16000)
    with torch.inference_mode():
        expected = model(torch.from_numpy(clip)[None]).embeddings
    short, found, silent = judge.judge([clip[: LEAST - 1], clip, 0 * clip])
    assert apart(found.vectors, expected) < 1e-4
    assert (short.refused, silent.refused) == ("too-short", "silent")
    assert judge.judge([clip[:LEAST]])[0].vectors.shape == (1, 512)
    assert judge.judge([np.full(9000, np.nan, dtype=np.float32)])[0].refused == "nan"
    assert judge.judge([clip[:0]])[0].refused == "empty"


def test_names_of_the_published_checkpoint() -> None:
    with torch.device("meta"):
        state = build(torch).state_dict()
    head = {"layer_weights", "projector.weight", "projector.bias", "feature_extractor.weight", "feature_extractor.bias"}
    head |= {f"tdnn.{place}.kernel.{part}" for place in range(5) for part in ("weight", "bias")}
    assert {name for name in state if not name.startswith("wavlm.")} == head
    assert len(state) == 248 + len(head)
    assert state["tdnn.4.kernel.weight"].shape == (1500, 512)
    assert state["feature_extractor.weight"].shape == (512, 3000)
    assert CONTEXT == 15


def test_a_batch_of_transformers_is_not_its_clips() -> None:
    """The group norm hears the padding, and the lengths that transformers takes forget the dilations."""
    model = theirs(SMALL)
    network = XVectorNetwork(model.state_dict(), torch, "cpu", SMALL)
    long, short = parity_clip("chord", 1.5, 16000), parity_clip("chirp", 0.8, 16000)
    samples, mask = torch.zeros(2, long.size), torch.zeros(2, long.size, dtype=torch.long)
    for row, clip in enumerate((long, short)):
        samples[row, : clip.size], mask[row, : clip.size] = torch.from_numpy(clip), 1
    with torch.inference_mode():
        batch = model(samples, attention_mask=mask).embeddings
    assert apart(network(long)[0], batch[0]) < 1e-4
    assert apart(network(short)[0], batch[1]) > 0.01


def test_a_judge_on_random_weights_runs_and_others_are_refused(tmp_path) -> None:
    judge = WavlmBasePlusSvJudge(random=0)
    judge.load("cpu", 1)
    (found,) = judge.judge([parity_clip("noise", 0.5, 16000)])
    assert found.vectors.shape == (1, 512)
    assert np.isfinite(found.vectors).all()
    info = judge.info
    assert (info.name, info.verified, info.unscored) == ("wavlm-base-plus-sv", "code", "random weights")
    file = tmp_path / "base.bin"
    torch.save({"encoder.layer_norm.weight": torch.zeros(768)}, file)
    with pytest.raises(UnavailableError, match="not a checkpoint of WavLMForXVector"):
        WavlmBasePlusSvJudge(path=str(file)).load("cpu", 1)
    with pytest.raises(InputError, match="give one of them"):
        WavlmBasePlusSvJudge(path="a.bin", random=1)
