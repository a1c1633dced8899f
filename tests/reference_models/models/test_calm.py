import pytest
import torch

from reference_models.backbone.transformer import Transformer
from reference_models.errors import ModelError
from reference_models.heads.consistency import ConsistencyHead
from reference_models.heads.lsd import LSDHead
from reference_models.heads.protocol import Sampling
from reference_models.models.batch import Batch
from reference_models.models.calm import CALM
from reference_models.models.conditioning import Conditioning, Conditions, drop, left_pad, without_text
from reference_models.models.generation import StopRule, generate
from reference_models.models.language_model import count_parameters
from reference_models.noise import Noise

DIM, LATENT = 32, 6
CONDITIONS = [
    Conditions(torch.tensor([1, 2, 3]), torch.linspace(-1, 1, 5 * LATENT).view(5, LATENT)),
    Conditions(torch.tensor([4, 5]), None),
    Conditions(None, torch.linspace(2, -2, 2 * LATENT).view(2, LATENT)),
]
PROMPTS = [torch.linspace(-2, 2, 6 * LATENT).view(6, LATENT), None, torch.linspace(1, -1, 2 * LATENT).view(2, LATENT)]
KEYS = [("a", 0), ("b", 1), ("c", 0)]


def make(awake, head=LSDHead, short=True, conditioned=True, **options):
    torch.manual_seed(0)
    model = CALM(
        LATENT,
        Transformer(DIM, 2, 4, 64),
        head(LATENT, DIM, 32, 2),
        short_context=Transformer(DIM, 2, 4, 64, window=4) if short else None,
        conditioning=Conditioning(DIM, 20, LATENT) if conditioned else None,
        **options,
    )
    model.fit_statistics(torch.randn(500, LATENT) * 3 + 1)
    return awake(model)


def latents(model, rows, sampling, frames=12):
    with torch.inference_mode():
        steps = generate(
            model,
            [CONDITIONS[row] if model.conditioning is not None else Conditions() for row in rows],
            [PROMPTS[row] for row in rows],
            [frames] * len(rows),
            sampling,
            Noise([KEYS[row] for row in rows]),
        )
        return torch.stack([step.frames for step in steps], dim=1)


@pytest.mark.parametrize("head", [LSDHead, ConsistencyHead])
@pytest.mark.parametrize("short", [True, False])
def test_generation_equals_the_full_forward_on_what_it_drew(awake, head, short):
    model, sampling = make(awake, head, short, conditioned=False), Sampling(temperature=0.8, steps=3)
    drawn = latents(model, [1], sampling)
    forced = model.teacher_forced(drawn, sampling, Noise([KEYS[1]]))
    assert drawn.std() > 0.5
    assert torch.allclose(forced, drawn, atol=1e-4)


@pytest.mark.parametrize("cfg", [1.0, 1.5])
def test_a_sample_does_not_depend_on_its_batch(awake, cfg):
    model, sampling = make(awake), Sampling(cfg=cfg, steps=2)
    together = latents(model, [0, 1, 2], sampling)
    turned = latents(model, [2, 0], sampling)
    alone = latents(model, [1], sampling)
    assert torch.allclose(together[2], turned[0], atol=1e-3)
    assert torch.allclose(together[0], turned[1], atol=1e-3)
    assert torch.allclose(together[1], alone[0], atol=1e-3)
    assert not torch.allclose(together[0], together[1], atol=1e-1)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(awake):
    model = make(awake)
    once, again = latents(model, [0, 1], Sampling()), latents(model, [0, 1], Sampling())
    assert torch.equal(once, again)
    with torch.inference_mode():
        steps = generate(model, CONDITIONS[:1], PROMPTS[:1], [3], Sampling(), Noise([("a", 1)]))
        other = torch.stack([step.frames for step in steps], dim=1)
    assert not torch.allclose(once[:1, :3], other, atol=1e-2)


def test_teacher_forced_latents_agree_across_batches_and_orders(awake):
    model = make(awake, conditioned=False)
    truth = torch.randn(3, 15, LATENT)
    sampling = Sampling(temperature=0.7, steps=2)
    together = model.teacher_forced(truth, sampling, Noise(KEYS))
    turned = model.teacher_forced(truth[[2, 0]], sampling, Noise([KEYS[2], KEYS[0]]))
    assert torch.allclose(together[[2, 0]], turned, atol=1e-3)


def test_guidance_of_weight_one_is_no_guidance_and_zero_is_the_null_condition(awake):
    model = make(awake)
    assert torch.equal(latents(model, [0], Sampling(cfg=1.0)), latents(model, [0], Sampling()))
    near = latents(model, [0], Sampling(cfg=1.0 + 1e-6), frames=1)
    assert torch.allclose(near, latents(model, [0], Sampling(), frames=1), atol=1e-3)
    with torch.inference_mode():
        null = next(iter(generate(model, [without_text(CONDITIONS[0])], PROMPTS[:1], [1], Sampling(), Noise(KEYS[:1]))))
    assert torch.allclose(latents(model, [0], Sampling(cfg=0.0), frames=1)[:, 0], null.frames, atol=1e-4)


