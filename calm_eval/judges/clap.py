"""LAION-CLAP: audio and captions in one space, in the windows and at the levels of the tools that score with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.clap_front_end import (
    HIGHEST_HZ,
    HOP,
    LOWEST_HZ,
    N_FFT,
    N_MELS,
    SAMPLE_RATE,
    STEPS,
    WINDOW,
    Framing,
    in_steps,
    seed_of,
    windows_of,
)
from calm_eval.judges.clap_network import ClapNetwork, build
from calm_eval.judges.htsat_network import BASE, TINY, TINY_FUSION, HtsatShape
from calm_eval.judges.level import at_peak, through_int16
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.roberta_tokens import RobertaTokens
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

MOST_TOKENS = 77
LEAST = {False: 1, True: N_FFT // 2 + 1}
"""Samples under which there is no frame, where clips are not filled up first."""
FRAMINGS: Mapping[Framing, str] = {
    "mean": "10 s, one after the other, a tail of 1 s or more repeated to fill it; unit vectors' mean, of length 1",
    "fadtk": "10 s each second up to the end, filled up with zeros; one vector each",
    "randcrop": "where the package's draws fall after np.random.seed(crc32 of the samples); shorter clips repeated",
    "first": "the first 10 s; nothing filled up, a shorter clip's log-mel is stretched",
    "fusion": "the whole clip shrunk to 10 s, with the middle window of each third; shorter clips repeated",
}


@dataclass(frozen=True)
class ClapModel:
    """One published checkpoint: the catalogue's asset and the size of its audio branch."""

    asset: str
    shape: HtsatShape


MODELS = {
    "music": ClapModel("clap-music", BASE),
    "general": ClapModel("clap-general", TINY),
    "music-speech": ClapModel("clap-music-speech", BASE),
    "fusion": ClapModel("clap-fusion", TINY_FUSION),
}


class ClapJudge(TorchJudge[ClapNetwork]):
    """Unit vectors [windows, 512] of audio at 48 kHz, [1, 512] of a text (Wu et al. 2023); their cosine is the score.

    `model` is the checkpoint: music, general, music-speech or fusion. `framing` is one of `FRAMINGS`; `fusion` goes
    with the model of that name, for which `randcrop` draws the three windows. `steps` brings samples to 16 bits first,
    as the package does with arrays and files; `peak` brings the largest magnitude to -1 dB before that; `file` gives a
    clip as a file of 16 bits does, before the steps. A text is cut to `most_tokens` with both marks, which its notes
    tell. `path` is a published checkpoint in place of the
    catalogue's, `tokens` a folder with RoBERTa's `vocab.json` and `merges.txt`; `random` a seed for weights that nobody
    trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent` (after the steps too), `too-short` (`first`: under 11 ms), and texts without any
    character but space as `empty`. Raises InputError for other options.
    """

    def __init__(
        self,
        model: str = "music",
        framing: str = "mean",
        steps: bool = True,
        peak: bool = False,
        most_tokens: int = MOST_TOKENS,
        path: str | None = None,
        tokens: str | None = None,
        random: int | None = None,
        file: bool = False,
    ) -> None:
        if model not in MODELS:
            raise InputError(f"judge 'clap': no model '{model}'; there are {', '.join(MODELS)}")
        if framing not in get_args(Framing):
            raise InputError(f"judge 'clap': no framing '{framing}'; there are {', '.join(get_args(Framing))}")
        if framing == "fusion" and model != "fusion":
            raise InputError(f"judge 'clap': the model '{model}' has no fusion")
        if not 3 <= most_tokens <= 512:
            raise InputError(f"judge 'clap': most_tokens from 3 to 512, not {most_tokens}")
        super().__init__(TorchWeights("clap", MODELS[model].asset, "clap.pt", path, random), LEAST[framing == "first"])
        self._model, self._shape = model, MODELS[model].shape
        self._framing: Framing = next(name for name in FRAMINGS if name == framing)
        self._steps, self._peak, self._file = steps, peak, file
        self._tokens = RobertaTokens("clap", most_tokens, tokens, plain=random is not None)
        self.requires = Requires(("torch", "tokenizers"), self._weights.assets + self._tokens.assets)

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when the files' identity cannot be known here."""
        return self.described({**self._weights.identity(), **self._tokens.identity()})

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        usual = "fusion" if self._shape.fusion else "mean"
        changed = [
            *([self._framing] if self._framing != usual else []),
            *(["peak"] if self._peak else []),
            *(["file"] if self._file else []),
            *([] if self._steps else ["float"]),
            *([f"{self._tokens.most}-tokens"] if self._tokens.most != MOST_TOKENS else []),
        ]
        return JudgeInfo(
            name="/".join([MODELS[self._model].asset, *changed]),
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "largest magnitude at -1 dB" if self._peak else "as it is",
                "file": "16 bits, the nearest step" if self._file else "none",
                "steps": f"1/{STEPS}, cut towards zero, once" if self._steps else "none",
                "framing": self._framing,
                "windows": FRAMINGS[self._framing],
                "mel": f"10 log10 of {'HTK' if self._shape.fusion else 'Slaney'} power mel, {N_MELS} bands from "
                f"{LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz, window {N_FFT}, hop {HOP}, edges mirrored",
                "tokens": self._tokens.most,
                "norm": "L2",
                "refuses": ["empty", "nan", "silent", "too-short"],
            },
            licence="CC0-1.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def load(self, device: str, threads: int) -> None:
        """Load network and tokenizer. Raises UnavailableError with what to install or fetch, or what is wrong."""
        self._tokens.load()
        super().load(device, threads)

    def judge_texts(self, texts: Sequence[str]) -> list[Judgement]:
        """A vector for each text, by itself. Raises UnavailableError when not loaded."""
        if self._network is None:
            raise UnavailableError("clap is not loaded: call load(device, threads) first")
        return [self._read(text, self._network) for text in texts]

    def close(self) -> None:
        """Free network and tokenizer."""
        super().close()
        self._tokens.close()

    def _built(self, torch: Any) -> Any:
        return build(torch, self._shape)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> ClapNetwork:
        return ClapNetwork(state, self._shape, torch, device)

    def _read(self, text: str, network: ClapNetwork) -> Judgement:
        if not text.strip():
            return Judgement(refused="empty")
        ids, cut = self._tokens(text)
        return Judgement(vectors=network.text(ids), notes={"tokens": len(ids), "cut": cut})

    def _answer(self, audio: Mono, network: ClapNetwork) -> Judgement:
        heard = at_peak(audio) if self._peak else audio
        heard = through_int16(heard) if self._file else heard
        heard = in_steps(heard) if self._steps else heard
        if not heard.any():
            return Judgement(refused="silent")
        drawn = self._framing == "randcrop"
        if self._shape.fusion and self._framing in ("fusion", "randcrop") and heard.size > WINDOW:
            return Judgement(vectors=network.fused(heard, seed_of(audio) if drawn else None), notes={"windows": 3})
        cut = windows_of(heard, self._framing, seed_of(audio))
        vectors = network.audio(cut)
        notes: dict[str, Any] = {"windows": len(cut)}
        if self._framing == "mean":
            mean = vectors.astype(np.float64).mean(axis=0, keepdims=True)
            vectors = (mean / np.linalg.norm(mean)).astype(np.float32)
            notes["dropped_seconds"] = max(0, heard.size - len(cut) * WINDOW) / SAMPLE_RATE
        return Judgement(vectors=vectors, notes=notes)
