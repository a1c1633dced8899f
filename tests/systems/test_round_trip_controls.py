"""The codec round trip: the control's child against the codec called by hand, and what is refused."""

from __future__ import annotations

import array
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from tones import tone

from calm_eval.audio.read import read_sound
from calm_eval.data.item import AudioRef, Item
from calm_eval.errors import InputError
from calm_eval.specs.system import load_system
from calm_eval.systems.engine import Conditions, Place
from calm_eval.systems.open import open_engine
from calm_eval.systems.protocol import Audio, Chunk, Done, Failure, Request
from calm_eval.systems.round_trip import check_codec
from reference_models.build import make_codec
from reference_models.catalogue import checkpoint_file
from reference_models.checkpoint import file_hash, load_checkpoint
from reference_models.codec_adapter import create
from reference_models.errors import ModelError
from reference_models.presets import load_codec_preset

CODECS = ("mini-vae-speech", "mini-rvq-speech")


def by_hand(name: str, samples: np.ndarray, depth: int | None = None) -> np.ndarray:
    """Samples [frames] at 16 kHz through the codec; of an RVQ codec the first `depth` of all codes."""
    preset = load_codec_preset(name)
    codec = make_codec(preset)
    load_checkpoint(checkpoint_file(name), codec, preset)
    codec.eval()
    frames = codec.encode(torch.from_numpy(samples)[None, None])
    return codec.decode(frames if depth is None else frames[..., :depth])[0, 0, : len(samples)].numpy()


def speech(seconds: float = 0.5, rate: int = 16000) -> np.ndarray:
    """Tones under a rising envelope, float32 [frames]."""
    whole = tone(seconds, 210, rate) + 0.5 * tone(seconds, 1250, rate)
    return (0.4 * whole * np.linspace(0, 1, len(whole))).astype(np.float32)


def asked(samples: np.ndarray, rate: int = 16000, channels: int = 1) -> Request:
    return Request("a", 0, "tts", prompt=Audio(array.array("f", samples.tobytes()), rate, channels))


def answer(request: Request, codec: str, **options: object) -> np.ndarray:
    system = create(codec, **options)
    system.load("cpu", "float32", 1)
    chunk, done = system.generate([request], {})
    assert isinstance(chunk, Chunk)
    assert isinstance(done, Done)
    assert chunk.sample_rate == 16000
    return chunk.samples


@pytest.mark.parametrize(
    ("name", "depth"), [("mini-vae-speech", None), ("mini-rvq-speech", None), ("mini-rvq-speech", 4)]
)
def test_the_adapter_is_encode_and_decode(name: str, depth: int | None) -> None:
    samples = speech(0.53)  # 13.25 frames: the codec fills up the last one, and what it makes of that is cut off
    made = answer(asked(samples), name, depth=depth)
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, by_hand(name, samples, depth), atol=1e-6)
    assert len(made) == len(samples)


def test_any_rate_and_any_channels_go_in_and_the_length_stays() -> None:
    stereo = np.stack([speech(0.5, 44100), 0.5 * speech(0.5, 44100)], axis=1)
    made = answer(asked(stereo, 44100, 2), "mini-vae-speech")
    assert len(made) == 8000
    # A copy at 44.1 kHz of three quarters the level is nearly the sound at 16 kHz at that level.
    near = answer(asked(0.75 * speech(0.5)), "mini-vae-speech")
    # The end is left out: the sound breaks off there, which a resampler rounds.
    gap, level = (np.sqrt(np.mean(one[:7500] ** 2)) for one in (made - near, near))
    assert gap < 0.02 * level


def test_deeper_is_nearer() -> None:
    samples = speech(1.0)
    spectrum = np.abs(np.fft.rfft(samples.reshape(-1, 800), axis=1))
    errors = []
    for depth in (1, 4, 16):
        made = answer(asked(samples), "mini-rvq-speech", depth=depth)
        errors.append(float(np.mean((np.abs(np.fft.rfft(made.reshape(-1, 800), axis=1)) - spectrum) ** 2)))
    assert errors[0] > errors[1] > errors[2]


def test_what_it_declares_names_codec_weights_and_depth() -> None:
    four, all_of_them = create("mini-rvq-speech", depth=4).info, create("mini-rvq-speech").info
    assert four.weights == {"codec": file_hash(checkpoint_file("mini-rvq-speech"))}
    assert (four.config["depth"], all_of_them.config["depth"]) == (4, None)
    assert (four.family, four.sample_rate, four.frame_rate, four.tasks) == ("discrete", 16000, 25.0, ())
    assert create("mini-vae-speech").info.family == "continuous"
    assert create("vae-speech").info.unscored == "untrained"
    assert four.unscored == ""


