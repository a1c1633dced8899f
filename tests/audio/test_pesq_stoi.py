"""PESQ and STOI: direct calls of the packages, the closed form of a perfect score, and what the packages hide."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from calm_eval.audio.mono import SignalError
from calm_eval.audio.pesq_stoi import PESQ_LONGEST_SECONDS, estoi, pesq_nb, pesq_wb, stoi
from calm_eval.errors import UnavailableError

RATE = 16000
ALL = [pesq_wb, pesq_nb, stoi, estoi]


def bursts(count: int, on: float = 0.6, off: float = 0.5) -> np.ndarray:
    """Noise that comes and goes: what PESQ takes for utterances."""
    generator = np.random.default_rng(0)
    parts = [0.2 * generator.standard_normal(round(on * RATE)), np.zeros(round(off * RATE))]
    return np.tile(np.concatenate(parts), count)


def spoilt(sound: np.ndarray, level: float) -> np.ndarray:
    return sound + level * np.random.default_rng(1).standard_normal(sound.size)


def test_a_perfect_score_is_the_mapping_of_a_raw_4_5() -> None:
    pytest.importorskip("pesq")
    sound = bursts(3)
    # P.862.2 and P.862.1 map the raw score x to 0.999 + 4 / (1 + exp(-a x + b)).
    assert pesq_wb(sound, sound, RATE) == pytest.approx(0.999 + 4 / (1 + math.exp(-1.3669 * 4.5 + 3.8224)), abs=1e-5)
    assert pesq_nb(sound, sound, RATE) == pytest.approx(0.999 + 4 / (1 + math.exp(-1.4945 * 4.5 + 4.6607)), abs=1e-5)


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3])
def test_pesq_is_the_packages_with_the_reference_first(level: float) -> None:
    package = pytest.importorskip("pesq")
    sound = bursts(3)
    assert pesq_wb(spoilt(sound, level), sound, RATE) == package.pesq(RATE, sound, spoilt(sound, level), "wb")
    assert pesq_nb(spoilt(sound, level), sound, RATE) == package.pesq(RATE, sound, spoilt(sound, level), "nb")
    assert pesq_nb(spoilt(sound, level)[::2], sound[::2], 8000) == package.pesq(
        8000, sound[::2], spoilt(sound, level)[::2], "nb"
    )


@pytest.mark.parametrize("metric", ALL)
def test_more_noise_is_worse(metric) -> None:
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    sound = bursts(3)
    scores = [metric(spoilt(sound, level), sound, RATE) for level in (0.001, 0.01, 0.1, 1.0)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize("gain", [0.1, 3.0])
def test_the_level_does_not_count(metric, gain: float) -> None:
    pytest.importorskip("pesq")
    pytest.importorskip("pystoi")
    sound = bursts(3)
    plain = metric(spoilt(sound, 0.05), sound, RATE)
    assert metric(gain * spoilt(sound, 0.05), sound, RATE) == pytest.approx(plain, abs=2e-3)


def test_pesq_refuses_by_name() -> None:
    pytest.importorskip("pesq")
    sound = bursts(3)
    # A tenth of a second is no utterance.
    short = np.where(np.arange(sound.size) < RATE // 10, sound, 0.0)
    long = np.concatenate([sound, np.zeros(round(PESQ_LONGEST_SECONDS * RATE) + 1 - sound.size)])
    for generated, reference, name in (
        (0 * sound, sound, "silent"),
        (sound, 0 * sound, "silent"),
        (sound, short, "no-utterance"),
        (sound[:1000], sound[:1000], "too-short"),
        (sound[:1], sound[:1], "too-short"),
        (long, long, "too-long"),
    ):
        with pytest.raises(SignalError) as caught:
            pesq_wb(generated, reference, RATE)
        assert caught.value.name == name
    assert pesq_wb(long[:-1], long[:-1], RATE) > 4.6


@pytest.mark.parametrize(("metric", "rate"), [(pesq_wb, 8000), (pesq_wb, 24000), (pesq_nb, 44100)])
def test_pesq_is_defined_at_its_rates_alone(metric, rate: int) -> None:
    with pytest.raises(ValueError, match=f"not at {rate} Hz"):
        metric(np.ones(rate), np.ones(rate), rate)


def test_the_longest_speech_of_the_most_utterances_is_safe() -> None:
    pytest.importorskip("pesq")
    # A crash of the C code takes the process along, so it runs in its own.
    code = (
        "import numpy as np\n"
        "from calm_eval.audio.pesq_stoi import pesq_wb\n"
        "rng = np.random.default_rng(0)\n"
        "one = np.concatenate([0.2 * rng.standard_normal(3232), np.zeros(3264)])\n"
        "sound = np.tile(one, 60)[:320000]\n"
        "print(pesq_wb(sound + 0.01 * rng.standard_normal(sound.size), sound, 16000))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 1 < float(done.stdout) < 4.6


@pytest.mark.parametrize("level", [0.003, 0.03, 0.3])
@pytest.mark.parametrize("rate", [10000, 16000, 24000])
def test_stoi_is_the_packages_with_the_reference_first(level: float, rate: int) -> None:
    package = pytest.importorskip("pystoi")
    sound = bursts(3)
    generated = spoilt(sound, level)
    assert stoi(generated, sound, rate) == pytest.approx(package.stoi(sound, generated, rate), abs=1e-12)
    theirs = package.stoi(sound, generated, rate, extended=True)
    assert estoi(generated, sound, rate) == pytest.approx(theirs, abs=1e-12)


@pytest.mark.parametrize("metric", [stoi, estoi])
def test_stoi_of_itself_is_1(metric) -> None:
    pytest.importorskip("pystoi")
    sound = bursts(3)
    assert metric(sound, sound, RATE) == pytest.approx(1, abs=1e-9)
    # To the extended one, silence is the noise that the package adds.
    assert metric(0 * sound, sound, RATE) == pytest.approx(0, abs=0.02 if metric is estoi else 1e-9)


def test_estoi_neither_hears_nor_moves_the_global_generator() -> None:
    pytest.importorskip("pystoi")
    sound = bursts(2)
    scores, states = [], []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        scores.append(estoi(spoilt(sound, 0.1), sound, RATE))
        states.append(bool((np.random.get_state()[1] == before).all()))  # noqa: NPY002
    assert scores[0] == scores[1]
    assert states == [True, True]


@pytest.mark.parametrize("metric", [stoi, estoi])
def test_stoi_refuses_by_name_what_the_package_gives_a_hundred_thousandth(metric) -> None:
    package = pytest.importorskip("pystoi")
    sound = bursts(3)
    # 0.3 s of sound and then silence, which is left out.
    little = np.concatenate([sound[: round(0.3 * RATE)], np.zeros(RATE)])
    with pytest.warns(RuntimeWarning, match="Not enough"):
        assert package.stoi(little, little, RATE) == 1e-5
    for generated, reference, name in (
        (little, little, "too-short"),
        (sound[:1], sound[:1], "too-short"),
        (sound[:410], sound[:410], "too-short"),
        (sound, 0 * sound, "silent"),
    ):
        with pytest.raises(SignalError) as caught:
            metric(generated, reference, RATE)
        assert caught.value.name == name


@pytest.mark.parametrize("metric", ALL)
@pytest.mark.parametrize(
    ("generated", "reference", "name"),
    [([], [], "empty"), ([1, np.nan], [1, 2], "nan"), (np.ones(9000), np.ones(8999), "unequal-lengths")],
)
def test_bad_sound_is_named(metric, generated, reference, name: str) -> None:
    with pytest.raises(SignalError) as caught:
        metric(generated, reference, RATE)
    assert caught.value.name == name


@pytest.mark.parametrize(("metric", "module"), [(pesq_wb, "pesq"), (stoi, "pystoi")])
def test_a_missing_package_names_its_extra(metric, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UnavailableError, match=r"calm-eval\[speech-quality\]"):
        metric(bursts(1), bursts(1), RATE)


def test_naming_them_imports_neither_package() -> None:
    code = "import sys, calm_eval.audio.pesq_stoi; sys.exit(bool({'pesq', 'pystoi', 'scipy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
