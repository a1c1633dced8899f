from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from codec_builders import noise
from scipy.signal import ShortTimeFFT
from scipy.signal.windows import hann

from reference_models.codecs.stft import CausalSTFT
from reference_models.errors import ModelError


def test_spectra_equal_scipy() -> None:
    stft = CausalSTFT(64, 16)
    signal = noise(1, 320)
    window = hann(64, sym=False)
    peer = ShortTimeFFT(window, hop=16, fs=1.0, fft_mode="onesided")
    padded = np.concatenate([np.zeros(48), signal[0].double().numpy()])
    # scipy centres slice p on sample 16 p; ours begins on a multiple of 16, 32 samples before its centre.
    expected = peer.stft(padded, p0=2, p1=22).T * 2.0 / window.sum()
    ours = stft(signal)[0].numpy()
    # scipy counts phases from the middle of the window, ours from its start.
    np.testing.assert_allclose(np.abs(ours), np.abs(expected), atol=1e-6)


def test_a_frame_is_the_transform_of_its_samples() -> None:
    stft = CausalSTFT(64, 16)
    signal = noise(1, 320)
    window = hann(64, sym=False)
    for frame in (3, 7, 19):
        end = (frame + 1) * 16
        expected = np.fft.rfft(signal[0, end - 64 : end].numpy() * window) * 2.0 / window.sum()
        np.testing.assert_allclose(stft(signal)[0, frame].numpy(), expected, atol=1e-6)


@pytest.mark.parametrize("window", ["hann", "sqrt-hann"])
def test_a_full_scale_sine_has_magnitude_one(window: str) -> None:
    stft = CausalSTFT(640, 160, window)  # type: ignore[arg-type]
    sine = torch.sin(2.0 * math.pi * 20.0 / 640.0 * torch.arange(3200))[None]
    magnitudes = stft(sine).abs()
    torch.testing.assert_close(magnitudes[:, 4:, 20], torch.ones(1, 16), atol=2e-3, rtol=0)


@pytest.mark.parametrize("window", ["hann", "sqrt-hann"])
@pytest.mark.parametrize(("size", "hop"), [(640, 160), (96, 32), (64, 32)])
def test_the_inverse_returns_every_sample_but_the_last_hop(size: int, hop: int, window: str) -> None:
    stft = CausalSTFT(size, hop, window)  # type: ignore[arg-type]
    signal = noise(2, 20 * hop)
    back = stft.inverse(stft(signal))
    assert back.shape == signal.shape
    torch.testing.assert_close(back[:, :-hop], signal[:, :-hop], atol=1e-4, rtol=0)
    # In the last hop samples are exact or faded, never amplified.
    assert bool((back[:, -hop:].abs() <= signal[:, -hop:].abs() + 1e-4).all())


def test_the_end_of_an_arbitrary_spectrum_is_not_amplified() -> None:
    stft = CausalSTFT(640, 160)
    spectra = torch.complex(noise(4, 20, 321), noise(4, 20, 321, seed=3))
    audio = stft.inverse(spectra)
    assert float(audio[:, -160:].square().mean()) < 4.0 * float(audio[:, :-480].square().mean())


def test_the_inverse_streams() -> None:
    stft = CausalSTFT(64, 16)
    spectra = torch.complex(noise(2, 9, 33), noise(2, 9, 33, seed=3))
    state = stft.start(2)
    pieces = [stft.step(piece, state) for piece in spectra.split([1, 1, 1, 2, 4], dim=1)]
    assert [piece.shape[1] for piece in pieces] == [0, 0, 0, 32, 64]
    torch.testing.assert_close(torch.cat([*pieces, stft.flush(state)], dim=1), stft.inverse(spectra))


def test_a_hop_that_does_not_divide_is_refused() -> None:
    for size, hop in ((640, 150), (160, 160), (640, 0)):
        with pytest.raises(ModelError, match="hop"):
            CausalSTFT(size, hop)
    with pytest.raises(ModelError, match="boxcar"):
        CausalSTFT(64, 16, "boxcar")  # type: ignore[arg-type]
