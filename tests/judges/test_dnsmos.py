from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from calm_eval.assets import weights
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.dnsmos import WINDOW, DnsmosJudge, tile, window_starts


@pytest.fixture(scope="module")
def peer(unpacked_wheel: Callable[[str], Path]) -> Iterator[ModuleType]:
    folder = unpacked_wheel("speechmos==0.0.1.1")
    sys.path.insert(0, str(folder))
    try:
        from speechmos import dnsmos

        yield dnsmos
    finally:
        sys.path.remove(str(folder))


def assert_equals_peer(judge: DnsmosJudge, peer: ModuleType, audio: np.ndarray) -> None:
    theirs = peer.run(audio, sr=16000)
    ours = judge.judge([audio])[0].scores
    assert {f"{name}_mos" for name in ours} == set(theirs)
    for name, value in ours.items():
        assert value == pytest.approx(theirs[f"{name}_mos"], abs=1e-3), name


@pytest.mark.parametrize("seconds", [2.0, 9.3, 11.2])
def test_equals_speechmos_on_real_speech(
    dnsmos: DnsmosJudge, peer: ModuleType, utterances: list, seconds: float
) -> None:
    audio = utterances[0].audio[: int(seconds * 16000)]
    assert_equals_peer(dnsmos, peer, audio)


def test_equals_speechmos_on_a_synthetic_voice(dnsmos: DnsmosJudge, peer: ModuleType, voice: np.ndarray) -> None:
    assert_equals_peer(dnsmos, peer, voice[:24000])


@pytest.mark.slow
def test_equals_speechmos_over_thirty_seconds_where_it_leaves_windows_out(
    dnsmos: DnsmosJudge, peer: ModuleType, utterances: list
) -> None:
    audio = np.concatenate([each.audio for each in utterances[:3]])
    assert audio.size > 30 * 16000
    assert_equals_peer(dnsmos, peer, audio)
    assert dnsmos.judge([audio])[0].notes["left_out_windows"] == 14


def test_noise_lowers_every_rating(dnsmos: DnsmosJudge, utterances: list) -> None:
    clean = utterances[0].audio[:144160]
    noise = np.random.default_rng(0).standard_normal(clean.size)
    noise *= np.sqrt(np.mean(clean**2) / np.mean(noise**2)) * 10 ** (-5 / 20)
    before, after = dnsmos.judge([clean, (clean + noise).astype(np.float32)])
    assert before.scores["ovrl"] > after.scores["ovrl"] + 0.5
    assert before.scores["bak"] > after.scores["bak"] + 0.5
    assert before.scores["p808"] > after.scores["p808"] + 0.3


@pytest.mark.parametrize("frames", [1, 16000, 56000, 72079, 72080, 72081, 144159, 144160, 150000])
def test_tiling_doubles_until_a_window_is_full(frames: int) -> None:
    audio = np.arange(frames, dtype=np.float32)
    expected = audio
    while len(expected) < WINDOW:
        expected = np.append(expected, expected)
    np.testing.assert_array_equal(tile(audio), expected)


@pytest.mark.parametrize("seconds", [9.01, 10.5, 17.0, 33.4, 60.0])
def test_windows_of_both_rules(seconds: float) -> None:
    frames = round(seconds * 16000)
    everything, none = window_starts(frames, "all")
    assert none == 0
    assert everything == [index * 16000 for index in range(max(1, int(seconds) - 9))]
    kept, left_out = window_starts(frames, "speechmos")
    assert len(kept) + left_out == len(everything)
    assert not {start // 16000 for start in kept} & set(range(7, 24))


def test_identical_windows_are_computed_once_and_change_nothing(dnsmos: DnsmosJudge, voice: np.ndarray) -> None:
    found = dnsmos.judge([voice[:16000]])[0]
    assert found.notes["windows"] == 7
    assert found.notes["distinct_windows"] == 1
    whole = dnsmos.judge([tile(voice[:16000])])[0]
    assert whole.notes["distinct_windows"] == 7
    assert found.scores == pytest.approx(whole.scores, abs=1e-6)


def test_samples_beyond_full_scale_are_clipped_and_counted(dnsmos: DnsmosJudge, voice: np.ndarray) -> None:
    loud = voice[:16000] * np.float32(4)
    found = dnsmos.judge([loud])[0]
    assert found.notes["clipped_samples"] == np.count_nonzero(np.abs(loud) > 1) > 0
    assert found.scores == dnsmos.judge([np.clip(loud, -1, 1)])[0].scores


def test_same_audio_same_scores_alone_or_among_others(dnsmos: DnsmosJudge, voice: np.ndarray) -> None:
    first, second = voice[:16000], voice[20000:36000]
    together = dnsmos.judge([first, second, first])
    assert together[0] == together[2] == dnsmos.judge([first])[0]
    assert together[0].scores != together[1].scores


def test_identity() -> None:
    info = DnsmosJudge().info
    assert info.weights == weights("dnsmos")
    assert info.parameters["windows"] == "speechmos"
    assert DnsmosJudge(windows="all").info.parameters["windows"] == "all"
    with pytest.raises(InputError, match="speechmos, all"):
        DnsmosJudge(windows="some")


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_file_that_is_no_network_is_unavailable(content: bytes, tmp_path: Path) -> None:
    for name in ("sig_bak_ovr.onnx", "model_v8.onnx"):
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UnavailableError, match=r"sig_bak_ovr\.onnx"):
        DnsmosJudge(path=str(tmp_path)).load("cpu", 1)


def test_once_is_the_first_window_of_a_short_clip_and_all_windows_of_a_long_one(voice: np.ndarray) -> None:
    judges = {rule: DnsmosJudge(windows=rule) for rule in ("once", "all")}
    for judge in judges.values():
        judge.load("cpu", 2)
    short, long = voice[: 2 * 16000], np.tile(voice, 20)[: 11 * 16000]
    once = judges["once"].judge([short])[0]
    assert once.notes["windows"] == 1
    # The first window alone: what the rule `all` gives to exactly those samples.
    first = np.tile(short, 8)[:144160]
    assert once.scores == pytest.approx(judges["all"].judge([first])[0].scores, abs=1e-6)
    assert judges["once"].judge([long])[0].scores == judges["all"].judge([long])[0].scores
    assert judges["once"].info.name == "dnsmos/once"
