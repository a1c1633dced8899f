"""UTMOS by SpeechMOS 1.2.0 on shared random weights: `python speechmos_peer.py SPEECHMOS_CHECKOUT GOLDENS_FOLDER`.

Needs a checkout of tarepan/SpeechMOS at v1.2.0 (it is no package), torch 2.12 to 2.14, torchaudio==2.11 and numpy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared_weights import drawn, parity_clip

CLIPS = (("chord", 1.3), ("chirp", 0.61), ("noise", 0.03))
DEPTHS = {"two": 2, "published": 12}
"""Layers of the transformer: the published network, and one that a fast test can draw."""


def main(checkout: str, folder: Path) -> None:
    sys.path.insert(0, checkout)
    from speechmos.utmos22.strong.model import UTMOS22Strong

    torch.set_num_threads(1)
    made: dict[str, np.ndarray] = {}
    for name, depth in DEPTHS.items():
        model = UTMOS22Strong().eval()
        model.wav2vec2.encoder.layers = model.wav2vec2.encoder.layers[:depth]
        state = {key: torch.from_numpy(drawn(key, value.shape)) for key, value in model.state_dict().items()}
        model.load_state_dict(state)
        made[f"{name}-keys"] = np.array(sorted(state))
        with torch.inference_mode():
            made[name] = np.array(
                [model(torch.from_numpy(parity_clip(kind, seconds, 16000))[None], 16000)[0] for kind, seconds in CLIPS]
            )
    np.savez_compressed(folder / "speechmos.npz", **made)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
