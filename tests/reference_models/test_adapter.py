import array

import numpy as np
import pytest
import torch

from calm_eval.systems.protocol import Audio, Chunk, Done, Failure, Request, Span
from calm_eval.systems.sampling import resolve_sampling
from reference_models.adapter import create
from reference_models.build import make_codec, make_model
from reference_models.checkpoint import file_hash, save_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import load_codec_preset, load_model_preset


def audio(seconds=0.5, rate=16000, channels=1):
    samples = np.sin(np.arange(round(seconds * rate) * channels) * 0.05).astype(np.float32)
    return Audio(array.array("f", samples.tobytes()), rate, channels)


def events(system, request, **sampling):
    known = resolve_sampling("it", system.info.sampling, sampling)
    return list(system.generate([request], known))


def loaded(name, **options):
    system = create(name, **options)
    system.load("cpu", "float32", 1)
    return system


def test_what_it_declares_comes_from_the_preset():
    info = create("mini-rq-music").info
    assert info.tasks == ("music_continuation",)
    assert (info.family, info.sample_rate, info.frame_rate, info.streaming) == ("discrete", 16000, 25.0, True)
    assert {name: one.default for name, one in info.sampling.items()} == {"temperature": 0.9, "top_k": 0, "depth": 8}
    tts = create("mini-calm-tts").info
    assert set(tts.sampling) == {"temperature", "steps", "cfg", "eos_threshold"}
    assert set(create("calm-speech").info.sampling) == {"temperature", "steps", "text_temperature"}


def test_head_evaluations_follow_steps_and_depth():
    assert create("mini-calm-music").head_evaluations_per_second({"steps": 4}) == 100
    assert create("mini-rq-music").head_evaluations_per_second({"depth": 8}) == 200
    assert create("mini-delay-music").head_evaluations_per_second({"depth": 8}) == 0


def test_it_streams_chunks_spans_and_an_end():
    system = loaded("mini-rq-speech")
    got = events(system, Request("a", 0, "speech_continuation", prompt=audio(), duration=0.4))
    chunks = [one for one in got if isinstance(one, Chunk)]
    assert sum(len(one.samples) for one in chunks) == 6400
    assert len(chunks) == 11  # ten frames, of which the first lacks what the flush brings
    assert all(one.samples.dtype == np.float32 and one.sample_rate == 16000 for one in chunks)
    assert [one.why for one in got if isinstance(one, Done)] == ["length"]
    names = {one.name for one in got if isinstance(one, Span)}
    assert names - {"other"} == {"prefill", "backbone", "head", "codec", "step"}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (
            Request("a", 0, "music_continuation", prompt=audio(rate=44100), duration=1.0),
            "44100 Hz, this model 16000 Hz",
        ),
        (Request("a", 0, "music_continuation", prompt=audio(channels=2), duration=1.0), "2 channels, this model one"),
        (Request("a", 0, "music_continuation", prompt=audio()), "needs a duration"),
        (Request("a", 0, "music_continuation", duration=1.0), "needs a prompt"),
    ],
)
def test_what_it_cannot_take_is_a_named_failure(request_, expected):
    (failure,) = events(loaded("mini-calm-music"), request_)
    assert isinstance(failure, Failure)
    assert failure.name == "refused"
    assert expected in failure.text


def test_one_bad_request_does_not_spoil_the_batch():
    system = loaded("mini-calm-tts")
    sampling = resolve_sampling("it", system.info.sampling, {"eos_threshold": -100.0})
    got = list(system.generate([Request("bad", 0, "tts", text="π"), Request("good", 0, "tts", text="hi")], sampling))
    assert [one.item for one in got if isinstance(one, Failure)] == ["bad"]
    assert [one.item for one in got if isinstance(one, Done)] == ["good"]


def test_prompts_are_resampled_on_request_and_the_identity_says_so():
    system = loaded("mini-calm-music", resample_prompts=True)
    got = events(system, Request("a", 0, "music_continuation", prompt=audio(1.0, 44100, 2), duration=0.2))
    assert sum(len(one.samples) for one in got if isinstance(one, Chunk)) == 3200
    assert system.info.config != create("mini-calm-music").info.config


def test_checkpoints_make_a_trained_system(tmp_path, renamed):
    name = renamed("mini-calm-tts")
    preset, codec = load_model_preset(name), load_codec_preset("mini-vae-speech")
    model_file, codec_file = tmp_path / "model.safetensors", tmp_path / "codec.safetensors"
    model = make_model(preset, seed=3)
    with torch.no_grad():
        model.head.network.output.bias.fill_(0.5)
    save_checkpoint(model_file, model, preset)
    save_checkpoint(codec_file, make_codec(codec, seed=3), codec)
    system = create(name, checkpoint=str(model_file), codec_checkpoint=str(codec_file))
    assert system.info.unscored == ""
    assert system.info.weights == {"model": file_hash(model_file), "codec": file_hash(codec_file)}
    system.load("cpu", "float32", 1)
    other = loaded(name, codec_checkpoint=str(codec_file))
    assert other.info.unscored == "untrained"
    request = Request("a", 0, "tts", text="hi")
    sounds = [
        np.concatenate([e.samples for e in events(s, request, eos_threshold=-100.0) if isinstance(e, Chunk)])
        for s in (system, other)
    ]
    assert sounds[0].shape == sounds[1].shape
    assert not np.allclose(sounds[0], sounds[1], atol=1e-3)


def test_a_bad_checkpoint_is_refused_when_the_system_is_made(tmp_path):
    file = tmp_path / "model.safetensors"
    save_checkpoint(file, make_model(load_model_preset("mini-rq-tts")), load_model_preset("mini-rq-tts"))
    with pytest.raises(ModelError, match="holds weights of 'mini-rq-tts'"):
        create("mini-calm-tts", checkpoint=str(file))
    with pytest.raises(ModelError, match="sha256 is"):
        create("mini-rq-tts", checkpoint=str(file), sha256="0" * 64)
    torch.save({}, tmp_path / "model.pt")
    with pytest.raises(ModelError, match="pickles"):
        create("mini-rq-tts", checkpoint=str(tmp_path / "model.pt"))
    with pytest.raises(ModelError, match="is a codec"):
        create("mini-vae-speech")
