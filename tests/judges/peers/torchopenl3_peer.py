"""The answers of torchopenl3 1.0.1 on shared random weights: `python torchopenl3_peer.py GOLDENS_FOLDER`.

Needs torchopenl3==1.0.1, torch 2.12 to 2.14, librosa==0.11, julius, resampy and numpy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torchopenl3
from shared_weights import drawn, parity_clip
from torchopenl3.models import PytorchOpenl3

CLIPS = (("chord", 1.2), ("noise", 0.4))
"""Each over a little noise: without it most of 80 dB of magnitudes (160 of power) is the rounding of float32."""


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    model = PytorchOpenl3("music", "mel256", 512).eval()
    state = model.state_dict()
    learned = {
        name: torch.from_numpy(drawn(name, value.shape))
        for name, value in state.items()
        if not name.startswith("speclayer.") and not name.endswith("num_batches_tracked")
    }
    model.load_state_dict({**state, **learned})
    made = {"keys": np.array([f"{name} {tuple(value.shape)}" for name, value in sorted(state.items())])}
    for kind, seconds in CLIPS:
        heard = parity_clip(kind, seconds, 48000) + parity_clip("noise", seconds, 48000) / 4
        told, _ = torchopenl3.get_audio_embedding(heard, 48000, model=model, hop_size=0.5, verbose=False)
        made[kind] = told[0].numpy()
    np.savez_compressed(folder / "torchopenl3.npz", **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
