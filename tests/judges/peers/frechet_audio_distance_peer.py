"""What frechet-audio-distance 0.3.4 answers as Cnn14 on shared random weights; writes `goldens/` of this file's name.

Environment: Python 3.11, frechet-audio-distance==0.3.4, numpy<2, torch>=2.12,<2.15, torchaudio==2.11, torchvision;
HF_HUB_OFFLINE=1. The classes are the package's and so are their sizes; `16000 Hz` of 32 kHz is its own choice.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from frechet_audio_distance.models.pann import Cnn14, Cnn14_8k, Cnn14_16k

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from shared_weights import drawn, parity_clip  # noqa: E402

FORMS = {
    "8k": (Cnn14_8k, 8000, 256, 80, 4000),
    "16k": (Cnn14_16k, 16000, 512, 160, 8000),
    "32k": (Cnn14, 32000, 1024, 320, 14000),
    "32k, mels up to 16 kHz": (Cnn14, 32000, 1024, 320, 16000),
}
CLIPS = (("chord", 2.0), ("chirp", 3.5), ("noise", 0.5))


def network(kind, rate, window, hop, highest):
    made = kind(sample_rate=rate, window_size=window, hop_size=hop, mel_bins=64, fmin=50, fmax=highest, classes_num=527)
    state = made.state_dict()
    made.load_state_dict(
        {
            name: value
            if name.startswith(("spectrogram", "logmel")) or not value.is_floating_point()
            else torch.from_numpy(drawn(name, value.shape))
            for name, value in state.items()
        }
    )
    return made.eval()


def main() -> None:
    answers = {}
    for name, (kind, rate, window, hop, highest) in FORMS.items():
        made = network(kind, rate, window, hop, highest)
        for clip, seconds in CLIPS:
            with torch.no_grad():
                out = made(torch.from_numpy(parity_clip(clip, seconds, rate))[None], None)
            answers[f"{name} {clip} embedding"] = out["embedding"][0].numpy()
            answers[f"{name} {clip} tags"] = out["clipwise_output"][0].numpy()
    np.savez_compressed(HERE.parent / "goldens" / "frechet_audio_distance.npz", **answers)


if __name__ == "__main__":
    main()
