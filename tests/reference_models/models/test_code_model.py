import itertools

import pytest
import torch

from reference_models.backbone.transformer import Transformer
from reference_models.errors import ModelError
from reference_models.heads.delay import DelayHead
from reference_models.heads.delays import apply_delays, revert_delays
from reference_models.heads.protocol import Sampling
from reference_models.heads.rq_depth import DepthTransformer
from reference_models.models.batch import Batch
from reference_models.models.code_model import CodeModel
from reference_models.models.conditioning import Conditioning, Conditions
from reference_models.models.generation import generate
from reference_models.noise import Noise

DIM, BOOKS, CARD = 32, 4, 16
DELAYS = {"rq": [0, 1, 1, 1], "delay": [0, 1, 2, 3], "rq without delay": [0, 0, 0, 0]}
CONDITIONS = [
    Conditions(torch.tensor([1, 2, 3]), torch.arange(20).view(5, BOOKS) % CARD),
    Conditions(torch.tensor([4, 5]), None),
    Conditions(None, torch.arange(8).view(2, BOOKS) + 3),
]
PROMPTS = [torch.arange(24).view(6, BOOKS) % CARD, None, torch.arange(8).view(2, BOOKS) + 1]
KEYS = [("a", 0), ("b", 1), ("c", 0)]
KINDS = list(DELAYS)


def make(kind, books=BOOKS, card=CARD, conditioned=True, dim=DIM, **options):
    torch.manual_seed(0)
    head = DelayHead(dim, books, card) if kind == "delay" else DepthTransformer(dim, books, card, 32, 1, 4, 48)
    delays = DELAYS[kind] if books == BOOKS else {"rq": [0, 1, 1], "delay": [0, 1, 2]}[kind]
    conditioning = Conditioning(dim, 20, dim) if conditioned else None
    backbone = Transformer(dim, 2, 4, 2 * dim)
    return CodeModel(books, card, delays, backbone, head, conditioning=conditioning, **options).eval()


def codes(model, rows, sampling, frames=12, prompts=PROMPTS):
    with torch.inference_mode():
        steps = generate(
            model,
            [CONDITIONS[row] if model.conditioning is not None else Conditions() for row in rows],
            [prompts[row] for row in rows],
            [frames] * len(rows),
            sampling,
            Noise([KEYS[row] for row in rows]),
        )
        return torch.stack([step.frames for step in steps], dim=1)


@pytest.mark.parametrize("kind", KINDS)
def test_generation_equals_the_full_forward_on_what_it_drew(kind):
    model = make(kind, conditioned=False)
    drawn = codes(model, [1], Sampling(temperature=0), frames=15)
    likeliest = revert_delays(model.teacher_forced(drawn).argmax(dim=-1), model.delays)
    assert torch.equal(likeliest[:, :12], drawn[:, :12])  # the last frames were drawn with those after them in sight
    assert len(drawn.unique()) > 1


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("prompt", [None, PROMPTS[0][:2], PROMPTS[0]])
def test_the_model_is_fed_the_columns_it_was_trained_on(kind, prompt):
    model, fed = make(kind, conditioned=False), []
    embed = model.embed
    model.embed = lambda frames: fed.append(frames) or embed(frames)
    with torch.inference_mode():
        steps = generate(model, [Conditions()], [prompt], [8], Sampling(), Noise(KEYS[:1]))
        drawn = torch.cat([step.frames for step in steps])
    whole = drawn if prompt is None else torch.cat([prompt, drawn])
    columns = apply_delays(whole[None], model.delays, CARD)[0]
    seen = torch.cat([fed[0][1:], *fed[1:]])  # the first begins with the start column
    complete = len(whole) - max(1, *model.delays)  # the last column is drawn and fed to nobody
    assert complete > 4
    assert torch.equal(seen[:complete], columns[:complete])


