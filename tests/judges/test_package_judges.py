"""Packages in an interpreter of their own: made, started, asked, and what is said when they are not there."""

from __future__ import annotations

import shutil
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval import cli
from calm_eval.audio.mel import mel_filters
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.environments import Environment, find_environment, interpreter, make_environment
from calm_eval.judges.frechet_audio_distance_package import FrechetAudioDistanceJudge
from calm_eval.judges.laion_clap_package import LaionClapJudge
from calm_eval.judges.package_process import CHILDREN, PackageError, PackageProcess
from calm_eval.judges.panns_network import build
from calm_eval.judges.readiness import readiness

torch = pytest.importorskip("torch")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CALM_EVAL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def toy(tmp_path) -> tuple[Environment, Path]:
    """A child beside the real ones' `answering.py`, of a package that every Python has here: NumPy."""
    place = tmp_path / "children"
    place.mkdir()
    shutil.copy(CHILDREN / "answering.py", place)
    (place / "toy_child.py").write_text(
        """
import os
import numpy as np
def opened(options):
    print("a package that prints", options["threads"], flush=True)
    if options["mood"] == "gone":
        raise SystemExit(3)
    if options["mood"] == "wrong":
        raise ValueError("no such option")
    def hear(audio):
        print("and again")
        if not audio.size:
            os._exit(9)
        if audio[0] < 0:
            raise ValueError("below zero")
        return np.array([[audio.sum(), os.environ["HF_HUB_OFFLINE"] == "1", "PYTHONPATH" in os.environ]])
    return hear, None
""",
        encoding="utf-8",
    )
    return Environment("toy", "numpy", np.__version__, (), 0), place


@pytest.fixture
def started(toy, monkeypatch):
    """Starts the toy with a mood; ended by the test or here."""
    environment, children = toy
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    running = []

    def start(mood: str = "good", version: str | None = None) -> PackageProcess:
        named = environment if version is None else Environment("toy", "numpy", version, (), 0)
        running.append(PackageProcess(named, "toy_child", {"mood": mood}, 1, sys.executable, children))
        return running[-1]

    yield start
    for one in running:
        one.close()


def test_a_package_hears_and_what_it_prints_does_not_disturb(started) -> None:
    process = started()
    assert process.hear(np.array([1.0, 2.5], dtype=np.float32)).tolist() == [[3.5, 1.0, 0.0]]
    with pytest.raises(PackageError, match="ValueError: below zero"):
        process.hear(np.array([-1.0], dtype=np.float32))
    # One bad clip does not end it.
    assert process.hear(np.array([2.0], dtype=np.float32))[0, 0] == 2.0
    with pytest.raises(PackageError, match="cannot read"):
        process.read("a text")
    with pytest.raises(UnavailableError, match="toy, asked to hear, ended: exit code 9"):
        process.hear(np.zeros(0, dtype=np.float32))


def test_a_package_that_cannot_serve_is_named(started) -> None:
    with pytest.raises(UnavailableError, match="toy, asked to open, ended: exit code 3; it said last: a package that"):
        started("gone")
    with pytest.raises(UnavailableError, match="ValueError: no such option"):
        started("wrong")
    with pytest.raises(UnavailableError, match=rf"it has numpy {np.__version__}, not 0.1"):
        started("good", "0.1")


def test_an_interpreter_that_is_not_there(cache, tmp_path) -> None:
    environment = find_environment("frechet-audio-distance")
    with pytest.raises(UnavailableError, match="calm-eval environments make frechet-audio-distance"):
        interpreter(environment)
    with pytest.raises(UnavailableError, match="no interpreter at"):
        interpreter(environment, str(tmp_path / "python"))
    with pytest.raises(UnavailableError, match="ModuleNotFoundError: No module named"):
        FrechetAudioDistanceJudge(python=_without(tmp_path), random=0).load("cpu", 1)
    broken = tmp_path / "broken"
    broken.write_text("no program", encoding="utf-8")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(UnavailableError, match="cannot start"):
        FrechetAudioDistanceJudge(python=str(broken), random=0).load("cpu", 1)
    state = readiness("frechet-audio-distance")
    assert (state.ready, state.fetchable) == (False, False)
    assert state.told.startswith("calm-eval environments make frechet-audio-distance (about 3.5 GB")
    with pytest.raises(InputError, match="no environment 'numpy'"):
        find_environment("numpy")


def _without(folder: Path) -> str:
    """This Python with NumPy and without the package."""
    place = folder / "python"
    place.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    place.chmod(0o755)
    return str(place)


