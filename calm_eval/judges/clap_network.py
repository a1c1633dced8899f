"""LAION-CLAP in PyTorch (Wu et al. 2023): HTS-AT and RoBERTa into one space of 512, by the names of its checkpoints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.judges import htsat_network, roberta_network
from calm_eval.judges.clap_front_end import WINDOW_FRAMES, ClapLogMel, LogMelSettings, fused_log_mel
from calm_eval.judges.htsat_network import MEL_KEY, HtsatShape
from calm_eval.judges.protocol import Mono
from calm_eval.judges.tensor_module import unfilled
from calm_eval.judges.torch_judge import filled, on_device

DIMENSIONS = 512
AT_ONCE = 8
"""Windows in one pass: memory does not grow with a clip."""
_HEADS = {f"{kind}_transform.sequential.{place}" for kind in ("audio", "text") for place in (0, 3)}
TRAINING_ONLY = frozenset(
    {"logit_scale_a", "logit_scale_t", *(f"{name}.{part}" for name in _HEADS for part in ("weight", "bias"))}
)
"""Keys of a checkpoint that its loss alone uses."""


def build(torch: Any, shape: HtsatShape) -> Any:
    """The layers by the checkpoint's names, weights as PyTorch draws them."""
    nn = torch.nn
    return nn.ModuleDict(
        {
            "audio_branch": htsat_network.build(torch, shape),
            "text_branch": roberta_network.build(torch),
            "audio_projection": _projection(nn, shape.dimensions),
            "text_projection": _projection(nn, roberta_network.SHAPE.width),
        }
    )


def _projection(nn: Any, inputs: int) -> Any:
    return nn.Sequential(nn.Linear(inputs, DIMENSIONS), nn.ReLU(), nn.Linear(DIMENSIONS, DIMENSIONS))


def beyond(shape: HtsatShape) -> frozenset[str]:
    """Keys of a checkpoint that no embedding needs."""
    audio = {f"audio_branch.{name}" for name in shape.unused()}
    return frozenset(TRAINING_ONLY | audio | {f"text_branch.{name}" for name in roberta_network.BUFFERS})


class ClapNetwork:
    """The network with weights. Raises InputError for tensors that are not those of this size of LAION-CLAP."""

    def __init__(self, state: Mapping[str, Any], shape: HtsatShape, torch: Any, device: str) -> None:
        self._torch, self._device = torch, device
        # Trained on several GPUs, the published ones name each tensor as a part of `module`.
        named = {name.removeprefix("module."): value for name, value in state.items()}
        size = f"LAION-CLAP with HTS-AT of width {shape.width} and depth {shape.depths[2]}"
        what = size + (" and fusion" if shape.fusion else "")
        self._network = filled(unfilled(torch, lambda: build(torch, shape)), named, what, beyond(shape)).to(device)
        self._text = roberta_network.RobertaNetwork(self._network["text_branch"], torch, device)
        # The filters of a fusion checkpoint go with a front end that it never uses.
        filters = None if shape.fusion else named.get(f"audio_branch.{MEL_KEY}")
        self._log_mel = ClapLogMel(LogMelSettings(htk=shape.fusion), torch, device, filters)

    def audio(self, windows: Sequence[Mono]) -> NDArray[np.float32]:
        """Windows of 480,000 samples to unit vectors [windows, 512]."""
        torch = self._torch
        parts = []
        with torch.inference_mode():
            for start in range(0, len(windows), AT_ONCE):
                samples = on_device(np.stack(windows[start : start + AT_ONCE]), torch, self._device)
                parts.append(self._projected(self._log_mel(samples)[:, None], False).cpu().numpy())
        return np.concatenate(parts)

    def fused(self, audio: Mono, seed: int | None) -> NDArray[np.float32]:
        """A clip longer than a window to one unit vector [1, 512], its three pieces as by `thirds`."""
        torch = self._torch
        with torch.inference_mode():
            log_mel = self._log_mel(on_device(audio[None], torch, self._device))[0]
            longer = len(log_mel) > WINDOW_FRAMES
            stacked = fused_log_mel(log_mel, seed, torch) if longer else log_mel[None]
            vectors: NDArray[np.float32] = self._projected(stacked[None], longer).cpu().numpy()
        return vectors

    def text(self, ids: Sequence[int]) -> NDArray[np.float32]:
        """The ids of one text to a unit vector [1, 512]."""
        torch = self._torch
        with torch.inference_mode():
            projected = self._network["text_projection"](self._text(ids)[None])
            vectors: NDArray[np.float32] = torch.nn.functional.normalize(projected, dim=-1).cpu().numpy()
        return vectors

    def _projected(self, log_mel: Any, fused: bool) -> Any:
        embedded = htsat_network.forward(self._network["audio_branch"], log_mel, self._torch, fused)
        return self._torch.nn.functional.normalize(self._network["audio_projection"](embedded), dim=-1)
