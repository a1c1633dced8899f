import pytest
import torch

from reference_models.backbone.transformer import Transformer
from reference_models.errors import ModelError
from reference_models.heads.protocol import Sampling
from reference_models.heads.rectified_flow import RectifiedFlowHead
from reference_models.models.batch import Batch
from reference_models.models.calm import CALM
from reference_models.models.conditioning import Conditioning, Conditions, drop
from reference_models.models.distillation import distillation_loss, seed_student
from reference_models.models.generation import generate
from reference_models.noise import Noise

PLACES = torch.tensor([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
FRAMES, CFG = 4, 2.0


def model(layers):
    torch.manual_seed(0)
    head = RectifiedFlowHead(2, 32, 64, 2)
    return CALM(
        2,
        Transformer(32, layers, 4, 64),
        head,
        conditioning=Conditioning(32, 4, None),
        noise_augmentation=False,
        head_batch=4,
    )


def toy(rows, generator):
    """Four tokens, each with its own cloud; what a frame is depends on the token and on the frame before."""
    token = torch.randint(0, 4, (rows,), generator=generator)
    frames = PLACES[token][:, None] + 0.6 * torch.randn(rows, FRAMES, 2, generator=generator)
    frames[:, 1:] += 0.3 * frames[:, :-1]
    conditions = [Conditions(one[None]) for one in token]
    return Batch(frames, torch.full((rows,), FRAMES), conditions)


def train(parameters, loss, steps, rate=4e-3):
    optimiser = torch.optim.AdamW(list(parameters), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
        schedule.step()


def drawn(one, cfg, seed):
    """Frames of 600 samples of token 0, [600 * FRAMES, 2]."""
    conditions = [Conditions(torch.tensor([0]))] * 600
    with torch.inference_mode():
        noise = Noise([(str(row), seed) for row in range(600)])
        steps = generate(one, conditions, [None] * 600, [FRAMES] * 600, Sampling(steps=16, cfg=cfg), noise)
        return torch.stack([step.frames for step in steps], dim=1).flatten(1)


def energy_distance(a, b):
    """Unbiased, between two sets of rows."""
    a, b = a.double(), b.double()
    n, m = len(a), len(b)
    within = torch.cdist(a, a).sum() / (n * (n - 1)) + torch.cdist(b, b).sum() / (m * (m - 1))
    return float(2 * torch.cdist(a, b).mean() - within)


@pytest.mark.slow
def test_a_student_without_guidance_has_the_guided_teachers_distribution():
    generator = torch.Generator().manual_seed(1)
    teacher, student = model(2), model(1)
    teacher.fit_statistics(toy(2000, generator).frames)

    def teacher_loss():
        batch = toy(128, generator)
        left = drop(batch.conditions, 0.2, 0.0, generator)
        return teacher.loss(Batch(batch.frames, batch.lengths, left), generator).total

    train(teacher.parameters(), teacher_loss, 350)
    teacher.eval()
    seed_student(student, teacher)
    learning = [one for one in student.parameters() if one.requires_grad]
    frozen = {name: value.clone() for name, value in student.head.state_dict().items()}
    train(learning, lambda: distillation_loss(student, teacher, toy(64, generator), CFG).total, 900)
    student.eval()
    guided = drawn(teacher, CFG, seed=0)
    far = energy_distance(drawn(teacher, 1.0, seed=1), guided)
    near = energy_distance(drawn(student, 1.0, seed=2), guided)
    floor = abs(energy_distance(drawn(teacher, CFG, seed=3), guided))
    assert far > 20 * floor
    assert near < 0.1 * far
    assert all(torch.equal(value, frozen[name]) for name, value in student.head.state_dict().items())


def test_a_student_starts_from_its_teachers_bottom_and_top_layers():
    torch.manual_seed(0)
    teacher, student = model(5), model(3)
    for one in teacher.parameters():
        torch.nn.init.normal_(one)
    seed_student(student, teacher)
    for mine, theirs in ((0, 0), (1, 1), (2, 4)):
        assert torch.equal(student.backbone.layers[mine].qkv.weight, teacher.backbone.layers[theirs].qkv.weight)
    assert torch.equal(student.head.network.output.weight, teacher.head.network.output.weight)
    assert not any(one.requires_grad for one in student.head.parameters())
    assert all(one.requires_grad for one in student.backbone.parameters())


def test_the_distance_of_a_copy_is_zero_without_guidance():
    teacher = model(2).eval()
    student = model(2).eval()
    seed_student(student, teacher)
    batch = toy(8, torch.Generator().manual_seed(0))
    assert float(distillation_loss(student, teacher, batch, 1.0).total) == pytest.approx(0.0, abs=1e-9)
    assert float(distillation_loss(student, teacher, batch, 2.0).total) > 1e-4


def test_a_deeper_student_is_an_error():
    with pytest.raises(ModelError, match="no more layers"):
        seed_student(model(3), model(2))
