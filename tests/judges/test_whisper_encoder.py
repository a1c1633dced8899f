from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ct2_checkpoint import to_openai

from calm_eval.assets import fetch, weights
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.whisper_encoder import WhisperEncoderJudge


@pytest.fixture(scope="module")
def whisper_encoder() -> Iterator[WhisperEncoderJudge]:
    judge = WhisperEncoderJudge()
    try:
        judge.load("cpu", 1)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")
    yield judge
    judge.close()


def openai_model(folder: Path) -> Any:
    """openai-whisper with the weights of our judge."""
    whisper = pytest.importorskip("whisper")
    to_openai(fetch("whisper-tiny.en-ct2") / "model.bin", folder / "tiny.en.pt")
    return whisper.load_model(str(folder / "tiny.en.pt"), device="cpu").float()


def test_equals_openai_s_encoder_with_the_same_weights(
    whisper_encoder: WhisperEncoderJudge, voice: np.ndarray, tmp_path: Path
) -> None:
    whisper = pytest.importorskip("whisper")
    peer = openai_model(tmp_path)
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(voice))
    with torch.inference_mode():
        theirs = peer.encoder(mel[None])[0].numpy()
    ours = whisper_encoder.judge([voice])[0].vectors
    assert ours.shape == (200, 384)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs[:200], atol=5e-3)


def test_one_state_for_each_whole_20_ms_and_none_for_padding(
    whisper_encoder: WhisperEncoderJudge, voice: np.ndarray
) -> None:
    lengths = [319, 320, 639, 640, 64000]
    found = whisper_encoder.judge([voice[8000:][:length] if length < 64000 else voice for length in lengths])
    assert found[0].refused == "too-short"
    assert [len(each.vectors) for each in found[1:]] == [1, 1, 2, 200]


def test_windows_follow_each_other_without_overlap(whisper_encoder: WhisperEncoderJudge, voice: np.ndarray) -> None:
    long = np.tile(voice, 8)[: 480000 + 16000]
    whole, first, rest = whisper_encoder.judge([long, long[:480000], long[480000:]])
    assert whole.notes["windows"] == 2
    assert whole.vectors.shape == (1550, 384)
    np.testing.assert_array_equal(whole.vectors, np.concatenate([first.vectors, rest.vectors]))
    almost = whisper_encoder.judge([long[: 480000 + 319]])[0]
    np.testing.assert_array_equal(almost.vectors, first.vectors)


def test_alone_or_among_others_bit_for_bit(whisper_encoder: WhisperEncoderJudge, voice: np.ndarray) -> None:
    together = whisper_encoder.judge([voice[:16000], voice])
    np.testing.assert_array_equal(together[1].vectors, whisper_encoder.judge([voice])[0].vectors)


def test_nearly_blind_to_level(whisper_encoder: WhisperEncoderJudge, voice: np.ndarray) -> None:
    loud, quiet = (each.vectors for each in whisper_encoder.judge([voice, voice * np.float32(0.5)]))
    # Halving moves all log-mels by one constant, -0.15, as long as the floor at 1e-10 is not met.
    cosine = (loud * quiet).sum(1) / np.linalg.norm(loud, axis=1) / np.linalg.norm(quiet, axis=1)
    assert cosine.mean() > 0.9


def test_refusals_and_errors(whisper_encoder: WhisperEncoderJudge, voice: np.ndarray, tmp_path: Path) -> None:
    broken = voice.copy()
    broken[100] = np.nan
    found = whisper_encoder.judge([voice[:0], broken, np.zeros(16000, dtype=np.float32)])
    assert [each.refused for each in found] == ["empty", "nan", "silent"]
    with pytest.raises(UnavailableError, match="not loaded"):
        WhisperEncoderJudge().judge([voice])
    judge = WhisperEncoderJudge(path=str(tmp_path))
    with pytest.raises(UnavailableError, match=tmp_path.name):
        _ = judge.info
    with pytest.raises(UnavailableError, match="cannot load"):
        judge.load("cpu", 1)


def test_identity() -> None:
    info = WhisperEncoderJudge().info
    assert info.name == "whisper-tiny.en/encoder"
    assert info.weights == {"model.bin": weights("whisper-tiny.en-ct2")["model.bin"]}
    assert WhisperEncoderJudge(compute_type="int8").info.parameters != info.parameters


def test_a_shorter_window_equals_openai_s_encoder_with_its_first_positions(
    whisper_encoder: WhisperEncoderJudge, voice: np.ndarray, tmp_path: Path
) -> None:
    whisper = pytest.importorskip("whisper")
    peer = openai_model(tmp_path)
    peer.encoder.positional_embedding = peer.encoder.positional_embedding[:250]
    mel = whisper.log_mel_spectrogram(whisper.pad_or_trim(voice, 80000))
    with torch.inference_mode():
        theirs = peer.encoder(mel[None])[0].numpy()
    short = WhisperEncoderJudge(window_seconds=5.0)
    short.load("cpu", 1)
    ours = short.judge([voice, np.tile(voice, 2)])
    np.testing.assert_allclose(ours[0].vectors, theirs[:200], atol=5e-3)
    assert [one.notes["windows"] for one in ours] == [1, 2]
    assert len(ours[1].vectors) == 400
    assert short.info.name == "whisper-tiny.en/encoder/5s"
    assert short.info.parameters["window_samples"] == 80000
    assert whisper_encoder.info.name == "whisper-tiny.en/encoder"


@pytest.mark.parametrize("seconds", [0.5, 31.0, float("nan")])
def test_a_window_that_the_encoder_cannot_take_is_refused(seconds: float) -> None:
    with pytest.raises(InputError, match="window_seconds"):
        WhisperEncoderJudge(window_seconds=seconds)