@pytest.mark.parametrize("kind", KINDS)
def test_a_continuation_equals_the_full_forward_on_prompt_and_continuation(kind):
    model = make(kind, conditioned=False)
    drawn = codes(model, [0], Sampling(temperature=0), frames=15)
    whole = torch.cat([PROMPTS[0][None], drawn], dim=1)
    likeliest = revert_delays(model.teacher_forced(whole).argmax(dim=-1), model.delays)
    assert torch.equal(likeliest[:, 6:18], drawn[:, :12])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cfg", [1.0, 1.5])
def test_a_sample_does_not_depend_on_its_batch(kind, cfg):
    model, sampling = make(kind), Sampling(cfg=cfg)
    together = codes(model, [0, 1, 2], sampling)
    assert torch.equal(together[[2, 0]], codes(model, [2, 0], sampling))
    assert torch.equal(together[1:2], codes(model, [1], sampling))
    assert int(together.min()) >= 0
    assert int(together.max()) < CARD


@pytest.mark.parametrize("kind", KINDS)
def test_teacher_forced_logits_agree_across_batches_and_orders(kind):
    model = make(kind)
    truth = torch.randint(0, CARD, (3, 15, BOOKS))
    together = model.teacher_forced(truth, CONDITIONS)
    turned = model.teacher_forced(truth[[2, 0]], [CONDITIONS[2], CONDITIONS[0]])
    assert torch.allclose(together[[2, 0]], turned, atol=1e-4)
    assert together.shape == (3, 15 + max(model.delays), BOOKS, CARD)


@pytest.mark.parametrize("kind", KINDS)
def test_a_smaller_depth_draws_the_first_codebooks_and_fills_the_rest(kind):
    model = make(kind)
    drawn = codes(model, [0, 1], Sampling(depth=2))
    assert int(drawn[..., :2].max()) < CARD
    assert (drawn[..., 2:] == CARD).all()
    other = [torch.cat([PROMPTS[0][:, :2], 15 - PROMPTS[0][:, 2:]], dim=1), None, None]
    assert torch.equal(codes(model, [0], Sampling(depth=2), prompts=other), drawn[:1])


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_mean_cross_entropy_of_the_true_codes(kind):
    model = make(kind, stop=True, stop_weight=0.5)
    truth, lengths = torch.randint(0, CARD, (2, 9, BOOKS)), torch.tensor([9, 5])
    losses = model.loss(Batch(truth, lengths, CONDITIONS[:2]))
    told = []
    for row, length in enumerate(lengths.tolist()):
        logits = model.teacher_forced(truth[row : row + 1, :length], CONDITIONS[row : row + 1])[0]
        for place in range(logits.shape[0]):
            told += [
                -float(logits[place, book].log_softmax(-1)[truth[row, place - delay, book]].detach())
                for book, delay in enumerate(model.delays)
                if 0 <= place - delay < length
            ]
    assert float(losses.parts["head"].detach()) == pytest.approx(sum(told) / len(told), rel=1e-4)
    total = losses.parts["head"] + 0.5 * losses.parts["stop"]
    assert float(losses.total.detach()) == pytest.approx(float(total.detach()))


def test_depth_dropout_cuts_rows_at_a_depth_and_only_in_training():
    model = make("rq", depth_dropout=1.0)
    batch = Batch(torch.randint(0, CARD, (200, 3, BOOKS)), torch.full((200,), 3))
    assert torch.equal(model._targets(batch, None), batch.frames)
    model.train()
    cut = model._targets(batch, torch.Generator().manual_seed(0))
    depths = (cut >= 0).sum(dim=-1)
    assert (depths == depths[:, :1]).all()
    assert set(depths[:, 0].tolist()) == {1, 2, 3, 4}
    assert torch.equal(cut.clamp(min=0), torch.where(cut >= 0, batch.frames, 0))