def test_guidance_without_a_text_condition_is_an_error(awake):
    model = make(awake, conditioned=False)
    with pytest.raises(ModelError, match="needs a model with a text condition"):
        latents(model, [0], Sampling(cfg=2.0))


def test_the_prefix_is_start_of_voice_then_voice_then_text(awake):
    part = Conditioning(8, 20, LATENT)
    voice, text = torch.randn(3, LATENT), torch.tensor([7, 1])
    prefix = part(text, voice)
    assert torch.equal(prefix[:1], part.voice_start)
    assert torch.equal(prefix[1:4], part.voice(voice))
    assert torch.equal(prefix[4:], part.text.weight[[7, 1]])
    assert torch.equal(part(None, None), torch.cat([part.voice_start, part.null_text]))


def test_condition_dropout_is_independent_and_has_its_rates():
    rows = [Conditions(torch.tensor([1]), torch.zeros(1, 1))] * 20_000
    left = drop(rows, text=0.2, voice=0.3, generator=torch.Generator().manual_seed(0))
    no_text = torch.tensor([one.text is None for one in left], dtype=torch.float64)
    no_voice = torch.tensor([one.voice is None for one in left], dtype=torch.float64)
    assert float(no_text.mean()) == pytest.approx(0.2, abs=0.01)
    assert float(no_voice.mean()) == pytest.approx(0.3, abs=0.01)
    assert float((no_text * no_voice).mean()) == pytest.approx(0.06, abs=0.01)


def test_left_padding_aligns_rows_at_the_end():
    padded, padding = left_pad([torch.ones(2, 1), torch.full((3, 1), 2.0)])
    assert padded[..., 0].tolist() == [[0, 1, 1], [2, 2, 2]]
    assert padding.tolist() == [1, 0]
    assert left_pad([torch.ones(2, 1)])[1] is None


def test_the_loss_ignores_what_lies_beyond_the_lengths(awake):
    model = make(awake, stop=True, noise_augmentation=False, head_batch=1)
    frames = torch.randn(2, 9, LATENT)
    changed = frames.clone()
    changed[1, 5:] = 100.0
    lengths = torch.tensor([9, 5])
    losses = [
        model.loss(Batch(one, lengths, CONDITIONS[:2]), torch.Generator().manual_seed(0)) for one in (frames, changed)
    ]
    assert float(losses[0].total) == pytest.approx(float(losses[1].total), rel=1e-5)


def test_gradients_reach_every_part(awake):
    model = make(awake, stop=True, text_tokens=11)
    batch = Batch(torch.randn(3, 9, LATENT), torch.tensor([9, 4, 7]), CONDITIONS, torch.randint(0, 11, (3, 9)))
    for _ in range(40):  # LSD distils in a quarter of its calls
        model.loss(batch, torch.Generator().manual_seed(_)).total.backward()
    still = [name for name, one in model.named_parameters() if one.grad is None or not one.grad.any()]
    assert still == []


def test_speech_stops_by_its_head_and_at_its_limit(awake):
    model = make(awake, stop=True)

    def ends(rule, limits):
        with torch.inference_mode():
            steps = list(generate(model, CONDITIONS[:2], [None, None], limits, Sampling(), Noise(KEYS[:2]), rule))
        return len(steps), [next(step.ended[row] for step in steps if step.ended[row]) for row in range(2)]

    assert ends(StopRule(-1e9, after=2, not_before=3), [9, 9]) == (5, ["eos", "eos"])
    assert ends(StopRule(-1e9, after=0, not_before=3), [9, 9]) == (4, ["eos", "eos"])
    assert ends(StopRule(1e9), [4, 6]) == (6, ["length", "length"])
    assert ends(None, [2, 3]) == (3, ["length", "length"])
    assert ends(StopRule(-1e9, after=2, not_before=3), [2, 9]) == (5, ["length", "eos"])


def test_the_inner_monologue_changes_what_follows(awake):
    model = make(awake, conditioned=False, text_tokens=11)
    batch = Batch(torch.randn(1, 5, LATENT), torch.tensor([5]), None, torch.tensor([[1, 2, 3, 4, 5]]))
    z = model.conditions_of_frames(batch)
    other = model.conditions_of_frames(Batch(batch.frames, batch.lengths, None, torch.tensor([[1, 2, 9, 4, 5]])))
    same = torch.isclose(z, other, atol=1e-6).all(dim=-1)[0]
    assert same.tolist() == [True, True, True, False, False, False]


def test_parts_are_counted_by_name(awake):
    model = make(awake, stop=True)
    parts = count_parameters(model)
    assert sum(parts.values()) == sum(one.numel() for one in model.parameters())
    assert parts["stop"] == DIM + 1
    assert parts["other"] == LATENT