def test_what_it_cannot_take_is_a_named_failure() -> None:
    system = create("mini-vae-speech")
    system.load("cpu", "float32", 1)
    requests = [Request("none", 0, "tts"), asked(np.zeros(0, np.float32)), asked(np.full(100, np.nan, np.float32))]
    failures = list(system.generate(requests, {}))
    assert [one.name for one in failures if isinstance(one, Failure)] == ["refused"] * 3


@pytest.mark.parametrize(
    ("codec", "options", "said"),
    [
        ("mini-vae-speech", {"depth": 4}, "has no codebooks"),
        ("mini-rvq-speech", {"depth": 17}, "depth 17: 'mini-rvq-speech' has 1 to 16 codebooks"),
        ("mini-rvq-speech", {"depth": 0}, "has 1 to 16 codebooks"),
        ("mini-rvq-speech", {"sha256": "0" * 64}, "sha256 is"),
        ("mini-calm-speech", {}, "is a language model, not a codec"),
    ],
)
def test_the_adapter_refuses_what_no_codec_can_do(codec: str, options: dict[str, object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        create(codec, **options)


def control(folder: Path, **options: object) -> Path:
    file = folder / "trip.yaml"
    file.write_text(yaml.safe_dump({"name": "trip", "control": "round_trip", "options": options}))
    return file


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"codec": "mini-vae-speach"}, "no codec 'mini-vae-speach'; bundled: .*mini-vae-speech"),
        ({"codec": "mini-calm-speech"}, "no codec 'mini-calm-speech'"),
        ({"codec": "mini-vae-speech", "depth": 8}, "'mini-vae-speech' has no codebooks"),
        ({"codec": "mini-rvq-music", "depth": 32}, "depth 32: 'mini-rvq-music' has 1 to 16 codebooks"),
        ({"codec": "mini-rvq-music", "depth": 0}, "depth 0"),
        ({"codec": "mini-rvq-music", "depth": 4.0}, r"depth 4\.0"),
        ({"codec": "mini-rvq-music", "depth": True}, "depth True"),
        ({}, "needs the option 'codec'"),
        ({"codec": 5}, "needs the option 'codec', a text"),
        ({"codec": "mini-rvq-music", "steps": 1}, "option 'steps' is not known here; allowed: codec, depth"),
    ],
)
def test_a_wrong_round_trip_is_refused_before_a_process_starts(tmp_path: Path, options: dict, said: str) -> None:
    place = Place(tmp_path / "scratch", tmp_path / "log")
    with pytest.raises(InputError, match=said):
        open_engine(load_system(str(control(tmp_path, **options))), [], place, Conditions())
    assert not (tmp_path / "scratch").exists()


def test_every_depth_of_every_bundled_codec_is_one_it_has() -> None:
    for kind in ("speech", "music"):
        assert load_system(f"round-trip-vae-{kind}").spec.options == {"codec": f"mini-vae-{kind}"}
        for depth in (16, 8, 4):
            options = load_system(f"round-trip-rvq-{kind}-{depth}").spec.options
            assert options == {"codec": f"mini-rvq-{kind}", "depth": depth}
            check_codec(f"mini-rvq-{kind}", depth)


def test_references_go_through_a_child_and_nothing_is_timed(tmp_path: Path) -> None:
    samples = speech(0.4)
    soundfile.write(tmp_path / "good.wav", samples, 16000, subtype="FLOAT")
    (tmp_path / "bad.wav").write_text("no sound")
    items = [
        Item(
            "good", text="x", prompt=AudioRef(tmp_path / "bad.wav", "p"), reference=AudioRef(tmp_path / "good.wav", "g")
        ),
        Item("bad", reference=AudioRef(tmp_path / "bad.wav", "b")),
        Item("gone", reference=AudioRef(tmp_path / "gone.wav", "n")),
        Item("none"),
    ]
    file = control(tmp_path, codec="mini-rvq-speech", depth=8)
    engine = open_engine(load_system(str(file)), items, Place(tmp_path / "s", tmp_path / "log"), Conditions())
    try:
        assert dict(engine.identity)["codec"]["config"]["depth"] == 8
        assert engine.info.unscored == ""
        identities = {engine.sample_identity(item, "f") for item in items}
        assert len(identities) == 4
        outcomes = {one.item: one for one in engine.generate(items, 0, "speech_continuation", {})}
    finally:
        engine.close()
    assert {name: one.failure for name, one in outcomes.items()} == {
        "good": None,
        "bad": "reference-unreadable",
        "gone": "reference-missing",
        "none": "no-reference",
    }
    good = outcomes["good"]
    assert good.clip is not None
    assert good.clip.sample_rate == 16000
    np.testing.assert_allclose(good.clip.samples[0], by_hand("mini-rvq-speech", samples, 8), atol=1e-6)
    assert (good.generate_seconds, good.first_audio_seconds, good.streamed, good.spans) == (None, None, False, ())
    assert read_sound(tmp_path / "good.wav").frames == good.clip.frames
