from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

from calm_eval.assets import fetch, weights
from calm_eval.errors import UnavailableError
from calm_eval.judges.aisfx import MIN_SAMPLES, AisfxJudge, window_starts
from calm_eval.judges.aisfx_front_end import LARGEST, AisfxLogMel, frame_count, hz_to_mel, mel_filters
from calm_eval.judges.aisfx_network import tensor_shapes
from calm_eval.selftest.signals import signal

# What Essentia 2.1b6.dev1389 answers with the settings of aisfx 0.1.2 on the self-test's signals at 44.1 kHz: log10(1 +
# 10000 power) by frame and band.
GOLDEN_MEL = {
    "chord": {(0, 20): 6.48761, (43, 0): 3.49206, (43, 95): 1.10771, (100, 40): 1e-05, (173, 10): 2.97656},
    "noise": {(0, 20): 4.44594, (43, 0): 5.08553, (43, 95): 5.11123, (100, 40): 5.06481, (173, 10): 2.29214},
}
# And aisfx 0.1.2 from there on (torch 2.14.1): the first numbers of both windows, and the largest one.
GOLDEN_EMBEDDING = {
    "chord": [
        [0.6521, 0.88985, 0.73335, 0.08645, 0.71165, 1.58714],
        [1.02441, 1.02623, 0.84669, 0.15489, 0.68907, 1.70481],
    ],
    "noise": [
        [1.70476, 0.94389, 2.19482, 0.47275, 0.92763, 2.43133],
        [1.86264, 1.26714, 2.34698, 0.394, 1.00811, 2.12764],
    ],
}
GOLDEN_LARGEST = {"chord": [(321, 5.63703), (321, 5.14371)], "noise": [(158, 4.26379), (158, 4.43836)]}
# How many frames it cuts from so many samples, and how many windows aisfx makes of so many frames.
GOLDEN_FRAMES = {51199: 51, 51200: 51, 51201: 52, 52223: 52, 60000: 60, 88200: 88, 100003: 99, 529200: 518}
GOLDEN_WINDOWS = {51: 1, 99: 1, 131: 1, 174: 2, 231: 3, 346: 5, 518: 9}

PEER = """
import importlib.util, sys
import numpy as np
spec = importlib.util.spec_from_file_location("peer", sys.argv[1])
peer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(peer)
for name in sys.argv[2:]:
    settings = dict(sr=44100.0, block_size=2048, hop_size=1024, n_mels=96, f_min=0.0, f_max=22050.0)
    np.save(name + ".npy", peer.compute_spectrogram(name, **settings))
"""


@pytest.fixture(scope="module")
def judge() -> Iterator[AisfxJudge]:
    made = AisfxJudge()
    try:
        made.load("cpu", 1)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")
    yield made
    made.close()


@pytest.mark.parametrize("name", ["chord", "noise"])
def test_front_end_equals_numbers_of_essentia(name: str) -> None:
    mel = AisfxLogMel()(signal(name, 44100)) * LARGEST
    assert mel.shape == (174, 96)
    assert {at: mel[at] for at in GOLDEN_MEL[name]} == pytest.approx(GOLDEN_MEL[name], abs=2e-5)


@pytest.mark.parametrize("name", ["chord", "noise"])
def test_equals_numbers_of_the_package(judge: AisfxJudge, name: str) -> None:
    vectors = judge.judge([signal(name, 44100)])[0].vectors
    assert (vectors.shape, vectors.dtype) == ((2, 512), np.float32)
    np.testing.assert_allclose(vectors[:, :6], GOLDEN_EMBEDDING[name], atol=1e-4)
    for row, (at, value) in zip(vectors, GOLDEN_LARGEST[name], strict=True):
        assert (int(row.argmax()), row.max()) == (at, pytest.approx(value, abs=1e-4))
    assert vectors.min() >= 0