def test_an_environment_is_made_once_and_only_when_pip_succeeds(cache) -> None:
    """Of nothing, which needs no network; and of a package that no index has."""
    empty = Environment("empty", "pip", "0", ("pip",), 0)
    python = make_environment(empty)
    assert empty.made
    assert interpreter(empty) == python
    before = (python.parent.parent / "made.json").stat().st_mtime_ns
    assert make_environment(empty) == python
    assert (python.parent.parent / "made.json").stat().st_mtime_ns == before
    absent = Environment("absent", "x", "0", ("no-such-package @ file:///nowhere/x-1-py3-none-any.whl",), 0)
    with pytest.raises(UnavailableError, match=r"the environment absent could not be made: .*nowhere"):
        make_environment(absent)
    assert not absent.made
    assert absent.folder != empty.folder


def test_the_command(cache, capsys) -> None:
    assert cli.main(["environments"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in told] == ["frechet-audio-distance", "laion-clap"]
    assert "calm-eval environments make laion-clap" in told[1]
    assert cli.main(["environments", "make"]) == 2
    assert cli.main(["environments", "make", "numpy"]) == 2
    assert cli.main(["environments", "list", "laion-clap"]) == 2
    assert "no environment 'numpy'; there are frechet-audio-distance, laion-clap" in capsys.readouterr().err


def test_identities_and_options() -> None:
    info = FrechetAudioDistanceJudge(random=0).info
    assert (info.name, info.unscored) == ("frechet-audio-distance/panns-cnn14-16k", "random weights")
    # Which interpreter is no part of it: only what runs in it.
    assert FrechetAudioDistanceJudge(random=0, python=sys.executable).info == info
    assert info.parameters["package"] == "frechet-audio-distance 0.3.4"
    assert LaionClapJudge(random=0).info.parameters["package"] == "laion-clap 1.1.7"
    with pytest.raises(InputError, match="no sample_rate 44100; there are 8000, 16000, 32000"):
        FrechetAudioDistanceJudge(44100)
    with pytest.raises(InputError, match="no model 'speech'"):
        LaionClapJudge("speech")
    with pytest.raises(UnavailableError, match="not loaded"):
        FrechetAudioDistanceJudge(random=0).judge([])  # nothing to hear, and still nobody to ask


needs_package = pytest.mark.skipif(
    not find_environment("frechet-audio-distance").made, reason=find_environment("frechet-audio-distance").told
)


def _whole_checkpoint(file: Path) -> str:
    """The shared weights with the front end that published checkpoints carry: the windowed DFT and the filters."""
    shared_checkpoint(build(torch), file, torch)
    phases = np.exp(-2j * np.pi * np.outer(np.arange(257), np.arange(512)) / 512) * np.hanning(513)[:512]
    front = {
        "spectrogram_extractor.stft.conv_real.weight": phases.real[:, None],
        "spectrogram_extractor.stft.conv_imag.weight": phases.imag[:, None],
        "logmel_extractor.melW": mel_filters(16000, 512, 64, 50.0, 8000.0).T,
    }
    front = {name: torch.from_numpy(np.ascontiguousarray(value, dtype=np.float32)) for name, value in front.items()}
    torch.save({"model": {**torch.load(file), **front}}, file)
    return str(file)


@pytest.mark.slow
@needs_package
def test_the_package_itself_on_shared_weights(tmp_path) -> None:
    """As `panns` on the same checkpoint, which the package finds in place of its download."""
    judge = FrechetAudioDistanceJudge(path=_whole_checkpoint(tmp_path / "cnn14.pth"))
    judge.load("cpu", 1)
    clips = [parity_clip("chord", 2.0, 16000), parity_clip("chirp", 3.5, 16000), np.zeros(9, dtype=np.float32)]
    chord, chirp, short = judge.judge(clips)
    judge.close()
    theirs = peer("frechet_audio_distance")
    assert apart(chord.vectors[0], theirs["16k chord embedding"]) < 1e-5
    assert apart(chirp.vectors[0], theirs["16k chirp embedding"]) < 1e-5
    assert short.refused == "silent"


@pytest.mark.slow
@pytest.mark.skipif(not find_environment("laion-clap").made, reason=find_environment("laion-clap").told)
def test_laion_clap_itself_crops_at_the_place_that_the_samples_draw() -> None:
    judge = LaionClapJudge("general", random=0)
    judge.load("cpu", 1)
    long = parity_clip("chirp", 12.0, 48000)
    first, again = judge.judge([long, long])
    (read,) = judge.judge_texts(["a chord"])
    judge.close()
    assert np.array_equal(first.vectors, again.vectors)
    assert np.linalg.norm(first.vectors) == pytest.approx(1.0, abs=1e-5)
    assert read.refused == "no-vocabulary"
