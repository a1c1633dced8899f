"""The answers of audioldm_eval 0.0.3 on shared random weights: `python audioldm_eval_peer.py GOLDENS_FOLDER`.

Needs audioldm-eval==0.0.3 without its dependencies, torchlibrosa==0.1.0, librosa==0.11, scipy, tqdm, torchaudio==2.11,
torch 2.12 to 2.14, setuptools<80 and numpy. Its package module asks for more and is passed over; nothing is fetched.
"""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from shared_weights import drawn, parity_clip

package = types.ModuleType("audioldm_eval")
package.__path__ = list(importlib.util.find_spec("audioldm_eval").submodule_search_locations)
sys.modules["audioldm_eval"] = package

from audioldm_eval.datasets import load_mel  # noqa: E402
from audioldm_eval.feature_extractors.panns.models import Cnn14  # noqa: E402
from audioldm_eval.metrics.fid import calculate_fid  # noqa: E402
from audioldm_eval.metrics.isc import calculate_isc  # noqa: E402

CLIPS = (("chord", 0.7), ("noise", 2.3))
OFFSET = 0.05
LOGITS = (57, 12)


def main(folder: Path) -> None:
    torch.set_num_threads(1)
    with (
        patch("os.system"),
        patch("os.makedirs"),
        patch("torch.load", return_value={"model": {}}),
        patch.object(Cnn14, "load_state_dict"),
    ):
        model = Cnn14(["2048", "logits"], 16000, 512, 160, 64, 50, 8000, 527)
    state = model.state_dict()
    front_end = ("spectrogram_extractor.", "logmel_extractor.")
    learned = {
        name: torch.from_numpy(drawn(name, value.shape))
        for name, value in state.items()
        if value.is_floating_point() and not name.startswith(front_end)
    }
    model.load_state_dict({**state, **learned})
    made: dict[str, np.ndarray] = {}
    for kind, seconds in CLIPS:
        heard = torch.from_numpy(parity_clip(kind, seconds, 16000) + np.float32(OFFSET))[None]
        with patch.object(load_mel.torchaudio, "load", return_value=(heard, 16000)), torch.inference_mode():
            told = model.eval()(load_mel.WaveDataset(str(Path(__file__).parent)).read_from_file("any.wav"))
        made[kind], made[f"{kind}-logits"] = told["2048"].numpy(), told["logits"].numpy()
    logits = 3 * np.random.default_rng(0).standard_normal(LOGITS)
    features = {"logits": torch.from_numpy(logits)}
    made["isc"] = np.array(calculate_isc(features, "logits", 2020, True, 10)["inception_score_mean"])
    half = [{"2048": torch.from_numpy(part)} for part in (logits[:30], logits[30:])]
    made["fid"] = np.array(calculate_fid(*half, "2048")["frechet_distance"])
    np.savez_compressed(folder / "audioldm_eval.npz", **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
