from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from calm_eval.assets import fetch, weights
from calm_eval.audio.mel import MelSpectrogram
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.musicnn import MIN_SAMPLES, MusicnnJudge, log_mel, tag_names
from calm_eval.judges.musicnn_tags import read_tags

# What musicnn 0.1.0 itself answers (TensorFlow 2.15.1, NumPy 1.26.4, librosa): tags of both windows of `chord`.
GOLDEN_TAGS = {
    "MTT": [
        {"piano": 0.47776, "slow": 0.28144, "guitar": 0.19757, "sitar": 0.16673},
        {"piano": 0.42858, "slow": 0.27798, "guitar": 0.23954, "sitar": 0.18491},
    ],
    "MSD": [
        {"indie": 0.31371, "electronic": 0.15994, "alternative": 0.10831, "folk": 0.10818},
        {"indie": 0.29249, "electronic": 0.19035, "alternative": 0.10409, "ambient": 0.09722},
    ],
}
# The first numbers of its embedding of the first window.
GOLDEN_EMBEDDING = {
    "MTT": [-0.07995, -0.03288, 1.4184, -0.18606],
    "MSD": [-0.17718, -0.12703, -0.28483, -0.27512],
}
# And of its tags of the first window of librosa's trumpet example.
GOLDEN_TRUMPET = {
    "MTT": {"guitar": 0.46235, "country": 0.24364, "solo": 0.12253},
    "MSD": {"jazz": 0.87806, "blues": 0.08106, "instrumental": 0.03665},
}
PEER = """
import sys
import numpy as np
from musicnn.extractor import extractor
for model in ("MTT", "MSD"):
    tags, names, features = extractor(sys.argv[1], model=model + "_musicnn")
    np.savez(sys.argv[2] + "/" + model, tags=tags, names=names, embedding=features["penultimate"])
"""


def chord() -> np.ndarray:
    """Seven seconds of a struck A major chord, twice a second."""
    time = np.arange(7 * 16000) / 16000
    tones = [(hertz * k, k) for hertz in (220.0, 277.18, 329.63) for k in range(1, 9)]
    audio = sum(np.sin(2 * np.pi * hertz * time) / k**1.5 for hertz, k in tones)
    return (0.12 * audio * np.exp(-3 * (time % 0.5))).astype(np.float32)


@pytest.fixture(scope="module")
def judges() -> Iterator[dict[tuple[str, str], MusicnnJudge]]:
    made = {(m, out): MusicnnJudge(m, out) for m in ("MTT", "MSD") for out in ("tags", "embedding")}
    try:
        for judge in made.values():
            judge.load("cpu", 1)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")
    yield made
    for judge in made.values():
        judge.close()


@pytest.mark.parametrize("model", ["MTT", "MSD"])
def test_equals_numbers_of_the_package(judges: dict, model: str) -> None:
    tags = judges[model, "tags"].judge([chord()])[0]
    assert (tags.vectors.shape, tags.vectors.dtype) == ((2, 50), np.float32)
    names = tag_names(model)
    for row, golden in zip(tags.vectors, GOLDEN_TAGS[model], strict=True):
        assert {name: row[names.index(name)] for name in golden} == pytest.approx(golden, abs=5e-5)
        assert sorted(row)[-4:] == pytest.approx(sorted(golden.values()), abs=5e-5)
    embedding = judges[model, "embedding"].judge([chord()])[0].vectors
    assert embedding.shape == (2, 200)
    assert embedding[0, :4] == pytest.approx(GOLDEN_EMBEDDING[model], abs=5e-4)


