"""EnCodec's encoder against encodec 0.1.1 and transformers, its segments, and what tools leave out of it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from shared_weights import all_drawn, parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.encodec import EncodecJudge, encodec_fadtk
from calm_eval.judges.encodec_front_end import at_unit_level, segments_of
from calm_eval.judges.encodec_network import FORMS, EncodecNetwork, build
from calm_eval.metrics.frechet import frechet_distance_checked

torch = pytest.importorskip("torch")
CLIPS = (("chord", 1.3), ("chirp", 0.02), ("noise", 0.5))


@pytest.fixture(scope="module")
def peer():
    with np.load(Path(__file__).parent / "goldens" / "encodec.npz") as held:
        return {name: held[name] for name in held.files}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory):
    """Drawn weights of both models with keys of a decoder beside them, as files."""
    made = {}
    for rate, form in FORMS.items():
        shapes = {name: tuple(value.shape) for name, value in build(torch, form).state_dict().items()}
        state = {name: torch.from_numpy(value) for name, value in all_drawn(shapes).items()}
        made[rate] = tmp_path_factory.mktemp("encodec") / f"{rate}.th"
        torch.save({**state, "decoder.model.0.conv.conv.bias": torch.zeros(2)}, made[rate])
    return made


def loaded(checkpoints, rate, framing, **options):
    judge = EncodecJudge(rate, framing, path=str(checkpoints[rate]), **options)
    judge.load("cpu", 1)
    return judge


@pytest.mark.parametrize("rate", [24000, 48000])
def test_the_keys_are_those_of_the_package(peer, rate) -> None:
    ours = {name: tuple(value.shape) for name, value in build(torch, FORMS[rate]).state_dict().items()}
    assert sorted(f"{name} {shape}" for name, shape in ours.items()) == list(peer[f"keys-{rate}"])


@pytest.mark.parametrize("rate", [24000, 48000])
@pytest.mark.parametrize("framing", ["model", "fadtk"])
def test_vectors_are_those_of_the_package(peer, checkpoints, rate, framing) -> None:
    judge = loaded(checkpoints, rate, framing)
    answers = []
    for kind, seconds in CLIPS:
        (found,) = judge.judge([parity_clip(kind, seconds, rate)])
        held = peer[f"{rate}-{framing}-{kind}"]
        assert len(found.vectors) == held[0, 0]
        edges = found.vectors if len(found.vectors) <= 30 else np.r_[found.vectors[:15], found.vectors[-15:]]
        size = np.abs(held[1:]).max()
        assert edges / size == pytest.approx(held[1:] / size, abs=1e-4)
        answers.append(edges.mean(axis=0) / size)
    assert np.abs(answers[0] - answers[2]).max() > 0.01


@pytest.mark.parametrize("rate", [24000, 48000])
def test_vectors_are_those_of_transformers(checkpoints, rate) -> None:
    """A second implementation, under other key names."""
    transformers = pytest.importorskip("transformers")
    form = FORMS[rate]
    config = transformers.EncodecConfig(
        sampling_rate=rate, audio_channels=form.channels, use_causal_conv=form.causal,
        norm_type="time_group_norm" if form.grouped else "weight_norm", num_filters=32, codebook_size=16,
    )  # fmt: skip
    encoder = transformers.EncodecModel(config).encoder.eval()
    state = torch.load(checkpoints[rate], weights_only=True)
    renamed = {}
    for name, value in state.items():
        if name.startswith("encoder.model."):
            name = name.removeprefix("encoder.model.").replace(".conv.conv.", ".conv.").replace(".conv.norm.", ".norm.")
            name = name.replace("weight_g", "parametrizations.weight.original0")
            renamed["layers." + name.replace("weight_v", "parametrizations.weight.original1")] = value
    encoder.load_state_dict(renamed)
    clip = parity_clip("chord", 0.4, rate)
    with torch.inference_mode():
        theirs = encoder(torch.from_numpy(clip)[None, None].expand(1, form.channels, -1))[0].T.numpy()
    ours = loaded(checkpoints, rate, "fadtk").judge([clip])[0].vectors
    assert ours == pytest.approx(theirs, abs=1e-4 * float(np.abs(theirs).max()))


@pytest.mark.parametrize(
    ("rate", "framing", "seconds", "pieces", "last"),
    [
        (24000, "model", 0.5, 1, 0.5),
        (24000, "model", 200, 1, 200),
        (24000, "fadtk", 200, 1, 180),
        (48000, "model", 0.5, 1, 0.5),
        (48000, "model", 0.96, 1, 0.96),
        (48000, "model", 0.975, 1, 0.975),
        (48000, "model", 10, 11, 0.1),
        (48000, "model", 30, 31, 0.3),
        (48000, "fadtk", 0.975, 1, 0.975),
        (48000, "fadtk", 10, 10, 1),
        (48000, "fadtk", 30.5, 31, 0.5),
        (48000, "fadtk", 200, 180, 1),
    ],
)
def test_segments_of_a_clip(rate, framing, seconds, pieces, last) -> None:
    cut = segments_of(np.zeros(round(seconds * rate), dtype=np.float32), rate, framing)
    assert len(cut) == pieces
    assert cut[-1].size == round(last * rate)


@pytest.mark.parametrize(("rate", "frames"), [(24000, 75), (48000, 150)])
def test_frames_a_second(checkpoints, rate, frames) -> None:
    judge = loaded(checkpoints, rate, "fadtk")
    found = judge.judge([parity_clip("noise", seconds, rate) for seconds in (1.0, 1.001)])
    assert [one.vectors.shape for one in found] == [(frames, 128), (frames + 1, 128)]


def test_the_model_is_blind_to_level_and_the_tools_are_not(checkpoints) -> None:
    """fadtk and frechet-audio-distance call the encoder directly, without the division that the 48-kHz model trained
    with: the same second at a tenth of its level then has other vectors."""
    clip = parity_clip("chord", 1.0, 48000)
    apart = {}
    for framing in ("model", "fadtk"):
        loud, quiet = (one.vectors for one in loaded(checkpoints, 48000, framing).judge([clip, clip / 10]))
        apart[framing] = frechet_distance_checked(loud, quiet) / loud.var(axis=0).sum()
    assert apart["model"] < 1e-6
    assert apart["fadtk"] > 0.5
    assert at_unit_level(clip) == pytest.approx(clip / math.sqrt(np.mean(np.square(clip, dtype=np.float64))), rel=1e-5)


def test_channels_that_change_places_with_time_are_another_quantity(checkpoints) -> None:
    """frechet-audio-distance before 0.3.4 took the 128 numbers for observations and the frames for dimensions."""
    judge = loaded(checkpoints, 24000, "fadtk")
    first, second = (judge.judge([parity_clip(kind, 2.0, 24000)])[0].vectors for kind in ("chord", "noise"))
    right, wrong = frechet_distance_checked(first, second), frechet_distance_checked(first.T, second.T)
    assert max(right, wrong) / min(right, wrong) > 1.2


def test_sixteen_bits_are_fine_steps(checkpoints) -> None:
    clip = parity_clip("noise", 0.5, 24000)
    plain, stepped = (loaded(checkpoints, 24000, "fadtk", int16=on).judge([clip])[0].vectors for on in (False, True))
    assert 0 < np.abs(plain - stepped).max() < 0.01 * np.abs(plain).max()


def test_an_answer_is_its_clips_alone(checkpoints) -> None:
    judge = loaded(checkpoints, 48000, "model")
    clips = [parity_clip(kind, 0.4, 48000) for kind in ("chord", "noise")]
    together, alone = judge.judge(clips), [judge.judge([clip])[0] for clip in clips]
    assert all((one.vectors == other.vectors).all() for one, other in zip(together, alone, strict=True))
    broken = [[], [np.nan] * 400, [0.0] * 400, [0.1] * 319]
    refused = [one.refused for one in judge.judge([np.array(clip, dtype=np.float32) for clip in broken])]
    assert refused == ["empty", "nan", "silent", "too-short"]


def test_identities() -> None:
    infos = [EncodecJudge(rate, framing, random=0).info for rate in FORMS for framing in ("model", "fadtk")]
    assert [one.name.removeprefix("encodec-") for one in infos] == ["24k/model", "24k/fadtk", "48k/model", "48k/fadtk"]
    assert len({str(one.parameters) for one in infos}) == 4
    assert encodec_fadtk(random=0).info.name == "encodec-24k/fadtk/int16"
    assert infos[0].unscored == "random weights"
    with pytest.raises(InputError, match="no sample_rate 16000"):
        EncodecJudge(16000)
    with pytest.raises(InputError, match="no framing 'crop'"):
        EncodecJudge(framing="crop")


def test_checkpoints_that_are_not_this_one(checkpoints, tmp_path) -> None:
    with pytest.raises(UnavailableError, match="not a checkpoint of EnCodec at 48000 Hz"):
        EncodecJudge(48000, path=str(checkpoints[24000])).load("cpu", 1)
    half = tmp_path / "half.th"
    half.write_bytes(checkpoints[24000].read_bytes()[:50_000])
    with pytest.raises(UnavailableError, match="give another `path`"):
        EncodecJudge(path=str(half)).load("cpu", 1)
    code = tmp_path / "code.th"
    torch.save({"weight": math.sqrt, "run": _Code()}, code)
    with pytest.raises(UnavailableError, match="read safely"):
        EncodecJudge(path=str(code)).load("cpu", 1)


def test_a_segment_of_one_sample_is_encoded() -> None:
    """A clip of 48,001 samples leaves one sample for the last segment."""
    torch.manual_seed(0)
    form = FORMS[48000]
    network = EncodecNetwork(build(torch, form).state_dict(), form, torch, "cpu")
    assert network(np.ones(1)).shape == (1, 128)


class _Code:
    """What a pickle with code in it looks like."""

    def __reduce__(self):
        return print, ("never printed",)
