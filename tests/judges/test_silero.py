from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from calm_eval.assets import weights
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.silero import SileroJudge, voiced_samples


@pytest.fixture(scope="module")
def silero() -> Iterator[SileroJudge]:
    judge = SileroJudge()
    try:
        judge.load("cpu", 1)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")
    yield judge
    judge.close()


def test_equals_the_package(silero: SileroJudge, unpacked_wheel: Callable[[str], Path], utterances: list) -> None:
    folder = unpacked_wheel("silero-vad==6.2.3")
    peer = torch.jit.load(str(folder / "silero_vad/data/silero_vad.jit"))
    for each in utterances[2::24]:
        with torch.inference_mode():
            theirs = peer.audio_forward(torch.from_numpy(each.audio)[None], 16000)[0].numpy()
        ours = silero.judge([each.audio])[0].vectors
        assert ours.shape == (theirs.size, 1)
        np.testing.assert_allclose(ours[:, 0], theirs, atol=1e-3)


def test_speech_is_voiced_and_silence_noise_and_tones_are_not(silero: SileroJudge, utterances: list) -> None:
    rng = np.random.default_rng(0)
    tone = (0.3 * np.sin(np.arange(32000) * 0.2)).astype(np.float32)
    noise = (0.05 * rng.standard_normal(32000)).astype(np.float32)
    speech, *others = silero.judge([utterances[2].audio, np.zeros(32000, dtype=np.float32), tone, noise])
    # 1688-142285-0002 through the package: 0.75 of its chunks.
    assert speech.scores["voiced_share"] == pytest.approx(0.75, abs=0.01)
    assert speech.scores["voiced_seconds"] == pytest.approx(
        speech.scores["voiced_share"] * utterances[2].audio.size / 16000
    )
    assert [each.scores["voiced_seconds"] for each in others] == [0.0, 0.0, 0.0]
    assert all(each.refused is None for each in others)


def test_probabilities_lie_over_their_sound(silero: SileroJudge, utterances: list) -> None:
    speech = utterances[2].audio
    gap = np.zeros(512 * 100, dtype=np.float32)
    found = silero.judge([np.concatenate([gap, speech])])[0].vectors[:, 0]
    assert found[:95].max() < 0.5
    assert (found[100:] > 0.5).mean() > 0.6


def test_a_partial_chunk_counts_what_it_holds() -> None:
    probabilities = np.array([0.9, 0.5, 0.6], dtype=np.float32)
    # Two chunks of 512, of which the second is not above 0.5, and 100 samples.
    assert voiced_samples(probabilities, 1124, 0.5) == 612
    assert voiced_samples(probabilities, 1124, 0.8) == 512
    assert voiced_samples(probabilities, 1536, 0.1) == 1536


def test_alone_or_among_others_bit_for_bit(silero: SileroJudge, voice: np.ndarray) -> None:
    together = silero.judge([voice[:20000], voice, voice[:1]])
    np.testing.assert_array_equal(together[1].vectors, silero.judge([voice])[0].vectors)
    assert [each.vectors.shape for each in together] == [(40, 1), (125, 1), (1, 1)]
    assert together[1].vectors.dtype == np.float32


def test_refusals_and_errors(silero: SileroJudge, tmp_path: Path) -> None:
    broken = np.full(16000, np.nan, dtype=np.float32)
    assert [each.refused for each in silero.judge([broken[:0], broken])] == ["empty", "nan"]
    with pytest.raises(UnavailableError, match="not loaded"):
        SileroJudge().judge([broken])
    with pytest.raises(InputError, match="threshold"):
        SileroJudge(threshold=1.5)
    file = tmp_path / "mine.onnx"
    with pytest.raises(UnavailableError, match=r"mine\.onnx"):
        _ = SileroJudge(path=str(file)).info
    file.write_bytes(b"no network")
    with pytest.raises(UnavailableError, match=r"mine\.onnx"):
        SileroJudge(path=str(file)).load("cpu", 1)


def test_identity() -> None:
    info = SileroJudge().info
    assert info.weights == weights("silero-vad")
    assert SileroJudge(threshold=0.7).info.parameters["threshold"] == 0.7
    assert info.parameters != SileroJudge(threshold=0.7).info.parameters
