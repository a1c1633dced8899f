from __future__ import annotations

import hashlib
import itertools
import pickle
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch

from calm_eval.assets import fetch, weights
from calm_eval.errors import UnavailableError
from calm_eval.judges.resemblyzer import ResemblyzerJudge, partial_starts, raise_level, voiced_mask


@pytest.fixture(scope="module")
def peer(unpacked_wheel: Callable[[str], Path]) -> Iterator[SimpleNamespace]:
    folder = unpacked_wheel("resemblyzer==0.1.4")
    import scipy.ndimage

    # Newer SciPy has dropped the private module the package imports from.
    shim = ModuleType("scipy.ndimage.morphology")
    shim.binary_dilation = scipy.ndimage.binary_dilation  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "scipy.ndimage.morphology", shim)
        patch.syspath_prepend(str(folder))
        import resemblyzer

        yield SimpleNamespace(
            encoder=resemblyzer.VoiceEncoder("cpu", verbose=False),
            preprocess=resemblyzer.preprocess_wav,
            audio=resemblyzer.audio,
        )


def vector(judge: ResemblyzerJudge, audio: np.ndarray) -> np.ndarray:
    found = judge.judge([audio])[0]
    assert found.vectors is not None, found.refused
    return found.vectors[0]


def test_equals_the_package_on_real_speech(encoder: ResemblyzerJudge, peer: SimpleNamespace, utterances: list) -> None:
    for each in utterances[::7]:
        theirs = peer.encoder.embed_utterance(peer.preprocess(each.audio, source_sr=16000))
        assert vector(encoder, each.audio) @ theirs >= 0.9999


def test_equals_the_package_on_a_quiet_synthetic_voice(
    encoder: ResemblyzerJudge, peer: SimpleNamespace, voice: np.ndarray
) -> None:
    for audio in (voice, voice * np.float32(0.02), voice[:12000]):
        theirs = peer.encoder.embed_utterance(peer.preprocess(audio, source_sr=16000))
        assert vector(encoder, audio) @ theirs >= 0.9999


def test_partials_are_the_package_s(peer: SimpleNamespace) -> None:
    for frames in (1, 6400, 25599, 25600, 30000, 44480, 44799, 60000, 200001):
        _, slices = peer.encoder.compute_partial_slices(frames, 1.3, 0.75)
        assert partial_starts(frames) == [each.start for each in slices], frames


def test_speakers_are_told_apart(encoder: ResemblyzerJudge, utterances: list) -> None:
    found = encoder.judge([each.audio for each in utterances])
    vectors = np.concatenate([each.vectors for each in found])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-6)
    assert (vectors >= 0).all()
    cosine = vectors @ vectors.T
    pairs = list(itertools.combinations(range(len(utterances)), 2))
    same = [cosine[i, j] for i, j in pairs if utterances[i].speaker == utterances[j].speaker]
    different = [cosine[i, j] for i, j in pairs if utterances[i].speaker != utterances[j].speaker]
    assert (len(same), len(different)) == (225, 1000)
    assert np.mean(same) - np.mean(different) >= 0.2
    # Calibration of the original on test-other: 0.868 and 0.525.
    assert np.mean(same) == pytest.approx(0.865, abs=0.01)
    assert np.mean(different) == pytest.approx(0.536, abs=0.01)


def test_alone_or_among_others_and_twice_the_same(encoder: ResemblyzerJudge, voice: np.ndarray) -> None:
    clips = [voice, voice[:20000], np.zeros(9, dtype=np.float32), voice[8000:60000]]
    together = encoder.judge(clips)
    assert [each.refused for each in together] == [None, None, "silent", None]
    for clip, each in zip(clips, together, strict=True):
        if each.vectors is not None:
            assert each.vectors.shape == (1, 256)
            assert each.vectors.dtype == np.float32
            np.testing.assert_allclose(each.vectors[0], vector(encoder, clip), atol=1e-6)
    np.testing.assert_array_equal(vector(encoder, voice), vector(encoder, voice))


def test_no_voice_and_too_little_voice_have_names(encoder: ResemblyzerJudge, voice: np.ndarray) -> None:
    constant = np.full(32000, 0.5, dtype=np.float32)
    under_a_window = voice[:400]
    # About 0.2 s of the voice's first burst.
    short = voice[:3200]
    refusals = encoder.judge([constant, under_a_window, short])
    assert [each.refused for each in refusals] == ["no-voice", "no-voice", "too-short"]
    assert 0 < refusals[2].notes["voiced_seconds"] < 0.4


def test_level_is_raised_and_never_lowered() -> None:
    tone = np.sin(np.arange(16000) * 0.1).astype(np.float32)
    quiet = raise_level(tone * np.float32(1e-3))
    assert 20 * np.log10(np.sqrt(np.mean(quiet.astype(np.float64) ** 2))) == pytest.approx(-30, abs=1e-4)
    assert raise_level(tone) is tone


@pytest.mark.parametrize("length", [0, 1, 3, 7, 8, 50])
def test_pauses_are_kept_as_the_package_keeps_them(length: int) -> None:
    from scipy.ndimage import binary_dilation

    flags = np.random.default_rng(length).random(length) < 0.6
    if length == 0:
        assert voiced_mask(flags).size == 0
        return
    padded = np.concatenate([np.zeros(3), flags, np.zeros(4)])
    average = np.array([padded[first : first + 8].mean() for first in range(length)])
    expected = binary_dilation(np.round(average).astype(bool), np.ones(7))
    np.testing.assert_array_equal(voiced_mask(flags), expected)


def test_identity(encoder: ResemblyzerJudge) -> None:
    assert encoder.info.weights == weights("resemblyzer")
    file = fetch("resemblyzer") / "pretrained.pt"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert ResemblyzerJudge(path=str(file)).info.weights == {"pretrained.pt": digest}
    assert encoder.info.parameters["min_voiced_seconds"] == 0.4


def test_missing_unknown_or_misshapen_weights_are_refused(encoder: ResemblyzerJudge, tmp_path: Path) -> None:
    state = torch.load(fetch("resemblyzer") / "pretrained.pt", map_location="cpu", weights_only=True)["model_state"]

    def load(changed: dict[str, torch.Tensor]) -> None:
        file = tmp_path / "changed.pt"
        torch.save({"model_state": changed}, file)
        ResemblyzerJudge(path=str(file)).load("cpu", 2)

    load(state)
    with pytest.raises(UnavailableError, match=r"linear\.bias"):
        load({name: value for name, value in state.items() if name != "linear.bias"})
    with pytest.raises(UnavailableError, match="surplus"):
        load({**state, "surplus": torch.zeros(1)})
    with pytest.raises(UnavailableError, match="size mismatch"):
        load({**state, "linear.bias": torch.zeros(3)})


class Trap:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def test_a_checkpoint_with_code_in_it_runs_nothing(tmp_path: Path) -> None:
    marker, file = tmp_path / "executed", tmp_path / "trap.pt"
    torch.save({"model_state": Trap(marker)}, file)
    with pytest.raises(UnavailableError, match="safely"):
        ResemblyzerJudge(path=str(file)).load("cpu", 2)
    file.write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises(UnavailableError, match="safely"):
        ResemblyzerJudge(path=str(file)).load("cpu", 2)
    assert not marker.exists()