def test_frames_and_windows_as_many_as_theirs() -> None:
    assert {samples: frame_count(samples) for samples in GOLDEN_FRAMES} == GOLDEN_FRAMES
    assert {frames: len(window_starts(frames)) for frames in GOLDEN_WINDOWS} == GOLDEN_WINDOWS
    assert window_starts(231) == [0, 50, 100]
    assert [len(window_starts(frames)) for frames in (149, 150, 199, 200)] == [1, 2, 2, 3]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_equals_essentia_and_the_package_in_every_number(
    judge: AisfxJudge, unpacked_wheel: Callable[[str], Path], tmp_path: Path
) -> None:
    interpreter = os.environ.get("CALM_EVAL_ESSENTIA_PYTHON")
    if not interpreter:
        pytest.skip("CALM_EVAL_ESSENTIA_PYTHON is not set: a Python with essentia 2.1b6.dev1389")
    rng = np.random.default_rng(0)
    sounds = {name: signal(name, 44100) for name in ("chord", "noise", "tone")}
    # Beyond full scale, faint, with a silent middle, under one window, and the fewest samples.
    sounds["loud"] = rng.standard_normal(120000).astype(np.float32)
    sounds["faint"] = sounds["loud"] * np.float32(1e-4)
    sounds["gap"] = np.concatenate([sounds["noise"][:44100], np.zeros(44100, np.float32), sounds["tone"][:44100]])
    sounds["short"] = sounds["chord"][10000:90001]
    sounds["shortest"] = sounds["noise"][:MIN_SAMPLES]
    files = {name: tmp_path / f"{name}.wav" for name in sounds}
    for name, file in files.items():
        soundfile.write(file, sounds[name], 44100, subtype="FLOAT")
    wheel = unpacked_wheel("aisfx==0.1.2") / "aisfx"
    command = [interpreter, "-c", PEER, str(wheel / "spectrogram/spectrogram_essentia.py"), *map(str, files.values())]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    embed = package(wheel)
    for name, audio in sounds.items():
        theirs = np.load(f"{files[name]}.npy")
        np.testing.assert_allclose(AisfxLogMel()(audio), theirs / LARGEST, atol=3e-5, err_msg=name)
        np.testing.assert_allclose(judge.judge([audio])[0].vectors, embed(theirs), atol=3e-4, err_msg=name)


def package(wheel: Path) -> Callable[[np.ndarray], np.ndarray]:
    """What aisfx 0.1.2 makes of a log-mel: its own scaling, windows and network."""
    import torch

    def module(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"peer_{Path(name).stem}", wheel / name)
        loaded = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(loaded)
        return loaded

    cut, nets = module("preprocessing.py"), module("models/cnn2d.py")
    file = wheel / "models/checkpoint.pth"
    # The package loads it as a pickle, which may run code: only the pinned bytes.
    assert hashlib.sha256(file.read_bytes()).hexdigest() == weights("aisfx")["checkpoint.pth"]
    state, corpora = torch.load(file, map_location="cpu", weights_only=False)
    network = nets.CrossNet(nets.EmbeddingNet("max", 3, 1, 64), corpora, "cpu")
    network.load_state_dict(state)
    network.eval()

    def embed(mel: np.ndarray) -> np.ndarray:
        scaled = cut.spectrogram_normalize(mel)
        windows = cut.blocking(scaled, 100, cut.compute_hopSize(100, 0.5, scaled), True)
        with torch.no_grad():
            return network.get_embedding(torch.Tensor(windows)).numpy()

    return embed


def test_a_click_is_a_flat_spectrum_of_known_power() -> None:
    audio = np.zeros(60000, dtype=np.float32)
    audio[30000] = 0.5
    mel = AisfxLogMel()(audio)
    expected = np.zeros(len(mel))
    for frame in range(len(mel)):
        place = 30000 - (frame - 1) * 1024
        if 0 <= place < 2048:
            expected[frame] = np.log10(1 + 1e4 * 0.25 * np.sin(np.pi * place / 2047) ** 4) / LARGEST
    assert np.count_nonzero(expected) == 2
    np.testing.assert_allclose(mel, np.repeat(expected[:, None], 96, axis=1), atol=1e-12)


def test_filters_and_mels() -> None:
    import librosa

    hertz = np.array([0.0, 50.0, 700.0, 1000.0, 22050.0])
    np.testing.assert_allclose(hz_to_mel(hertz), librosa.hz_to_mel(hertz, htk=True), rtol=1e-12)
    filters = mel_filters()
    np.testing.assert_allclose(filters.sum(axis=1), 1.0, rtol=1e-12)
    # The same bins as librosa's, whose triangles are straight over hertz instead: near, but not equal.
    theirs = librosa.filters.mel(sr=44100, n_fft=2048, n_mels=96, htk=True, norm=1)
    np.testing.assert_array_equal(filters > 1e-12, theirs > 1e-12)
    assert 1e-3 < np.abs(filters - theirs / theirs.sum(axis=1, keepdims=True)).max() < 0.05


