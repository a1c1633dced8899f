"""audiobox-aesthetics 0.0.4 on shared random weights: `python audiobox_peer.py GOLDENS_FOLDER`.

Needs audiobox-aesthetics==0.0.4, torch 2.12 to 2.14, torchaudio==2.11 and numpy. The package's own predictor hears the
clips; only where it fetches its checkpoint, one is written here.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from audiobox_aesthetics.infer import AesPredictor
from audiobox_aesthetics.model import aes
from shared_weights import drawn, parity_clip

CLIPS = (("chord", 11.3), ("chirp", 2.0), ("noise", 10.0))
SCALES = {"CE": (5.06865, 1.93029), "CU": (5.73633, 1.75669), "PC": (3.18591, 1.86637), "PQ": (6.57505, 1.51466)}
CONFIG = {
    "proj_num_layer": 5,
    "proj_ln": True,
    "proj_act_fn": "gelu",
    "proj_dropout": 0.0,
    "use_weighted_layer_sum": True,
    "precision": "bf16",
    "normalize_embed": True,
    "output_dim": 1,
}
SIZES = {
    "small": {
        "encoder_layers": 4,
        "encoder_embed_dim": 64,
        "encoder_ffn_embed_dim": 128,
        "encoder_attention_heads": 4,
        "conv_feature_layers": "[(32,10,5)] + [(32,3,2)] * 4 + [(32,2,2)] * 2",
    },
    "published": {},
}


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    made: dict[str, np.ndarray] = {}
    for name, sizes in SIZES.items():
        aes.DEFAULT_AUDIO_CFG.update(sizes or PUBLISHED)
        depth = aes.DEFAULT_AUDIO_CFG.encoder_layers
        scales = {axis: {"mean": mean, "std": std} for axis, (mean, std) in SCALES.items()}
        config = {**CONFIG, "nth_layer": depth + 1}
        model = aes.AesMultiOutput(**config, target_transform=scales)
        state = {key: torch.from_numpy(drawn(key, value.shape)) for key, value in model.state_dict().items()}
        made[f"{name}-keys"] = np.array(sorted(state))
        with tempfile.NamedTemporaryFile(suffix=".pt") as file:
            whole = {f"model.{key}": value for key, value in state.items()}
            torch.save({"state_dict": whole, "model_cfg": config, "target_transform": scales}, file.name)
            predictor = AesPredictor(checkpoint_pth=file.name)
        assert not predictor.model.enable_autocast  # asked for bf16, it computes in float32
        rows = []
        for kind, seconds in CLIPS:
            audio = torch.from_numpy(parity_clip(kind, seconds, 16000))[None]
            (row,) = predictor.forward([{"path": audio, "sample_rate": 16000}])
            rows.append([row[axis] for axis in SCALES])
        made[name] = np.array(rows)
    np.savez_compressed(folder / "audiobox.npz", **made)


PUBLISHED = {key: getattr(aes.DEFAULT_AUDIO_CFG, key) for key in SIZES["small"]}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
