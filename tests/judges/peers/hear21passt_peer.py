"""What hear21passt 0.0.26 answers as PaSST-S on shared random weights: `goldens/hear21passt.npz`.

Environment: Python 3.11, hear21passt==0.0.26, numpy<2, torch>=2.12,<2.15, torchaudio==2.11, torchvision. Its front end
asks torch.stft for a real answer, which torch no longer gives; it is given one here, as audiocraft does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from hear21passt.models.passt import get_model
from hear21passt.models.preprocess import AugmentMelSTFT

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))
from shared_weights import drawn, parity_clip  # noqa: E402

FORMS = {10: ("passt_s_swa_p16_128_ap476", 998), 20: ("passt_20sec", 2000)}
CLIPS = {10: (("chord", 10.0), ("chirp", 2.0), ("noise", 0.5)), 20: (("chirp", 20.0), ("noise", 0.5))}


def main() -> None:
    complex_stft = torch.stft
    torch.stft = lambda *given, return_complex, **named: torch.view_as_real(
        complex_stft(*given, return_complex=True, **named)
    )
    mel = AugmentMelSTFT(128, 32000, 800, 320, 1024, freqm=48, timem=192, htk=False, fmin=0.0, fmax=None, norm=1,
                         fmin_aug_range=10, fmax_aug_range=2000).eval()  # fmt: skip
    answers = {}
    for seconds, (arch, frames) in FORMS.items():
        network = get_model(arch=arch, pretrained=False, input_tdim=frames).eval()
        state = network.state_dict()
        network.load_state_dict({name: torch.from_numpy(drawn(name, value.shape)) for name, value in state.items()})
        for clip, length in CLIPS[seconds]:
            before = torch.random.get_rng_state()
            with torch.no_grad():
                maps = mel(torch.from_numpy(parity_clip(clip, length, 32000))[None])
                logits, _ = network(maps[:, None])
            answers[f"{seconds} {clip}"] = logits[0].numpy()
            answers[f"{seconds} {clip} moved the global random numbers"] = np.array(
                not torch.equal(before, torch.random.get_rng_state())
            )
        answers[f"{seconds} keys"] = np.array(sorted(state))
    np.savez_compressed(HERE.parent / "goldens" / "hear21passt.npz", **answers)


if __name__ == "__main__":
    main()