def test_samples_beyond_full_scale_are_clipped_and_no_others() -> None:
    loud = signal("noise", 44100) * np.float32(8)
    front = AisfxLogMel()
    np.testing.assert_array_equal(front(loud), front(np.clip(loud, -1, 1)))
    # Under full scale, doubling multiplies every power by four.
    tone = signal("tone", 44100)
    once, twice = (10 ** (front(audio) * LARGEST) - 1 for audio in (tone / 2, tone))
    np.testing.assert_allclose(twice, 4 * once, rtol=1e-9, atol=1e-9)
    for wrong in (tone[:0], tone[None]):
        with pytest.raises(ValueError, match="frames > 0"):
            front(wrong)


def test_alone_or_among_others_bit_for_bit(judge: AisfxJudge) -> None:
    audio, other = signal("chord", 44100), signal("noise", 44100)[:150000]
    together = judge.judge([other, audio, other[::-1].copy()])
    np.testing.assert_array_equal(together[1].vectors, judge.judge([audio])[0].vectors)
    assert together[0].notes == {"windows": 1, "dropped_seconds": pytest.approx((150000 - 102400) / 44100)}


def test_a_clip_under_one_window_is_filled_up_with_silence(judge: AisfxJudge) -> None:
    clip = signal("chord", 44100)[: 59 * 1024]
    short, filled = judge.judge([clip, np.pad(clip, (0, 40 * 1024))])
    np.testing.assert_allclose(short.vectors, filled.vectors, atol=1e-5)
    assert short.notes == filled.notes == {"windows": 1, "dropped_seconds": 0.0}


def test_a_window_hears_nothing_beyond_itself(judge: AisfxJudge) -> None:
    chord, noise = signal("chord", 44100), signal("noise", 44100)
    spliced = np.concatenate([chord[:102400], noise])
    vectors = judge.judge([spliced])[0].vectors
    np.testing.assert_allclose(vectors[0], judge.judge([chord])[0].vectors[0], atol=1e-5)


def test_refusals(judge: AisfxJudge) -> None:
    noise = signal("noise", 44100)
    broken = noise.copy()
    broken[5] = np.inf
    batch = [noise[:0], broken, np.zeros(60000, dtype=np.float32), noise[: MIN_SAMPLES - 1], noise[:MIN_SAMPLES]]
    answers = judge.judge(batch)
    assert [each.refused for each in answers] == ["empty", "nan", "silent", "too-short", None]
    assert all(each.vectors is None for each in answers[:4])
    # The package asks for more frames than its hop of 50.
    assert (frame_count(MIN_SAMPLES - 1), frame_count(MIN_SAMPLES)) == (50, 51)


def test_identity(tmp_path: Path) -> None:
    info = AisfxJudge().info
    assert (info.name, info.output, info.sample_rate) == ("aisfx", "embedding", 44100)
    assert info.weights == weights("aisfx")
    file = tmp_path / "mine.pth"
    file.write_bytes(b"weights")
    assert AisfxJudge(str(file)).info.weights == {"mine.pth": hashlib.sha256(b"weights").hexdigest()}
    with pytest.raises(UnavailableError, match=r"absent\.pth"):
        _ = AisfxJudge(str(tmp_path / "absent.pth")).info
    with pytest.raises(UnavailableError, match="not loaded"):
        AisfxJudge().judge([signal("tone", 44100)])


def test_closing_frees_the_network(judge: AisfxJudge) -> None:
    second = AisfxJudge(str(fetch("aisfx") / "checkpoint.pth"))
    second.load("cpu", 1)
    audio = signal("tone", 44100)[:60000]
    np.testing.assert_array_equal(second.judge([audio])[0].vectors, judge.judge([audio])[0].vectors)
    second.close()
    with pytest.raises(UnavailableError, match="not loaded"):
        second.judge([audio])


class Intruder:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.marker,)


def test_a_checkpoint_is_data_only_and_complete(tmp_path: Path) -> None:
    import torch

    file, marker = tmp_path / "made.pth", tmp_path / "executed"
    tensors = {name: torch.zeros(shape) for name, shape in tensor_shapes().items()}
    last = "embedding_net.conv_block4.bn2.bias"
    contents = {
        "holds objects of": (tensors, Intruder(marker)),
        "pair": tensors,
        last: ({**tensors, last: torch.zeros(7)}, {}),
        "conv1.weight": ({}, {}),
    }
    for word, content in contents.items():
        torch.save(content, file)
        with pytest.raises(UnavailableError, match=word):
            AisfxJudge(str(file)).load("cpu", 1)
    assert not marker.exists()
    torch.save((tensors, {}), file)
    AisfxJudge(str(file)).load("cpu", 1)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UnavailableError, match=r"made\.pth"):
        AisfxJudge(str(file)).load("cpu", 1)