def test_masking_hides_past_columns_in_training_and_never_a_target():
    model = make("rq", conditioned=False, masking=0.8)
    frames = torch.randint(0, CARD, (400, 20, BOOKS), generator=torch.Generator().manual_seed(1))
    batch = Batch(frames, torch.full((400,), 20))
    shown, counted = {}, {}
    embed, loss = model.embed, model.head.loss
    model.embed = lambda columns: embed(shown.setdefault(model.training, columns))
    model.head.loss = lambda z, target, generator=None: loss(counted.setdefault(model.training, z), target, generator)
    for training in (True, False):
        model.train(training).loss(batch, torch.Generator().manual_seed(2))
    assert len(counted[True]) == len(counted[False])
    past = slice(2, 20)  # columns that hold a code of every codebook
    hidden = (shown[True][:, past] == model.fill).all(dim=-1)
    assert not (shown[False][:, past] == model.fill).any()
    assert torch.equal(shown[True][:, past][~hidden], shown[False][:, past][~hidden])
    # A row's share is uniform in [0, 0.8]: mean 0.4, standard deviation over rows about 0.25.
    assert abs(float(hidden.float().mean()) - 0.4) < 5 * 0.26 / 400**0.5
    assert float(hidden.float().mean(dim=1).std()) > 0.2


def test_delays_that_fall_or_miss_a_codebook_are_an_error():
    head, backbone = DelayHead(DIM, 2, CARD), Transformer(DIM, 1, 4, 64)
    for delays in ([1, 0], [0]):
        with pytest.raises(ModelError, match="2 codebooks need as many delays that do not fall"):
            CodeModel(2, CARD, delays, backbone, head)


@pytest.mark.parametrize("kind", ["rq", "delay"])
def test_a_known_joint_over_the_codes_of_a_frame_is_recovered(kind):
    books, card = 3, 3
    generator = torch.Generator().manual_seed(3)
    joint = torch.randn(card**books, generator=generator).mul(1.5).softmax(dim=0)
    outcomes = torch.tensor(list(itertools.product(range(card), repeat=books)))
    model = make(kind, books, card, conditioned=False, dim=32).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=6e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 300)
    for _ in range(300):
        frames = outcomes[torch.multinomial(joint, 64 * 8, replacement=True, generator=generator)].view(64, 8, books)
        optimiser.zero_grad()
        model.loss(Batch(frames, torch.full((64,), 8)), generator).total.backward()
        optimiser.step()
        schedule.step()
    model.eval()
    with torch.inference_mode():
        noise = Noise([(str(row), 0) for row in range(1000)])
        steps = generate(model, [Conditions()] * 1000, [None] * 1000, [8] * 1000, Sampling(), noise)
        drawn = torch.stack([step.frames for step in steps], dim=1).flatten(0, 1)
    places = (drawn * torch.tensor([card**2, card, 1])).sum(dim=-1)
    found = torch.bincount(places, minlength=card**books) / len(places)
    assert float((found - joint).abs().sum()) / 2 <= 0.05
    alone = torch.stack([torch.bincount(drawn[:, book], minlength=card) / len(drawn) for book in range(books)])
    product = torch.tensor([float(alone[0, a] * alone[1, b] * alone[2, c]) for a, b, c in outcomes.tolist()])
    assert float((product - joint).abs().sum()) / 2 > 0.2  # independent codebooks would not do


def test_the_first_codebook_weighs_what_it_is_told_to():
    """Loss = (w CE0 + CE1 + ...) / (w + K - 1) of the very logits that the model gives."""
    plain, heavy = make("rq", conditioned=False).eval(), make("rq", conditioned=False, first_weight=5.0).eval()
    heavy.load_state_dict(plain.state_dict())
    frames = torch.randint(0, CARD, (3, 9, BOOKS), generator=torch.Generator().manual_seed(1))
    batch = Batch(frames, torch.tensor([9, 9, 9]))
    columns = apply_delays(frames, plain.delays, -1)
    logs = plain.teacher_forced(frames).log_softmax(dim=-1)
    picked = -logs.gather(-1, columns.clamp(min=0)[..., None])[..., 0]
    weights = torch.tensor([5.0] + [1.0] * (plain.codebooks - 1)) * (columns >= 0)
    expected = (picked * weights).sum() / weights.sum()
    torch.testing.assert_close(heavy.loss(batch).parts["head"], expected, rtol=1e-5, atol=1e-6)
