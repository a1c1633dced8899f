"""Whisper of transformers: a small random model against a loop of argmax by hand, and tiny.en in three packages."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from shared_weights import parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.transformers_whisper import TransformersWhisperJudge

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from calm_eval.judges.random_whisper import random_whisper  # noqa: E402

RATE = 16000
CLIPS = [parity_clip(kind, seconds, RATE) for kind, seconds in (("chord", 2.0), ("chirp", 1.0), ("noise", 3.0))]
LONG = np.concatenate([parity_clip(kind, 12.0, RATE) for kind in ("chirp", "noise", "chord")])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A random model as transformers saves one."""
    made = tmp_path_factory.mktemp("whisper") / "mine"
    for part in random_whisper(3, "sdpa", torch, transformers):
        part.save_pretrained(made)
    return made


def loaded(**options) -> TransformersWhisperJudge:
    judge = TransformersWhisperJudge(**options)
    judge.load("cpu", 1)
    return judge


@pytest.fixture(scope="module")
def judge(folder):
    return loaded(path=str(folder))


def by_hand(folder, audio) -> str:
    """Log-mel, encoder, then the likeliest token again and again; the end is forbidden at the first place."""
    model = transformers.WhisperForConditionalGeneration.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    features = transformers.WhisperFeatureExtractor.from_pretrained(folder)
    mark = tokenizer.convert_tokens_to_ids
    tokens = [mark(f"<|{one}|>") for one in ("startoftranscript", "en", "transcribe", "notimestamps")]
    end, prompt = mark("<|endoftext|>"), len(tokens)
    with torch.no_grad():
        states = model.model.encoder(features(audio, sampling_rate=RATE, return_tensors="pt").input_features)
        while len(tokens) < prompt + model.generation_config.max_length:
            hidden = model.model.decoder(torch.tensor([tokens]), encoder_hidden_states=states[0])[0]
            scores = model.proj_out(hidden)[0, -1]
            scores[model.generation_config.suppress_tokens] = -torch.inf
            if len(tokens) == prompt:
                scores[end] = -torch.inf
            tokens.append(int(scores.argmax()))
            if tokens[-1] == end:
                break
    words = [token for token in tokens if token < end]
    return tokenizer.decode(words).strip()


def test_texts_are_those_of_argmax_by_hand(judge, folder) -> None:
    found = [each.text for each in judge.judge(CLIPS)]
    assert found == [by_hand(folder, audio) for audio in CLIPS]
    assert len(set(found)) == len(CLIPS)
    assert all(len(text) > 1 for text in found)


def test_a_clip_does_not_hear_its_neighbours_and_the_generator_stands_still(judge) -> None:
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    together = judge.judge(CLIPS)
    assert torch.equal(before, torch.random.get_rng_state())
    assert together == [judge.judge([audio])[0] for audio in CLIPS]


def test_texts_are_those_of_the_pipeline(folder) -> None:
    """`pipeline("automatic-speech-recognition")` as people call it: plain, with timestamps, with words, and long."""
    parts = {
        "model": transformers.WhisperForConditionalGeneration.from_pretrained(folder, attn_implementation="eager"),
        "tokenizer": transformers.AutoTokenizer.from_pretrained(folder),
        "feature_extractor": transformers.WhisperFeatureExtractor.from_pretrained(folder),
    }
    pipe = transformers.pipeline("automatic-speech-recognition", **parts, device="cpu")
    asked = {"generate_kwargs": {"language": "en", "task": "transcribe", "num_beams": 1}}

    def piped(audio, **more) -> str:
        told = pipe({"raw": audio, "sampling_rate": RATE}, **asked, **more)
        chunks = told.get("chunks") if more.get("return_timestamps") == "word" else None
        return (told["text"] if chunks is None else "".join(one["text"] for one in chunks)).strip()

    def ours(audio, **options) -> str:
        return str(loaded(path=str(folder), attention="eager", **options).judge([audio])[0].text)

    for audio in CLIPS:
        assert ours(audio) == piped(audio)
        assert ours(audio, timestamps="segment") == piped(audio, return_timestamps=True)
        assert ours(audio, timestamps="word") == piped(audio, return_timestamps="word")
    for audio in (LONG, CLIPS[0]):
        assert ours(audio, long="sequential") == piped(audio, return_timestamps=True)
    assert ours(LONG, long="sequential") != ours(LONG, timestamps="segment")


def test_the_first_window_alone_is_heard_unless_asked(judge) -> None:
    whole, cut = judge.judge([LONG, LONG[: 30 * RATE]])
    assert whole.text == cut.text
    assert (whole.notes["unheard_seconds"], cut.notes["unheard_seconds"]) == (6.0, 0.0)


