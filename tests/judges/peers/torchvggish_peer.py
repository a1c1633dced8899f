"""The answers of torchvggish 0.2 on shared random weights: `python torchvggish_peer.py GOLDENS_FOLDER`.

Needs torchvggish==0.2, torch 2.12 to 2.14, resampy, soundfile, setuptools<80 and numpy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared_weights import drawn, parity_clip
from torchvggish.torchvggish import VGG, make_layers
from torchvggish.vggish_input import waveform_to_examples

CLIPS = (("chord", 2.1), ("noise", 0.975))


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    model = VGG(make_layers(), postprocess=False)
    state = {name: torch.from_numpy(drawn(name, value.shape)) for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    # As every tool does that asks for no activation.
    model.embeddings = torch.nn.Sequential(*list(model.embeddings.children())[:-1])
    made = {"keys": np.array(sorted(f"{name} {tuple(value.shape)}" for name, value in state.items()))}
    for kind, seconds in CLIPS:
        examples = waveform_to_examples(parity_clip(kind, seconds, 16000), 16000)
        with torch.inference_mode():
            made[kind] = model.eval()(examples.detach()).numpy()
        made[f"{kind}-examples"] = examples.detach().numpy()[:, 0, ::8, ::8]
    made["0.96 s"] = np.array(waveform_to_examples(parity_clip("noise", 0.96, 16000), 16000).shape)
    np.savez_compressed(folder / "torchvggish.npz", **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
