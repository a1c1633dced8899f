"""UTMOS22's strong learner in PyTorch, under the key names of SpeechMOS's checkpoint (Saeki et al. 2022).

Sources: sarulab-speech/UTMOS22 and tarepan/SpeechMOS 1.2.0 (speechmos/utmos22/strong/model.py), without phonemes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges.torch_judge import filled, on_device
from calm_eval.judges.wav2vec_layers import Wav2vecShape
from calm_eval.judges.wavlm_network import WAV2VEC2_BASE, layer_states
from calm_eval.judges.wavlm_network import build as build_wav2vec

GIVEN, RECURRENT, INNER = 128, 512, 2048


def build(torch: Any, shape: Wav2vecShape = WAV2VEC2_BASE) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    module = nn.Module()
    module.wav2vec2 = build_wav2vec(torch, shape)
    module.domain_emb = nn.Parameter(torch.randn(1, GIVEN))
    module.judge_emb = nn.Parameter(torch.randn(1, GIVEN))
    module.blstm = nn.LSTM(shape.width + 2 * GIVEN, RECURRENT, batch_first=True, bidirectional=True)
    module.projection = nn.Sequential(nn.Linear(2 * RECURRENT, INNER), nn.ReLU(), nn.Linear(INNER, 1))
    return module


class UtmosNetwork:
    """The network with weights. Raises InputError for tensors that are not its own."""

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str, shape: Wav2vecShape = WAV2VEC2_BASE) -> None:
        self._torch, self._device, self._shape = torch, device, shape
        self._network = filled(build(torch, shape), state, "UTMOS22's strong learner").to(device)

    def __call__(self, audio: NDArray[np.floating]) -> NDArray[np.float32]:
        """A clip [samples] at 16 kHz to an opinion of each frame [frames], whose mean is the clip's."""
        torch = self._torch
        with torch.inference_mode():
            samples = on_device(audio, torch, self._device)[None]
            opinions: NDArray[np.float32] = forward(self._network, samples, self._shape, torch)[0].cpu().numpy()
        return opinions


def forward(network: Any, samples: Any, shape: Wav2vecShape, torch: Any) -> Any:
    """Samples [n, samples] to opinions [n, frames]: the last states beside one data domain and one listener, which the
    checkpoint fixes; a recurrence in both directions; twice a dense layer, on the scale 3 plus 2 times."""
    states = layer_states(network.wav2vec2, samples, shape, torch)[-1]
    given = torch.cat([network.domain_emb, network.judge_emb], dim=1)
    recurrent, _ = network.blstm(torch.cat([states, given[:, None].expand(*states.shape[:2], -1)], dim=2))
    return network.projection(recurrent)[..., 0] * 2 + 3
