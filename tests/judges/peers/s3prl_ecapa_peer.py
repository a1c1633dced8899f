"""UniSpeech's ECAPA-TDNN on s3prl's WavLM, on shared random weights: `python s3prl_ecapa_peer.py GOLDENS_FOLDER`.

Needs s3prl==0.4.18 and f5-tts==1.1.22, both without their dependencies (f5_tts/eval/ecapa_tdnn.py is UniSpeech's file),
torch 2.12 to 2.14, torchaudio==2.11, numpy, requests, filelock, tqdm, pandas and pyyaml. The published size takes 5 GB.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from f5_tts.eval.ecapa_tdnn import ECAPA_TDNN_SMALL
from s3prl.upstream.wavlm.hubconf import wavlm_local
from s3prl.upstream.wavlm.WavLM import WavLM, WavLMConfig
from shared_weights import drawn, parity_clip

CLIPS = (("chord", 2.5), ("chirp", 0.6), ("noise", 0.05))
LARGE = {
    "extractor_mode": "layer_norm",
    "encoder_layers": 24,
    "encoder_embed_dim": 1024,
    "encoder_ffn_embed_dim": 4096,
    "encoder_attention_heads": 16,
    "layer_norm_first": True,
    "conv_feature_layers": "[(512,10,5)] + [(512,3,2)] * 4 + [(512,2,2)] * 2",
    "conv_pos": 128,
    "conv_pos_groups": 16,
    "relative_position_embedding": True,
    "num_buckets": 320,
    "max_distance": 800,
    "gru_rel_pos": True,
    "normalize": True,
}
"""What the published checkpoint of WavLM-large says of itself, without its dropouts."""
SMALL = {
    **LARGE,
    "encoder_layers": 4,
    "encoder_embed_dim": 64,
    "encoder_ffn_embed_dim": 128,
    "encoder_attention_heads": 4,
    "conv_feature_layers": "[(32,10,5)] + [(32,3,2)] * 4 + [(32,2,2)] * 2",
    "num_buckets": 64,
    "max_distance": 60,
}


def answers(config: dict[str, object], made: dict[str, np.ndarray], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "wavlm.pt"
        torch.save({"cfg": config, "model": WavLM(WavLMConfig(config)).state_dict()}, file)
        upstream = wavlm_local(ckpt=str(file))
    with patch.object(torch.hub, "load", return_value=upstream):
        model = ECAPA_TDNN_SMALL(feat_dim=config["encoder_embed_dim"], feat_type="wavlm_large").eval()
    state = {key: value for key, value in model.state_dict().items() if not key.endswith("num_batches_tracked")}
    for key, value in state.items():
        value.copy_(torch.from_numpy(drawn(key, value.shape)))
    made[f"{name}-keys"] = np.array(sorted(model.state_dict()))
    for kind, seconds in CLIPS:
        audio = torch.from_numpy(parity_clip(kind, seconds, 16000))[None]
        with torch.inference_mode():
            made[f"{name}-{kind}"] = model(audio)[0].numpy()
            states = upstream([audio[0]])["hidden_states"]
            made[f"{name}-{kind}-states"] = np.array([[one.shape[1], one.mean(), one.std()] for one in states])


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    made: dict[str, np.ndarray] = {}
    with torch.no_grad():
        answers(SMALL, made, "small")
        answers(LARGE, made, "large")
    np.savez_compressed(folder / "s3prl_ecapa.npz", **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