@pytest.mark.parametrize("model", ["MTT", "MSD"])
def test_equals_the_package_on_a_trumpet(judges: dict, model: str) -> None:
    root = os.environ.get("CALM_EVAL_TEST_DATA")
    if not root:
        pytest.skip("CALM_EVAL_TEST_DATA is not set")
    import librosa

    audio, _ = librosa.load(Path(root) / "music/librosa/sorohanro_-_solo-trumpet-06.ogg", sr=16000)
    row = judges[model, "tags"].judge([audio])[0].vectors[0]
    golden = GOLDEN_TRUMPET[model]
    assert {name: row[tag_names(model).index(name)] for name in golden} == pytest.approx(golden, abs=1e-3)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_equals_the_package_in_every_window(
    judges: dict, unpacked_wheel: Callable[[str], Path], tmp_path: Path
) -> None:
    interpreter = os.environ.get("CALM_EVAL_MUSICNN_PYTHON")
    if not interpreter:
        pytest.skip(
            "CALM_EVAL_MUSICNN_PYTHON is not set: a Python with tensorflow-cpu 2.15.1, numpy 1.26.4 and librosa"
        )
    soundfile.write(tmp_path / "chord.wav", chord(), 16000, subtype="FLOAT")
    env = {**os.environ, "PYTHONPATH": str(unpacked_wheel("musicnn==0.1.0"))}
    command = [interpreter, "-c", PEER, str(tmp_path / "chord.wav"), str(tmp_path)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    for model in ("MTT", "MSD"):
        theirs = np.load(tmp_path / f"{model}.npz")
        assert tuple(theirs["names"]) == tag_names(model)
        ours = judges[model, "tags"].judge([chord()])[0].vectors
        np.testing.assert_allclose(ours, theirs["tags"], atol=1e-4)
        embedding = judges[model, "embedding"].judge([chord()])[0].vectors
        np.testing.assert_allclose(embedding[0], theirs["embedding"][0], atol=1e-3)
        # The package repeats its first embedding for all windows; its tags, above, show that ours are right.
        np.testing.assert_array_equal(theirs["embedding"][0], theirs["embedding"][1])


def test_front_end_is_librosa_s_in_half_precision() -> None:
    import librosa

    audio = chord()[:50000]
    power = librosa.feature.melspectrogram(y=audio, sr=16000, n_fft=512, hop_length=256, n_mels=96).T
    theirs = np.log10(np.float32(10000) * power.astype(np.float16).astype(np.float32) + 1)
    ours = log_mel(audio, MelSpectrogram(16000, 512, 256, 96))
    # A power that lies on the edge of two half-precision numbers may fall to either side.
    np.testing.assert_allclose(ours, theirs, atol=1e-3)
    # Where 10000 times the power leaves half precision, the answer is still a number.
    assert ours.max() > np.log10(65504)


def test_the_embedding_leads_to_the_tags(judges: dict) -> None:
    from calm_eval.judges.tensorflow_bundle import read_index, read_tensors

    folder = fetch("musicnn-mtt")
    entries = read_index(folder / "model.index")
    wanted = {name: entries[name] for name in ("dense_1/kernel", "dense_1/bias")}
    last = read_tensors(folder / "model.data-00000-of-00001", wanted)
    logits = judges["MTT", "embedding"].judge([chord()])[0].vectors.astype(np.float64) @ last["dense_1/kernel"]
    expected = 1 / (1 + np.exp(-(logits + last["dense_1/bias"])))
    np.testing.assert_allclose(judges["MTT", "tags"].judge([chord()])[0].vectors, expected, atol=1e-6)


def test_alone_or_among_others_bit_for_bit_and_windows_are_independent(judges: dict) -> None:
    judge, audio = judges["MTT", "embedding"], chord()
    other = np.random.default_rng(0).standard_normal(60000).astype(np.float32) * 0.1
    together = judge.judge([other, audio, other[::-1].copy()])
    np.testing.assert_array_equal(together[1].vectors, judge.judge([audio])[0].vectors)
    longer = np.concatenate([audio, other])
    # The last mel frames of a window reach 256 samples beyond it, which changes nothing far inside.
    np.testing.assert_array_equal(judge.judge([longer])[0].vectors[0], together[1].vectors[0])


def test_lengths_around_a_window_and_refusals(judges: dict) -> None:
    judge = judges["MTT", "tags"]
    noise = np.random.default_rng(1).standard_normal(2 * 187 * 256).astype(np.float32) * 0.1
    broken = noise.copy()
    broken[5] = np.inf
    empty, nan, silent, short, one, still_one, two = judge.judge(
        [
            noise[:0],
            broken,
            np.zeros(60000, dtype=np.float32),
            noise[: MIN_SAMPLES - 1],
            noise[:MIN_SAMPLES],
            noise[: 373 * 256 - 1],
            noise[: 373 * 256],
        ]
    )
    assert [each.refused for each in (empty, nan, silent, short)] == ["empty", "nan", "silent", "too-short"]
    assert [each.notes["windows"] for each in (one, still_one, two)] == [1, 1, 2]
    assert still_one.notes["dropped_seconds"] == pytest.approx((373 * 256 - 1 - 187 * 256) / 16000)
    assert all(((each.vectors > 0) & (each.vectors < 1)).all() for each in (one, still_one, two))


def test_identity_names_model_and_output(tmp_path: Path) -> None:
    infos = [MusicnnJudge(model, output).info for model in ("MTT", "MSD") for output in ("tags", "embedding")]
    assert len({info.name for info in infos}) == 4
    assert infos[0].weights == weights("musicnn-mtt")
    assert infos[2].weights == weights("musicnn-msd")
    assert infos[0].sample_rate == 16000
    with pytest.raises(InputError, match="MTT, MSD"):
        MusicnnJudge("MTG")
    with pytest.raises(InputError, match="tags, embedding"):
        MusicnnJudge("MTT", "labels")
    with pytest.raises(UnavailableError, match="not loaded"):
        MusicnnJudge().judge([chord()])
    with pytest.raises(UnavailableError, match=tmp_path.name):
        _ = MusicnnJudge(path=str(tmp_path)).info


def test_a_folder_of_one_s_own(judges: dict, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(fetch("musicnn-mtt"), tmp_path / "mine"))
    judge = MusicnnJudge(path=str(folder))
    digest = hashlib.sha256((folder / "model.index").read_bytes()).hexdigest()
    assert judge.info.weights["model.index"] == digest
    shutil.copy(fetch("musicnn-msd") / "model.index", folder / "model.index")
    judge.load("cpu", 1)
    data = folder / "model.data-00000-of-00001"
    data.write_bytes(data.read_bytes()[:1000])
    with pytest.raises(UnavailableError, match="ends before"):
        judge.load("cpu", 1)
    (folder / "model.index").write_bytes(b"nothing")
    with pytest.raises(UnavailableError, match="table magic"):
        judge.load("cpu", 1)


def test_tags_are_read_and_never_run(tmp_path: Path) -> None:
    file, marker = tmp_path / "configuration.py", tmp_path / "executed"
    file.write_text(f"open({str(marker)!r}, 'w')\nMTT_LABELS = ['a', 'b']\n")
    assert read_tags(file, "MTT") == ("a", "b")
    assert not marker.exists()
    with pytest.raises(InputError, match="MSD_LABELS"):
        read_tags(file, "MSD")
    for content in ("MTT_LABELS = [", "MTT_LABELS = list(range(50))", "MTT_LABELS = [1]"):
        file.write_text(content)
        with pytest.raises(InputError, match=r"configuration\.py"):
            read_tags(file, "MTT")
