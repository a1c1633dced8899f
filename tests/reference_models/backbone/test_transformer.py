import pytest
import torch

from reference_models.backbone.masks import attention_mask
from reference_models.backbone.rotary import rotate, rotations
from reference_models.backbone.transformer import Transformer
from reference_models.errors import ModelError

SHAPES = [
    {},
    {"window": 5},
    {"norm": "rms", "activation": "swiglu", "layer_scale": 0.3},
]


def make(**options):
    torch.manual_seed(0)
    return Transformer(64, 3, 4, 128, **options).eval()


@pytest.mark.parametrize("options", SHAPES)
@pytest.mark.parametrize("chunks", [[40], [1] * 40, [7, 1, 1, 20, 11]])
def test_streaming_equals_the_full_forward(options, chunks):
    model, x = make(**options), torch.randn(2, 40, 64)
    with torch.inference_mode():
        cache = model.start(2, 40)
        streamed = torch.cat([model.step(part, cache) for part in x.split(chunks, dim=1)], dim=1)
        assert torch.allclose(streamed, model(x), atol=1e-4)


@pytest.mark.parametrize("options", SHAPES)
def test_a_padded_row_equals_the_row_alone(options):
    model, x = make(**options), torch.randn(2, 30, 64)
    padding = torch.tensor([0, 6])
    with torch.inference_mode():
        padded = model(x, padding)
        assert torch.allclose(padded[1, 6:], model(x[1:, 6:])[0], atol=1e-4)
        assert torch.allclose(padded[0], model(x[:1])[0], atol=1e-4)
        cache = model.start(2, 30, padding)
        streamed = torch.cat([model.step(part, cache) for part in x.split([9] + [1] * 21, dim=1)], dim=1)
        assert torch.allclose(streamed[1, 6:], padded[1, 6:], atol=1e-4)


def test_no_position_sees_the_future():
    model, x = make(), torch.randn(1, 12, 64)
    changed = x.clone()
    changed[:, 8:] += 1
    before, after = model(x), model(changed)
    assert torch.equal(before[:, :8], after[:, :8])
    assert not torch.allclose(before[:, 8], after[:, 8])


def test_a_window_bounds_what_one_layer_sees():
    torch.manual_seed(0)
    model, x = Transformer(32, 1, 2, 64, window=4).eval(), torch.randn(1, 12, 32)
    changed = x.clone()
    changed[:, 5] += 1
    same = (model(x) == model(changed)).all(dim=-1)[0]
    assert same.tolist() == [True] * 5 + [False] * 4 + [True] * 3


def test_a_window_streams_without_end_in_bounded_memory():
    model, x = make(window=5), torch.randn(1, 500, 64)
    with torch.inference_mode():
        cache = model.start(1)
        streamed = torch.cat([model.step(part, cache) for part in x.split(33, dim=1)], dim=1)
        assert torch.allclose(streamed, model(x), atol=1e-4)
    assert cache.position == 500
    assert cache.memory[0].shape[3] == 2 * 5 + 64


def test_more_than_the_context_is_an_error_before_compute():
    model = make()
    cache = model.start(1, 10)
    with pytest.raises(ModelError, match="11 positions do not fit the context of 10"):
        model.step(torch.randn(1, 11, 64), cache)
    assert cache.position == 0


def test_rotary_scores_depend_on_the_distance_alone():
    torch.manual_seed(0)
    qkv = torch.randn(1, 1, 3, 1, 16)

    def score(at, distance):
        query = rotate(qkv, rotations(at + distance, 1, 16, 10_000.0))[:, :, 0]
        return float((query * rotate(qkv, rotations(at, 1, 16, 10_000.0))[:, :, 1]).sum())

    assert score(0, 3) == pytest.approx(score(977, 3), abs=1e-5)
    assert score(0, 3) != pytest.approx(score(0, 4), abs=1e-3)


def test_rotary_turns_the_first_pair_by_one_radian_a_position_and_leaves_values_alone():
    x = torch.zeros(1, 4, 3, 1, 8)
    x[..., 0] = 1.0
    turned = rotate(x, rotations(0, 4, 8, 10_000.0))
    places = torch.arange(4.0)
    for part in (0, 1):
        assert torch.allclose(turned[0, :, part, 0, 0], torch.cos(places))
        assert torch.allclose(turned[0, :, part, 0, 1], torch.sin(places))
    assert torch.equal(turned[:, :, 2], x[:, :, 2])


def test_the_mask_is_the_one_written_out_by_hand():
    hand = [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 0, 1, 1]]
    mask = attention_mask(5, 5, 0, 2, None, torch.device("cpu"))
    assert mask.int().tolist() == hand
    assert attention_mask(2, 5, 0, 2, None, torch.device("cpu")).int().tolist() == hand[3:]
    assert attention_mask(5, 5, 0, None, None, torch.device("cpu")) is None