def test_a_seed_is_the_same_network_as_its_folder(judge) -> None:
    random = loaded(random=3)
    assert random.judge(CLIPS) == judge.judge(CLIPS)
    assert random.info.name == "whisper-random-1-layer/transformers"
    assert random.info.unscored == "random weights"
    assert (judge.info.unscored, judge.info.name) == ("", "mine/transformers")
    assert TransformersWhisperJudge(random=4).info.weights != random.info.weights
    assert loaded(random=4).judge(CLIPS) != random.judge(CLIPS)


def test_precision_and_options_are_identity(folder) -> None:
    kinds = [{"dtype": dtype} for dtype in ("float32", "float16", "bfloat16")]
    kinds += [{"long": "sequential"}, {"timestamps": "segment"}, {"timestamps": "word"}, {"attention": "eager"}]
    infos = [TransformersWhisperJudge(random=0, **kind).info for kind in kinds]
    assert len({json.dumps(dict(info.parameters), sort_keys=True) for info in infos}) == len(kinds)
    assert len({info.name for info in infos}) == 1
    assert TransformersWhisperJudge(random=0, long="sequential").info.parameters["timestamps"] == "segment"
    half = loaded(path=str(folder), dtype="bfloat16")
    assert {parameter.dtype for parameter in half._whisper[0].parameters()} == {torch.bfloat16}
    assert isinstance(half.judge(CLIPS[:1])[0].text, str)


def test_refusals(judge) -> None:
    found = judge.judge([np.zeros(0, np.float32), np.full(9, np.nan, np.float32), np.zeros(RATE, np.float32)])
    assert [each.refused for each in found] == ["empty", "nan", None]
    with pytest.raises(UnavailableError, match="is not loaded"):
        TransformersWhisperJudge(random=0).judge(CLIPS[:1])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "give one of model"),
        ({"path": "a", "random": 0}, "give one of model"),
        ({"random": 0, "dtype": "int8"}, "no dtype 'int8'"),
        ({"random": 0, "long": "chunked"}, "no long 'chunked'"),
        ({"random": 0, "timestamps": "char"}, "no timestamps 'char'"),
        ({"path": "whisper-tiny.en", "language": "fr"}, "English only"),
    ],
)
def test_options_that_there_are_not(options, told) -> None:
    with pytest.raises(InputError, match=told):
        TransformersWhisperJudge(**options)


def test_a_language_that_the_model_does_not_know(folder) -> None:
    with pytest.raises(InputError, match="does not know the language 'nl'"):
        loaded(path=str(folder), language="nl")
    assert loaded(path=str(folder), language="de").judge(CLIPS[:1])[0].refused is None


def test_folders_that_are_no_model_are_refused(folder, tmp_path) -> None:
    def copy(name):
        return shutil.copytree(folder, tmp_path / name)

    def refused(path) -> str:
        with pytest.raises(UnavailableError) as caught:
            loaded(path=str(path))
        return str(caught.value)

    for name in ("config.json", "generation_config.json", "tokenizer.json"):
        bare = copy(f"no-{name}")
        (bare / name).unlink()
        assert f"there is no {name}" in refused(bare)
    cut = copy("cut") / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:5000])
    assert "not a Whisper model that can be loaded safely" in refused(cut.parent)
    pickled = copy("pickled")
    (pickled / "model.safetensors").unlink()
    torch.save({"weight": _Code()}, pickled / "pytorch_model.bin")
    assert "model.safetensors" in refused(pickled)
    from safetensors.torch import load_file, save_file

    part = copy("part") / "model.safetensors"
    state = load_file(part)
    state.pop("model.encoder.conv1.weight")
    save_file(state, part, metadata={"format": "pt"})
    assert "lacks weights: model.encoder.conv1.weight" in refused(part.parent)
    other = copy("other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "d_model": 32}))
    assert "can be loaded safely" in refused(other) or "lacks weights" in refused(other)


def test_identity_of_a_folder_follows_its_files(folder, tmp_path) -> None:
    found = TransformersWhisperJudge(path=str(folder)).info.weights
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= set(found)
    for name in ("model.safetensors", "generation_config.json", "tokenizer.json"):
        copy = shutil.copytree(folder, tmp_path / name)
        with (copy / name).open("ab") as stream:
            stream.write(b" ")
        assert TransformersWhisperJudge(path=str(copy)).info.weights[name] != found[name]
    with pytest.raises(UnavailableError, match="cannot read"):
        _ = TransformersWhisperJudge(path=str(tmp_path / "nowhere")).info


def test_large_v3_of_each_package_is_known_before_it_is_fetched(tmp_path, monkeypatch) -> None:
    """Name by model and package, files by the sha256 that their hosts publish, and what to install."""
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path))
    made = {name: JUDGES.load(f"whisper-large-v3-{name}")() for name in ("openai", "faster", "transformers")}
    assert {name: judge.info.name for name, judge in made.items()} == {
        "openai": "whisper-large-v3/openai-whisper",
        "faster": "whisper-large-v3/faster-whisper",
        "transformers": "whisper-large-v3/transformers",
    }
    from calm_eval.judges.openai_whisper import OpenAIWhisperJudge

    assert made["openai"].info.weights == OpenAIWhisperJudge("large-v3").info.weights
    assert made["openai"].info == OpenAIWhisperJudge("large-v3").info
    assert set(made["transformers"].info.weights) >= {"model.safetensors", "tokenizer.json", "generation_config.json"}
    # The same tokenizer, byte for byte, in both conversions.
    same = {made[name].info.weights["tokenizer.json"] for name in ("faster", "transformers")}
    assert len(same) == 1
    assert [made[name].requires.extra for name in made] == ["openai-whisper", "mini", "language-model"]
    assert not list(tmp_path.iterdir())


