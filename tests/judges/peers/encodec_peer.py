"""The answers of encodec 0.1.1 on shared random weights: `python encodec_peer.py GOLDENS_FOLDER`.

Needs encodec==0.1.1, torch 2.12 to 2.14 and torchaudio==2.11 (which encodec imports), and numpy.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from encodec import EncodecModel
from shared_weights import drawn, parity_clip

CLIPS = (("chord", 1.3), ("chirp", 0.02), ("noise", 0.5))
KEPT = 30
"""Frames of a clip that are kept: the first and last fifteen."""


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    made: dict[str, np.ndarray] = {}
    for rate in (24000, 48000):
        model = getattr(EncodecModel, f"encodec_model_{rate // 1000}khz")(pretrained=False)
        state = {name: value for name, value in model.state_dict().items() if name.startswith("encoder.")}
        filled = {name: torch.from_numpy(drawn(name, value.shape)) for name, value in state.items()}
        model.load_state_dict({**model.state_dict(), **filled})
        made[f"keys-{rate}"] = np.array([f"{name} {tuple(value.shape)}" for name, value in sorted(state.items())])
        told: list[torch.Tensor] = []
        # What the model itself hands to its encoder, level and segments included.
        model.encoder.register_forward_hook(lambda _, __, output, told=told: told.append(output[0].T))
        model.quantizer.encode = lambda emb, *_: torch.zeros(1, 1, 1)
        for kind, seconds in CLIPS:
            audio = torch.from_numpy(parity_clip(kind, seconds, rate))[None, None].expand(1, model.channels, -1)
            told.clear()
            with torch.inference_mode():
                model.encode(audio)
                whole = torch.cat(told)
                size = model.segment_length or audio.shape[-1]
                direct = torch.cat(
                    [model.encoder(audio[..., at : at + size])[0].T for at in range(0, audio.shape[-1], size)]
                )
            for framing, vectors in (("model", whole), ("fadtk", direct)):
                array = vectors.numpy()
                cut = array if len(array) <= KEPT else np.concatenate([array[: KEPT // 2], array[-KEPT // 2 :]])
                made[f"{rate}-{framing}-{kind}"] = np.concatenate([np.full((1, 128), len(array)), cut]).astype(
                    np.float32
                )
    np.savez_compressed(folder / "encodec.npz", **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
