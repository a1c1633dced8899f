"""The answers of openl3 0.4.2 on shared random weights: `python openl3_peer.py GOLDENS_FOLDER FOLDER_OF_OPENL3`.

Needs tensorflow-cpu==2.15.1, kapre==0.3.5, librosa==0.10.1, numpy<2, scikit-learn, scikit-image, resampy, moviepy<2,
h5py, and openl3's source (its sdist fetches weights when it is installed; its code alone runs from the folder).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, sys.argv[2])

import openl3
from shared_weights import drawn, parity_clip
from tensorflow.keras import Model
from tensorflow.keras.layers import BatchNormalization, Conv2D, Flatten, MaxPooling2D

CLIPS = (("chord", 1.2), ("noise", 0.4))
"""Each over a little noise: without it most of 80 dB of magnitudes (160 of power) is the rounding of float32."""


def main(folder: Path) -> None:
    network = openl3.models.AUDIO_MODELS["mel256"](include_frontend=True)
    normalisations = convolutions = 0
    for layer in network.layers:
        if isinstance(layer, BatchNormalization):
            normalisations += 1
            parts = ("weight", "bias", "running_mean", "running_var")
            names = [f"batch_normalization_{normalisations}.{part}" for part in parts]
            layer.set_weights([drawn(name, now.shape) for name, now in zip(names, layer.get_weights(), strict=True)])
        elif isinstance(layer, Conv2D):
            convolutions += 1
            name = layer.name if layer.name == "audio_embedding_layer" else f"conv2d_{convolutions}"
            high, wide, before, after = layer.get_weights()[0].shape
            kernel = drawn(f"{name}.weight", (after, before, high, wide)).transpose(2, 3, 1, 0)
            layer.set_weights([kernel, drawn(f"{name}.bias", (after,))])
    pooled = Flatten()(MaxPooling2D(openl3.models.AUDIO_POOLING_SIZES["mel256"][512], padding="same")(network.output))
    model = Model(network.input, pooled)
    first = next(layer for layer in network.layers if isinstance(layer, BatchNormalization))
    front_end = Model(network.input, first.input)
    made: dict[str, np.ndarray] = {}
    for kind, seconds in CLIPS:
        heard = parity_clip(kind, seconds, 48000) + parity_clip("noise", seconds, 48000) / 4
        made[kind], _ = openl3.get_audio_embedding(heard, 48000, model=model, hop_size=0.5, verbose=False)
        window = openl3.core._preprocess_audio_batch(heard, 48000, hop_size=0.5)[:1]
        decibels = front_end.predict(window, verbose=0)[0, ..., 0]
        made[f"{kind}-decibels"] = decibels[::5, 100:140:4].astype(np.float32)
    np.savez_compressed(folder / "openl3.npz", **made)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
