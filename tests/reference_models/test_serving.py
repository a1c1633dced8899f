import pytest
import torch

from reference_models.clock import Timed
from reference_models.errors import ModelError
from reference_models.models.conditioning import Conditions
from reference_models.models.generation import generate
from reference_models.noise import Noise
from reference_models.presets import load_codec_preset, load_model_preset, names
from reference_models.serving import End, Server, Sound, Wanted, sampling_from

MINIS = [name for name in names() if name.startswith("mini-") and "-vae-" not in name and "-rvq-" not in name]


def serve(awake, name):
    preset = load_model_preset(name)
    server = Server(preset, load_codec_preset(preset.codec))
    awake(server.model)
    awake(server.codec)
    return server


def wanted(server, item="a", seconds=0.5, text="hello", prompt=0.5, seed=0):
    rate, task = server.codec.sample_rate, server.preset.tasks[0]
    generator = torch.Generator().manual_seed(len(item))
    audio = None if prompt is None else 0.1 * torch.randn(1, round(prompt * rate), generator=generator)
    return Wanted(item, seed, task, text, audio, None if task == "tts" else seconds)


def made(server, rows, sampling=None, threshold=None):
    sampling = sampling or sampling_from(server.preset.sampling)
    sounds, ends, spans = [[] for _ in rows], [None] * len(rows), []
    for event in server.run([server.prepare(row) for row in rows], sampling, threshold):
        if isinstance(event, Sound):
            assert ends[event.row] is None
            sounds[event.row].append(event.samples)
        elif isinstance(event, End):
            ends[event.row] = event.why
        else:
            spans.append(event)
    return [torch.cat(one) for one in sounds], ends, spans


@pytest.mark.parametrize("name", MINIS)
def test_every_mini_streams_as_much_as_was_asked(awake, name):
    server = serve(awake, name)
    (sound,), ends, spans = made(server, [wanted(server)], threshold=1e9)
    if server.preset.tasks == ["tts"]:
        expected = 5 * server.preset.stop.seconds_per_token + server.preset.stop.seconds_more
        assert len(sound) / 16000 == pytest.approx(expected, abs=0.04)
        assert ends == ["limit"]
    else:
        assert len(sound) == 8000
        assert ends == ["length"]
    assert sound.isfinite().all()
    assert sound.std() > 1e-4
    assert {span.name for span in spans} - {"other"} == {"prefill", "head", "codec", "backbone", "step"}
    frames = sum(span.name == "codec" for span in spans)
    delay = max(server.preset.delays or [0])
    assert sorted(span.step for span in spans if span.name == "head") == list(range(frames + delay))
    assert all(isinstance(span, Timed) and span.nanoseconds > 0 for span in spans)


@pytest.mark.parametrize("name", ["mini-calm-music", "mini-rq-speech", "mini-delay-music"])
@pytest.mark.parametrize("prompt", [1.0, 0.999, 0.01])
def test_a_continuation_is_what_the_codec_says_after_the_prompt(awake, name, prompt):
    server = serve(awake, name)
    row = wanted(server, seconds=0.3, prompt=prompt)
    (sound,), _, _ = made(server, [row])
    size = server.codec.frame_size
    audio = row.prompt[:, row.prompt.shape[1] % size :] if row.prompt.shape[1] >= size else row.prompt
    with torch.inference_mode():
        frames = server.codec.encode(audio[None])[0][..., : getattr(server.model, "codebooks", None)]
        drawn = [
            step.frames
            for step in generate(
                server.model, [Conditions()], [frames], [8], sampling_from(server.preset.sampling), Noise([("a", 0)])
            )
        ]
        whole = server.codec.decode(torch.cat([frames[None], torch.stack(drawn, dim=1)], dim=1))[0, 0]
    after = whole[frames.shape[0] * size :][: len(sound)]
    assert len(sound) == 4800
    assert torch.allclose(sound, after, atol=1e-4)


@pytest.mark.parametrize("name", ["mini-calm-tts", "mini-rq-tts", "mini-calm-music", "mini-delay-text2music"])
def test_a_sample_does_not_depend_on_its_batch(awake, name):
    server = serve(awake, name)
    rows = [
        wanted(server, "one", 0.4, "hello there", 0.3),
        wanted(server, "another", 0.6, "a", 0.7, seed=1),
    ]
    together, _, _ = made(server, rows, threshold=1e9)
    for row, sound in zip(rows, together, strict=True):
        (alone,), _, _ = made(server, [row], threshold=1e9)
        assert alone.shape == sound.shape
        # Later the random weights amplify the last bit, as each frame follows from those before.
        assert torch.allclose(alone[:6400], sound[:6400], atol=1e-3)
    again, _, _ = made(server, rows, threshold=1e9)
    assert all(torch.equal(one, two) for one, two in zip(together, again, strict=True))


def test_speech_ends_by_its_head(awake):
    server = serve(awake, "mini-calm-tts")
    rule = server.preset.stop
    (sound,), ends, _ = made(server, [wanted(server)], threshold=-1e9)
    assert ends == ["eos"]
    assert len(sound) == (rule.not_before + rule.frames_after) * server.codec.frame_size


BAD = [
    ("mini-calm-tts", {"text": ""}, "the text is empty"),
    ("mini-calm-tts", {"text": "π"}, "characters 'π' are not in the model's alphabet"),
    ("mini-calm-tts", {"text": "a" * 401}, "401 tokens; this preset reads at most 400"),
    ("mini-calm-tts", {"prompt": 41.0}, "the context holds 1000"),
    ("mini-calm-text2music", {"text": "..."}, "no word"),
    ("mini-calm-music", {"seconds": None}, "needs a duration above 0 seconds"),
    ("mini-calm-music", {"seconds": 0.0}, "needs a duration above 0 seconds"),
    ("mini-calm-music", {"prompt": None}, "needs a prompt"),
    ("mini-calm-music", {"prompt": 20.0, "seconds": 20.04}, "do not fit the context of 1000"),
    ("mini-rq-music", {"prompt": 41.0}, "the context holds 1000"),
]


@pytest.mark.parametrize(("name", "change", "expected"), BAD)
def test_what_a_model_cannot_take_is_refused_before_compute(awake, name, change, expected, monkeypatch):
    server = serve(awake, name)
    monkeypatch.setattr(server.codec, "encode", None)
    with pytest.raises(ModelError, match=expected):
        server.prepare(wanted(server, **change))


@pytest.mark.parametrize("values", [{"steps": 0}, {"temperature": -0.1}, {"top_k": -1}, {"depth": -1}])
def test_a_sampling_out_of_range_is_refused(values):
    with pytest.raises(ModelError, match="must be at least 1"):
        sampling_from(values)


def test_an_unknown_dtype_is_refused():
    preset = load_model_preset("mini-calm-tts")
    with pytest.raises(ModelError, match="dtype 'int8'"):
        Server(preset, load_codec_preset(preset.codec), dtype="int8")


@pytest.mark.parametrize("name", ["mini-calm-tts", "mini-rq-music"])
def test_bfloat16_runs(awake, name):
    preset = load_model_preset(name)
    server = Server(preset, load_codec_preset(preset.codec), dtype="bfloat16")
    (sound,), _, _ = made(server, [wanted(server, seconds=0.2)], threshold=1e9)
    assert sound.dtype == torch.float32
    assert sound.isfinite().all()
