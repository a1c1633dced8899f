from __future__ import annotations

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("whisper")

import torch
from ct2_checkpoint import to_openai
from jiwer import wer
from whisper.model import ModelDimensions, Whisper
from whisper_normalizer.english import EnglishTextNormalizer

from calm_eval.assets import fetch
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.faster_whisper import FasterWhisperJudge, whisper_tiny_en
from calm_eval.judges.openai_whisper import OpenAIWhisperJudge, official_checkpoints


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights in the official format: one small layer on each side, the vocabulary of the .en models."""
    torch.manual_seed(3)
    sizes = {"n_mels": 80, "n_audio_ctx": 1500, "n_audio_state": 16, "n_audio_head": 2, "n_audio_layer": 1}
    sizes |= {"n_vocab": 51864, "n_text_ctx": 32, "n_text_state": 16, "n_text_head": 2, "n_text_layer": 1}
    model = Whisper(ModelDimensions(**sizes))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    file = tmp_path_factory.mktemp("whisper") / "random.en.pt"
    torch.save({"dims": sizes, "model_state_dict": model.state_dict()}, file)
    return file


@pytest.fixture(scope="module")
def judge(checkpoint: Path) -> OpenAIWhisperJudge:
    judge = OpenAIWhisperJudge(path=str(checkpoint))
    judge.load("cpu", 2)
    return judge


def test_runs_from_end_to_end_and_says_the_same_twice(judge: OpenAIWhisperJudge, voice: np.ndarray) -> None:
    first, silence, again = judge.judge([voice, np.zeros(8000, dtype=np.float32), voice])
    assert first == again
    assert isinstance(first.text, str)
    assert first.text
    assert first.notes["segments"] >= 1
    assert first.notes["avg_logprob"] < 0
    assert 0 <= first.notes["no_speech_prob"] <= 1
    assert silence.refused is None
    assert isinstance(silence.text, str)


def test_empty_and_not_finite_audio_is_refused(judge: OpenAIWhisperJudge) -> None:
    found = judge.judge([np.zeros(0, dtype=np.float32), np.full(99, np.inf, dtype=np.float32)])
    assert [each.refused for each in found] == ["empty", "nan"]


def test_audio_over_thirty_seconds_goes_through_several_windows(judge: OpenAIWhisperJudge, voice: np.ndarray) -> None:
    short, long = judge.judge([voice, np.tile(voice, 8)])
    assert long.notes["segments"] > short.notes["segments"]


def test_identity_of_a_local_checkpoint_is_its_hash(judge: OpenAIWhisperJudge, checkpoint: Path) -> None:
    assert judge.info.weights == {"random.en.pt": hashlib.sha256(checkpoint.read_bytes()).hexdigest()}
    assert judge.info.name == "whisper-random.en/openai-whisper"
    assert judge.info.parameters["temperature"] == 0.0
    assert judge.info.parameters["fp16"] is False
    assert judge.info.parameters["condition_on_previous_text"] is False


def test_identity_of_an_official_model_is_the_hash_in_whisper_s_own_table() -> None:
    import whisper

    assert official_checkpoints() == whisper._MODELS
    info = OpenAIWhisperJudge("tiny.en").info
    assert info.weights == {"tiny.en.pt": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03"}
    assert OpenAIWhisperJudge("large").info.weights == OpenAIWhisperJudge("large-v3").info.weights
    with pytest.raises(InputError, match=r"tiny\.fr.*large-v3"):
        _ = OpenAIWhisperJudge("tiny.fr").info


def test_without_a_network_the_download_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path))
    with pytest.raises(UnavailableError, match="no network"):
        OpenAIWhisperJudge("tiny.en").load("cpu", 2)


def test_another_module_of_that_name_is_not_taken_for_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "whisper.py").write_text("raise SystemExit('must not run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "whisper")
    with pytest.raises(UnavailableError, match="is not openai-whisper"):
        _ = OpenAIWhisperJudge().info


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def test_truncated_or_trapped_checkpoints_are_refused_and_run_nothing(checkpoint: Path, tmp_path: Path) -> None:
    marker, content = tmp_path / "executed", checkpoint.read_bytes()
    bad = {name: tmp_path / f"{name}.pt" for name in ("truncated", "empty", "pickle", "archive", "keys")}
    bad["truncated"].write_bytes(content[: len(content) // 2])
    bad["empty"].write_bytes(b"")
    bad["pickle"].write_bytes(pickle.dumps(Trap(marker)))
    torch.save({"dims": {}, "model_state_dict": Trap(marker)}, bad["archive"])
    torch.save({"model_state_dict": {}}, bad["keys"])
    for name, file in bad.items():
        with pytest.raises(UnavailableError, match=name):
            OpenAIWhisperJudge(path=str(file)).load("cpu", 2)
    assert not marker.exists()


def test_languages_that_cannot_work_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="English only"):
        OpenAIWhisperJudge("tiny.en", language="fr")
    copy = tmp_path / "mine.pt"
    copy.write_bytes(checkpoint.read_bytes())
    with pytest.raises(InputError, match="'fr'"):
        OpenAIWhisperJudge(path=str(copy), language="fr").load("cpu", 2)


@pytest.mark.slow
def test_same_weights_and_precision_same_words_as_faster_whisper(
    tiny_en: FasterWhisperJudge, utterances: list, tmp_path: Path
) -> None:
    file = tmp_path / "tiny.en.pt"
    to_openai(fetch("whisper-tiny.en-ct2") / "model.bin", file)
    official = OpenAIWhisperJudge(path=str(file))
    official.load("cpu", 2)
    normalise = EnglishTextNormalizer()
    audios = [each.audio for each in utterances]
    ours = [normalise(str(each.text)) for each in official.judge(audios)]
    exact = whisper_tiny_en(compute_type="float32")
    exact.load("cpu", 2)
    theirs = [normalise(str(each.text)) for each in exact.judge(audios)]
    assert sum(one == other for one, other in zip(ours, theirs, strict=True)) >= 48
    assert wer(theirs, ours) < 0.01
    # Eight-bit weights change words in many clips, and hardly the error rate.
    truth = [normalise(each.text) for each in utterances]
    rounded = [normalise(str(each.text)) for each in tiny_en.judge(audios)]
    assert wer(truth, ours) == pytest.approx(wer(truth, rounded), abs=0.02)
