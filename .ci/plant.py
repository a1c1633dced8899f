"""`python .ci/plant.py FOLDER`: white noise at 10 dB on every sound of a folder, a fault that a gate has to find."""

from __future__ import annotations

import sys
from pathlib import Path

import soundfile

from calm_eval.audio.read import read_sound
from calm_eval.systems.controls import add_noise

for seed, path in enumerate(sorted(Path(sys.argv[1]).glob("*.flac"))):
    noisy = add_noise(read_sound(path), 10.0, seed)
    soundfile.write(path, noisy.samples.T, noisy.sample_rate)
