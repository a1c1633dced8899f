"""The voices that read the mini corpus: how each is made, as values that can be hashed and as systems that speak."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from calm_eval.assets import weights
from calm_eval.errors import UnavailableError
from calm_eval.systems import espeak, piper
from calm_eval.systems.protocol import System, Value

PIPER_ASSET = "piper-en_US-joe-medium"
PACKAGES = {"piper": ("piper-tts", "1.8.0"), "espeak": ("espeakng-loader", "0.2.4")}


@dataclass(frozen=True)
class Voice:
    """One reader: `engine` is `piper` or `espeak`; `option` is the asset or espeak-ng's name of the voice."""

    engine: str
    option: str
    sampling: Mapping[str, Value]

    @property
    def recipe(self) -> Mapping[str, object]:
        """All that decides how it reads: the same on every machine, and no weight is read for it."""
        package, version = PACKAGES[self.engine]
        return {
            "engine": self.engine,
            "option": self.option,
            "sampling": dict(self.sampling),
            "system_version": 1,
            package: version,
            "weights": weights(self.option) if self.engine == "piper" else {},
        }

    def load(self, threads: int) -> System:
        """The system, ready to speak. Raises UnavailableError when a package is missing or not of the named version."""
        from importlib import metadata

        package, version = PACKAGES[self.engine]
        try:
            found = metadata.version(package)
        except metadata.PackageNotFoundError as error:
            raise UnavailableError(f"{package} is missing: pip install 'calm-eval[{self.engine}]'") from error
        if found != version:
            raise UnavailableError(f"the mini corpus is read by {package} {version}, installed is {found}")
        system: System = piper.create(self.option) if self.engine == "piper" else espeak.create(self.option)
        if system.info.version != self.recipe["system_version"]:
            raise UnavailableError(f"{self.engine}: the system is version {system.info.version}, the recipe another")
        system.load("cpu", "float32", threads)
        return system


def _piper() -> Voice:
    return Voice("piper", PIPER_ASSET, {"noise_scale": 0.667, "noise_w": 0.8, "length_scale": 1.0})


def _espeak(name: str) -> Voice:
    # Slower than the library's own 175 words per minute: a reference must be understood by the recogniser.
    return Voice("espeak", name, {"rate": 140})


# Variants that a speaker encoder tells apart and that a small recogniser understands; accents of one variant
# (en-us, en-gb-scotland, en-gb-x-rp) are one speaker to the encoder.
VOICES: Mapping[str, Voice] = {
    "piper-joe": _piper(),
    "espeak-en-us+Mike": _espeak("en-us+Mike"),
    "espeak-en-us+f3": _espeak("en-us+f3"),
    "espeak-en-us+m7": _espeak("en-us+m7"),
    "espeak-en-us+steph": _espeak("en-us+steph"),
}
