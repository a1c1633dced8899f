from __future__ import annotations

import librosa
import pytest
import torch

from reference_models.codecs.losses.mel import mel_filters
from reference_models.errors import ModelError


@pytest.mark.parametrize(("rate", "size", "bands"), [(16_000, 512, 40), (24_000, 2048, 80), (32_000, 1024, 64)])
def test_filters_equal_librosa(rate: int, size: int, bands: int) -> None:
    peer = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, htk=True, norm=None)
    torch.testing.assert_close(mel_filters(rate, size, bands), torch.from_numpy(peer.T.copy()), atol=1e-4, rtol=0)


def test_bands_narrower_than_a_bin_are_refused() -> None:
    with pytest.raises(ModelError, match="fewer bands"):
        mel_filters(16_000, 128, 80)
