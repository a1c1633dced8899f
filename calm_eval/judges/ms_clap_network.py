"""Microsoft's CLAP 2023 in PyTorch (Elizalde et al. 2023): HTS-AT and GPT-2 into one space of 1024."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges import gpt2_network, htsat_network
from calm_eval.judges.clap_front_end import ClapLogMel, LogMelSettings
from calm_eval.judges.htsat_network import MEL_KEY, TINY
from calm_eval.judges.protocol import Mono
from calm_eval.judges.tensor_module import unfilled
from calm_eval.judges.torch_judge import filled, on_device

DIMENSIONS = 1024
AT_ONCE = 8
AUDIO = "audio_encoder.base.htsat"
TEXT = "caption_encoder.base"
FILLING = 0
"""The id that the package fills texts up with. It is the exclamation mark's, which it therefore does not count."""
LOG_MEL = LogMelSettings(sample_rate=32000, hop=320)
"""As HTS-AT was first trained, at 32 kHz. The package leaves it so at 44.1 kHz: the bands go from 69 Hz to 19.3 kHz."""


def build(torch: Any) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    audio = nn.ModuleDict({"htsat": htsat_network.build(torch, TINY)})
    return nn.ModuleDict(
        {
            "audio_encoder": nn.ModuleDict({"base": audio, "projection": _projection(nn, TINY.dimensions)}),
            "caption_encoder": nn.ModuleDict(
                {"base": gpt2_network.build(torch), "projection": _projection(nn, gpt2_network.WIDTH)}
            ),
        }
    )


def _projection(nn: Any, inputs: int) -> Any:
    return nn.ModuleDict(
        {
            "linear1": nn.Linear(inputs, DIMENSIONS, bias=False),
            "linear2": nn.Linear(DIMENSIONS, DIMENSIONS, bias=False),
            "layer_norm": nn.LayerNorm(DIMENSIONS),
        }
    )


def beyond() -> frozenset[str]:
    """Keys of a checkpoint that no embedding needs."""
    audio = {f"{AUDIO}.{name}" for name in TINY.unused()}
    return frozenset(audio | {f"{TEXT}.{name}" for name in gpt2_network.BUFFERS} | {"logit_scale"})


class MsClapNetwork:
    """The network with weights. Raises InputError for tensors that are not those of CLAP 2023."""

    def __init__(self, state: Mapping[str, Any], torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        empty = unfilled(torch, lambda: build(torch))
        self._network = filled(empty, state, "Microsoft's CLAP 2023", beyond()).to(device)
        self._text = gpt2_network.Gpt2Network(self._network["caption_encoder"]["base"], torch, device)
        self._log_mel = ClapLogMel(LOG_MEL, torch, device, state.get(f"{AUDIO}.{MEL_KEY}"))

    def audio(self, windows: Sequence[Mono]) -> NDArray[np.float32]:
        """Windows of one length, at most 7.4 s, to vectors [windows, 1024], not normalised."""
        torch, encoder = self._torch, self._network["audio_encoder"]
        parts = []
        with torch.inference_mode():
            for start in range(0, len(windows), AT_ONCE):
                samples = on_device(np.stack(windows[start : start + AT_ONCE]), torch, self._device)
                embedded = htsat_network.forward(encoder["base"]["htsat"], self._log_mel(samples)[:, None], torch)
                parts.append(self._projected(encoder["projection"], embedded).cpu().numpy())
        return np.concatenate(parts)

    def text(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """The ids of one text to a vector [1, 1024], not normalised.

        Of the state at the place that is the number of ids but exclamation marks, as the package finds the last; so
        that with n such marks it is the state n places before.
        """
        place = sum(number != FILLING for number in ids) - 1
        with self._torch.inference_mode():
            state = self._text(ids)[place]
            vectors: NDArray[np.float32] = (
                self._projected(self._network["caption_encoder"]["projection"], state[None]).cpu().numpy()
            )
        return vectors

    def _projected(self, layer: Any, states: Any) -> Any:
        first = layer["linear1"](states)
        return layer["layer_norm"](first + layer["linear2"](self._torch.nn.functional.gelu(first)))
