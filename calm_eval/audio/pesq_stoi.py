"""PESQ and STOI of aligned speech, by the packages pesq 0.0.4 and pystoi 0.4.1, which are only imported when asked for.

What is added here: named refusals in place of the packages' stand-in values, and a guard against their two traps.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from calm_eval.audio.mono import SignalError, mono_pair
from calm_eval.errors import UnavailableError

PESQ_LONGEST_SECONDS = 20.0
"""ITU's C code has room for 50 utterances and writes beyond it. An utterance lasts at least 0.2 s, and so does the
pause after it, so 20 s always fit; longer speech can kill the process."""

_STOI_RATE = 10000
_STOI_FRAME = 256


def pesq_wb(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """Wide-band PESQ, MOS-LQO of ITU-T P.862.2, about 1.04 (bad) to 4.64 (equal), of samples [frames] at 16 kHz.

    Level and polarity do not count, and delays are aligned by the method itself. Raises ValueError at another rate,
    UnavailableError without the package, SignalError: `empty`, `nan`, `unequal-lengths`, `silent` (either sound all
    zeros), `too-short` (under 0.25 s), `too-long` (over 20 s), `no-utterance` (the reference holds no speech).
    """
    return _pesq(generated, reference, sample_rate, "wb", (16000,))


def pesq_nb(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """Narrow-band PESQ, MOS-LQO of ITU-T P.862.1, about 1.02 to 4.55, at 8 or 16 kHz. Otherwise like `pesq_wb`."""
    return _pesq(generated, reference, sample_rate, "nb", (8000, 16000))


def stoi(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """STOI (Taal et al. 2011) of samples [frames], at most 1, higher is more intelligible; the level does not count.

    At 10 kHz, with the package's own resampler; frames 40 dB under the loudest of the reference are left out of both.
    Raises UnavailableError without the package, SignalError: `empty`, `nan`, `unequal-lengths`, `silent` (the
    reference is all zeros), `too-short` (under 30 frames, 0.4 s, of sound in the reference).
    """
    return _stoi(generated, reference, sample_rate, extended=False)


def estoi(generated: ArrayLike, reference: ArrayLike, sample_rate: int) -> float:
    """Extended STOI (Jensen and Taal 2016), otherwise like `stoi`.

    The package adds noise of the order of rounding from numpy's global generator; here it is always the same noise,
    and the generator is put back where it was. Of digital silence it is all there is, so its score is not quite 0.
    """
    return _stoi(generated, reference, sample_rate, extended=True)


def _pesq(
    generated: ArrayLike, reference: ArrayLike, sample_rate: int, mode: Literal["wb", "nb"], rates: tuple[int, ...]
) -> float:
    if sample_rate not in rates:
        raise ValueError(f"PESQ '{mode}' is defined at {' or '.join(map(str, rates))} Hz, not at {sample_rate} Hz")
    first, second = mono_pair(generated, reference)
    if first.size > PESQ_LONGEST_SECONDS * sample_rate:
        raise SignalError("too-long", f"PESQ is safe up to {PESQ_LONGEST_SECONDS:g} s")
    if not first.any() or not second.any():
        raise SignalError("silent", "PESQ of silence is not defined")
    package = _package("pesq")
    try:
        score = package.pesq(sample_rate, second, first, mode)
    except package.NoUtterancesError as error:
        raise SignalError("no-utterance", "PESQ finds no speech in the reference") from error
    except package.BufferTooShortError as error:
        raise SignalError("too-short", "PESQ needs a quarter of a second") from error
    return float(score)


def _stoi(generated: ArrayLike, reference: ArrayLike, sample_rate: int, extended: bool) -> float:
    first, second = mono_pair(generated, reference)
    if not second.any():
        raise SignalError("silent", "STOI needs a reference with sound")
    if second.size * _STOI_RATE <= _STOI_FRAME * sample_rate:
        raise SignalError("too-short", "STOI needs more than one frame")
    package = _package("pystoi")
    state = np.random.get_state()  # noqa: NPY002 - the package draws from the global generator
    np.random.seed(0)  # noqa: NPY002
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="Not enough STFT frames", category=RuntimeWarning)
            return float(package.stoi(second, first, sample_rate, extended=extended))
    except RuntimeWarning as warning:
        # The package would give 1e-5, which looks like a score.
        raise SignalError("too-short", "STOI needs 30 frames of sound in the reference") from warning
    finally:
        np.random.set_state(state)  # noqa: NPY002


def _package(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    # Binary packages raise OSError or RuntimeError when they are broken, and ValueError under another NumPy.
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise UnavailableError(
            f"{name} is not available: install calm-eval[speech-quality] ({type(error).__name__}: {error})"
        ) from error
