"""Piper: seeded noise, parity with piper-tts, failures. Needs the voice, which is fetched once."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.systems import piper, piper_noise
from calm_eval.systems.protocol import Chunk, Done, Failure, Request, Value

ASSET = "piper-en_US-joe-medium"
TEXT = "Good morning. The kettle is on the stove."
DEFAULTS: dict[str, Value] = {name: parameter.default for name, parameter in piper.SAMPLING.items()}


def speak(system: piper.PiperSystem, request: Request, **changed: float) -> NDArray[np.float32]:
    events = list(system.generate([request], {**DEFAULTS, **changed}))
    assert isinstance(events[-1], Done)
    return np.concatenate([event.samples for event in events if isinstance(event, Chunk)])


def ask(item: str = "a", seed: int = 0, text: str = TEXT) -> Request:
    return Request(item, seed, "tts", text)


@pytest.fixture(scope="module")
def folder() -> Path:
    for package in ("piper", "onnx", "onnxruntime"):
        pytest.importorskip(package)
    from calm_eval.assets import fetch

    try:
        return fetch(ASSET)
    except UnavailableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def system(folder: Path) -> piper.PiperSystem:
    made = piper.create(ASSET)
    made.load("cpu", "float32", 2)
    return made


def test_a_sample_depends_on_item_and_seed_and_on_nothing_before_it(system: piper.PiperSystem) -> None:
    first = {key: speak(system, ask(*key)) for key in (("a", 0), ("b", 0), ("a", 1))}
    again = {key: speak(system, ask(*key)) for key in (("a", 1), ("a", 0), ("b", 0))}
    for key, samples in first.items():
        np.testing.assert_array_equal(samples, again[key])
    assert len({samples.tobytes() for samples in first.values()}) == 3


def test_one_chunk_a_sentence_within_full_scale(system: piper.PiperSystem) -> None:
    events = list(system.generate([ask()], DEFAULTS))
    assert [type(event) for event in events] == [Chunk, Chunk, Done]
    for chunk in events[:2]:
        assert isinstance(chunk, Chunk)
        assert chunk.samples.dtype == np.float32
        assert chunk.samples.ndim == 1
        assert chunk.sample_rate == piper.SAMPLE_RATE
        assert 0.05 < np.abs(chunk.samples).max() < 1.0


def test_without_noise_it_is_what_piper_tts_gives(system: piper.PiperSystem, folder: Path) -> None:
    from piper import PiperVoice, SynthesisConfig

    theirs = PiperVoice.load(folder / "en_US-joe-medium.onnx")
    for normalize in (False, True):
        settings = SynthesisConfig(noise_scale=0.0, noise_w_scale=0.0, normalize_audio=normalize)
        expected = np.concatenate([chunk.audio_float_array for chunk in theirs.synthesize(TEXT, settings)])
        ours = piper.create(normalize_audio=normalize)
        ours._voice = system._voice
        found = speak(ours, ask(), noise_scale=0.0, noise_w=0.0)
        assert found.shape == expected.shape
        # Equal to the last bit with the same threads; another number of threads rounds otherwise.
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_folder_of_the_user_s_is_hashed(folder: Path, tmp_path: Path) -> None:
    assert piper.create(folder=str(folder)).info.weights == piper.create().info.weights
    with pytest.raises(InputError, match="no file"):
        _ = piper.create(folder=str(tmp_path)).info


def test_the_noise_scales_matter(system: piper.PiperSystem) -> None:
    mute = [speak(system, ask(seed=seed), noise_scale=0.0, noise_w=0.0) for seed in (0, 1)]
    np.testing.assert_array_equal(*mute)
    # Durations are fixed by noise_w 0, so lengths agree and samples can be compared one by one.
    lively = speak(system, ask(), noise_w=0.0)
    assert lively.shape == mute[0].shape
    assert float(np.abs(lively - mute[0]).max()) > 0.01
    other = speak(system, ask(seed=1), noise_w=0.0)
    assert float(np.abs(lively - other).max()) > 0.01


def test_length_scale_two_is_about_twice_as_long(system: piper.PiperSystem) -> None:
    ratio = len(speak(system, ask(), length_scale=2.0)) / len(speak(system, ask()))
    # Each phoneme's duration is rounded up to whole frames, at either scale.
    assert 1.6 < ratio < 2.1


def test_a_short_first_draw_changes_nothing(system: piper.PiperSystem, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = speak(system, ask())
    monkeypatch.setattr(piper, "FRAMES_PER_ID", 1)
    np.testing.assert_array_equal(speak(system, ask()), expected)


@pytest.mark.parametrize("text", ["", "   ", "...", None])
def test_text_without_phonemes_is_a_named_failure(system: piper.PiperSystem, text: str | None) -> None:
    events = list(system.generate([Request("a", 0, "tts", text), ask()], DEFAULTS))
    assert isinstance(events[0], Failure)
    assert events[0].name == "no-phonemes"
    assert isinstance(events[-1], Done)


def test_draws_are_standard_normal_and_extend_each_other() -> None:
    short = piper_noise.draw(piper_noise.FRAME_NOISE, 50, "a", 0, 0)
    long = piper_noise.draw(piper_noise.FRAME_NOISE, 200, "a", 0, 0)
    assert short.shape == (1, 192, 50)
    np.testing.assert_array_equal(long[:, :, :50], short)
    assert abs(float(long.mean())) < 0.02
    assert abs(float(long.std()) - 1) < 0.02
    for other in (("b", 0, 0), ("a", 1, 0), ("a", 0, 1)):
        assert not np.array_equal(piper_noise.draw(piper_noise.FRAME_NOISE, 50, *other), short)


def test_info_needs_no_weights() -> None:
    info = piper.create().info
    assert (info.tasks, info.family, info.sample_rate, info.streaming, info.version) == (
        ("tts",),
        "other",
        22050,
        True,
        1,
    )
    assert sorted(info.weights) == ["en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json"]
    assert info.config == {"voice": "en_US-joe-medium", "normalize_audio": False}


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(InputError, match="cuda"):
        piper.create().load("cuda", "float32", 1)
    with pytest.raises(InputError, match="piper-<voice>"):
        piper.create("joe")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piper.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnavailableError, match=r"calm-eval\[piper\]"):
        piper.create().load("cpu", "float32", 1)


def test_another_graph_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    shape = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    out = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    node = onnx.helper.make_node("RandomNormalLike", ["x"], ["y"], "/elsewhere")
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "g", [shape], [out])), str(tmp_path / "v.onnx"))
    with pytest.raises(UnavailableError, match="/elsewhere"):
        piper_noise.with_noise_inputs(tmp_path / "v.onnx")


def test_importing_it_imports_no_engine() -> None:
    import subprocess

    code = "import sys, calm_eval.systems.piper; sys.exit(bool({'piper', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