def test_without_transformers_the_extra_is_named(monkeypatch) -> None:
    import sys

    from calm_eval.judges.readiness import readiness

    monkeypatch.setitem(sys.modules, "transformers", None)
    for name, options in (("transformers-whisper", {"random": 0}), ("whisper-large-v3-transformers", {})):
        assert "calm-eval[language-model]" in readiness(name, options).told
        with pytest.raises(UnavailableError, match=r"calm-eval\[language-model\]"):
            JUDGES.load(name)(**options).load("cpu", 1)


class _Code:
    def __reduce__(self):
        return print, ("never printed",)


@pytest.mark.slow
def test_tiny_en_in_three_packages(utterances, tmp_path) -> None:
    import whisper
    from ct2_checkpoint import to_openai, to_transformers
    from jiwer import wer
    from whisper_normalizer.english import EnglishTextNormalizer

    from calm_eval.assets import fetch
    from calm_eval.judges.faster_whisper import FasterWhisperJudge
    from calm_eval.judges.openai_whisper import OpenAIWhisperJudge

    source = fetch("whisper-tiny.en-ct2")
    to_openai(source / "model.bin", tmp_path / "tiny.en.pt")
    to_transformers(source, tmp_path / "tiny.en.pt", tmp_path / "tiny.en")
    judges = {
        "openai": OpenAIWhisperJudge(path=str(tmp_path / "tiny.en.pt")),
        "faster": FasterWhisperJudge(model="whisper-tiny.en-ct2", compute_type="float32"),
        "segment": TransformersWhisperJudge(path=str(tmp_path / "tiny.en"), timestamps="segment"),
        "plain": TransformersWhisperJudge(path=str(tmp_path / "tiny.en")),
    }
    utterances = utterances[::3]
    audios = [each.audio for each in utterances]
    heard = {}
    for name, judge in judges.items():
        judge.load("cpu", 1)
        heard[name] = [str(each.text) for each in judge.judge(audios)]
        judge.close()
    # OpenAI's decoder on the same window: what is missing of 30 s is silence before the log-mel is taken.
    model = whisper.load_model(str(tmp_path / "tiny.en.pt"))
    for name, plain in (("segment", False), ("plain", True)):
        options = whisper.DecodingOptions(language="en", without_timestamps=plain, fp16=False)
        windows = [whisper.log_mel_spectrogram(whisper.pad_or_trim(audio)) for audio in audios]
        assert [whisper.decode(model, one, options).text.strip() for one in windows] == heard[name]
    # The `transcribe` of both other packages fills up the log-mel with zeros instead: other words here and there.
    normalise = EnglishTextNormalizer()
    texts = {name: [normalise(text) for text in found] for name, found in heard.items()}
    truth = [normalise(each.text) for each in utterances]
    assert sum(one == two for one, two in zip(texts["openai"], texts["faster"], strict=True)) >= len(audios) - 1
    assert 8 <= sum(one == two for one, two in zip(texts["openai"], texts["segment"], strict=True)) < len(audios)
    for name in ("segment", "plain", "faster"):
        assert wer(truth, texts[name]) == pytest.approx(wer(truth, texts["openai"]), abs=0.03), name
