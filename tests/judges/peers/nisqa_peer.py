"""NISQA v2.0 as torchmetrics carries it (ported from gabrielmittag/NISQA), on random weights by their names.

Needs torchmetrics==1.9.0, librosa==0.11.0, requests, torch; run: python tests/judges/peers/nisqa_peer.py
Writes tests/judges/goldens/nisqa.npz: for each clip a part of the log-mel, the count of segments and the five scores.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torchmetrics.functional.audio import nisqa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from shared_weights import drawn, parity_clip

# Of weights/nisqa.tar, as the tool prints them.
ARGUMENTS = {
    "ms_n_fft": 4096, "ms_hop_length": 0.01, "ms_win_length": 0.02, "ms_n_mels": 48, "ms_fmax": 20000,
    "ms_seg_length": 15, "ms_seg_hop_length": 4, "ms_max_segments": 1300,
    "cnn_c_out_1": 16, "cnn_c_out_2": 32, "cnn_c_out_3": 64, "cnn_kernel_size": (3, 3), "cnn_dropout": 0.2,
    "cnn_pool_1": [24, 7], "cnn_pool_2": [12, 5], "cnn_pool_3": [6, 3],
    "td_sa_d_model": 64, "td_sa_nhead": 1, "td_sa_num_layers": 2, "td_sa_h": 64, "td_sa_dropout": 0.1,
    "pool_att_h": 128, "pool_att_dropout": 0.1,
}  # fmt: skip
RATE = 48000
CLIPS = (("chord", 0.5), ("chirp", 0.96), ("noise", 0.975), ("chord", 10.0), ("chirp", 30.0))


def main() -> None:
    """Build, fill, hear, write."""
    network = nisqa._NISQADIM(ARGUMENTS).eval()
    state = network.state_dict()
    network.load_state_dict(
        {
            name: value if name.endswith("num_batches_tracked") else torch.from_numpy(drawn(name, value.shape))
            for name, value in state.items()
        }
    )
    found: dict[str, np.ndarray] = {"keys": np.array(sorted(state))}
    # The last one comes at 16 kHz, and is heard at that.
    for kind, seconds, rate in (*((*clip, RATE) for clip in CLIPS), ("noise", 2.0, 16000)):
        clip = parity_clip(kind, seconds, rate)
        mel = nisqa._get_librosa_melspec(clip[None], rate, ARGUMENTS)
        cut, count = nisqa._segment_specs(torch.from_numpy(mel), ARGUMENTS)
        with torch.no_grad():
            scores = network(cut, count.expand(1))
        name = f"{kind}-{seconds:g}"
        found[f"{name}/mel"] = mel[0][::6, ::7][:, :60].astype(np.float32)
        found[f"{name}/segments"] = np.array(int(count))
        found[f"{name}/scores"] = scores.numpy()[0]
    np.savez_compressed(Path(__file__).resolve().parents[1] / "goldens" / "nisqa.npz", **found)


if __name__ == "__main__":
    main()
