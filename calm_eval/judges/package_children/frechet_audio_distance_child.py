"""frechet-audio-distance's Cnn14, asked one clip at a time: its list of clips is one long vector."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_FILES = {
    8000: "Cnn14_8k_mAP%3D0.416.pth",
    16000: "Cnn14_16k_mAP%3D0.438.pth",
    32000: "Cnn14_mAP%3D0.431.pth",
}
"""The names under which the package looks for checkpoints before it downloads them."""


def opened(options: Mapping[str, Any]) -> tuple[Callable[[Any], Any], None]:
    """`folder` is empty and ours; `checkpoint` a file or None, then `random` is a seed."""
    torch = importlib.import_module("torch")
    torch.set_num_threads(options["threads"])
    rate, folder = options["sample_rate"], Path(options["folder"])
    place = folder / _FILES[rate]
    if options["checkpoint"] is None:
        torch.save({"model": _drawn(torch, rate, options["random"])}, place)
    else:
        place.symlink_to(options["checkpoint"])
    package = importlib.import_module("frechet_audio_distance")
    scorer = package.FrechetAudioDistance(ckpt_dir=str(folder), model_name="pann", sample_rate=rate)
    return lambda audio: scorer.get_embeddings([audio], rate).reshape(1, -1), None


def _drawn(torch: Any, rate: int, seed: int) -> Any:
    networks = importlib.import_module("frechet_audio_distance.models.pann")
    kind, window, hop, highest = {
        8000: (networks.Cnn14_8k, 256, 80, 4000),
        16000: (networks.Cnn14_16k, 512, 160, 8000),
        32000: (networks.Cnn14, 1024, 320, 16000),
    }[rate]
    torch.manual_seed(seed)
    network = kind(
        sample_rate=rate, window_size=window, hop_size=hop, mel_bins=64, fmin=50, fmax=highest, classes_num=527
    )
    return network.state_dict()
