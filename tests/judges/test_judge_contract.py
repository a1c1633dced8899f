"""What all judges have in common: cheap construction, named refusals, errors that say what to do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from calm_eval.errors import UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.dnsmos import DnsmosJudge
from calm_eval.judges.faster_whisper import FasterWhisperJudge, whisper_tiny_en
from calm_eval.judges.openai_whisper import OpenAIWhisperJudge
from calm_eval.judges.protocol import Judge, Judgement
from calm_eval.judges.resemblyzer import ResemblyzerJudge
from calm_eval.selftest.signals import signal

BUILT_IN: list[Callable[[], Judge]] = [whisper_tiny_en, OpenAIWhisperJudge, ResemblyzerJudge, DnsmosJudge]


def test_naming_a_judge_imports_nothing_heavy_and_touches_no_network() -> None:
    code = (
        "import socket, sys\n"
        "socket.socket.connect = None\n"
        "from calm_eval.judges import JUDGES\n"
        "options = {'faster-whisper': {'model': 'whisper-tiny.en-ct2'}}\n"
        "for name in ('whisper-tiny.en', 'faster-whisper', 'openai-whisper', 'resemblyzer', 'dnsmos'):\n"
        "    print(JUDGES.load(name)(**options.get(name, {})).info.name)\n"
        "heavy = {'torch', 'librosa', 'numba', 'onnxruntime', 'ctranslate2', 'whisper', 'webrtcvad', 'scipy'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "whisper-tiny.en/faster-whisper",
        "whisper-tiny.en/faster-whisper",
        "whisper-tiny.en/openai-whisper",
        "resemblyzer",
        "dnsmos",
    ]


def test_the_registry_knows_them() -> None:
    assert {"whisper-tiny.en", "faster-whisper", "openai-whisper", "resemblyzer", "dnsmos"} <= set(JUDGES.targets())


@pytest.mark.parametrize("make", BUILT_IN)
def test_identity_is_a_sha256_for_each_weight_and_everything_runs_at_16_khz(make: Callable[[], Judge]) -> None:
    info = make().info
    assert info.sample_rate == 16000
    assert info.weights
    assert all(len(digest) == 64 and int(digest, 16) >= 0 for digest in info.weights.values())
    assert info.licence
    assert info == make().info


@pytest.mark.parametrize("make", BUILT_IN)
def test_judging_before_loading_is_an_error(make: Callable[[], Judge]) -> None:
    noise = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.1
    with pytest.raises(UnavailableError, match="not loaded"):
        make().judge([noise])


@pytest.mark.parametrize(
    ("make", "module", "extra"),
    [
        (whisper_tiny_en, "faster_whisper", "calm-eval[mini]"),
        (OpenAIWhisperJudge, "whisper", "calm-eval[openai-whisper]"),
        (ResemblyzerJudge, "webrtcvad", "calm-eval[mini]"),
        (DnsmosJudge, "onnxruntime", "calm-eval[mini]"),
    ],
)
def test_a_missing_package_names_its_extra_and_the_cause(
    make: Callable[[], Judge], module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnavailableError) as caught:
        make().load("cpu", 1)
    assert extra in str(caught.value)
    assert "ModuleNotFoundError" in str(caught.value)
    assert module in str(caught.value)


@pytest.mark.parametrize("fault", [OSError("wrong ELF class"), RuntimeError("built for another NumPy")])
def test_a_broken_package_is_unavailable_too(fault: Exception, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "webrtcvad.py").write_text(f"raise {type(fault).__name__}({str(fault)!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "webrtcvad", raising=False)
    with pytest.raises(UnavailableError, match=str(fault)):
        ResemblyzerJudge().load("cpu", 1)


@pytest.mark.parametrize("name", ["tiny_en", "encoder", "dnsmos"])
def test_empty_and_not_finite_audio_is_refused_by_name(name: str, request: pytest.FixtureRequest) -> None:
    judge = request.getfixturevalue(name)
    broken = np.full(16000, 0.1, dtype=np.float32)
    broken[77] = np.nan
    empty, nan = judge.judge([np.zeros(0, dtype=np.float32), broken])
    assert (empty.refused, nan.refused) == ("empty", "nan")
    for refusal in (empty, nan):
        assert refusal.text is None
        assert refusal.vectors is None
        assert not refusal.scores


@pytest.mark.parametrize("name", ["encoder", "dnsmos"])
def test_digital_silence_is_refused_by_judges_of_sound(name: str, request: pytest.FixtureRequest) -> None:
    judge = request.getfixturevalue(name)
    assert judge.judge([np.zeros(48000, dtype=np.float32)])[0].refused == "silent"


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: FasterWhisperJudge(path=str(folder)),
        lambda folder: OpenAIWhisperJudge(path=str(folder / "tiny.pt")),
        lambda folder: ResemblyzerJudge(path=str(folder / "voice.pt")),
        lambda folder: DnsmosJudge(path=str(folder)),
    ],
)
def test_a_missing_local_file_is_unavailable_in_info_and_load(make: Callable[[Path], Judge], tmp_path: Path) -> None:
    judge = make(tmp_path)
    with pytest.raises(UnavailableError, match=tmp_path.name):
        _ = judge.info
    with pytest.raises(UnavailableError):
        judge.load("cpu", 1)


@pytest.mark.parametrize("make", [whisper_tiny_en, ResemblyzerJudge, DnsmosJudge])
def test_closing_frees_the_weights(
    make: Callable[[], Judge], voice: np.ndarray, request: pytest.FixtureRequest
) -> None:
    # The session fixtures see to it that the weights are there.
    request.getfixturevalue({whisper_tiny_en: "tiny_en", ResemblyzerJudge: "encoder", DnsmosJudge: "dnsmos"}[make])
    judge = make()
    judge.load("cpu", 1)
    judge.close()
    with pytest.raises(UnavailableError, match="not loaded"):
        judge.judge([voice])


def told(answer: Judgement) -> tuple[object, ...]:
    vectors = None if answer.vectors is None else answer.vectors.tobytes()
    return answer.text, dict(answer.scores), vectors, dict(answer.notes), answer.refused


@pytest.mark.parametrize(
    "name", ["whisper-tiny.en", "dnsmos", "silero-vad", "timed-words", "musicnn-mtt", "musicnn-mtt-minilm"]
)
def test_a_concurrent_judge_answers_the_same_from_two_threads_at_once(name: str) -> None:
    judge = JUDGES.load(name)()
    assert judge.concurrent
    whole = np.tile(signal("spoken", 16000), 2)
    sounds = [whole, whole[8000:], 0.5 * whole[4000:]]
    judge.load("cpu", 1)
    alone = [told(answer) for answer in judge.judge(sounds)]
    judge.close()
    judge.load("cpu", 2)
    with ThreadPoolExecutor(2) as callers:
        together = [
            [told(answer) for answer in answers] for answers in callers.map(judge.judge, [sounds, sounds[::-1]] * 2)
        ]
    judge.close()
    assert together == [alone, alone[::-1]] * 2
