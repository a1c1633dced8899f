"""Microsoft's CLAP 2023: audio and captions in one space, with windows that do not depend on chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.byte_level_tokens import ByteLevelTokens, PieceRules
from calm_eval.judges.clap_front_end import HIGHEST_HZ, LOWEST_HZ, N_FFT, N_MELS
from calm_eval.judges.level import through_int16
from calm_eval.judges.ms_clap_network import LOG_MEL, MsClapNetwork, build
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.torch_judge import TorchJudge
from calm_eval.judges.torch_weights import TorchWeights

ASSET = "ms-clap-2023"
SAMPLE_RATE = 44100
WINDOW = 7 * SAMPLE_RATE
MOST_TOKENS = 1024
"""As many positions as GPT-2 has. The package speaks of 77 and does not cut: longer captions are read to their end."""
ENDING = " <|endoftext|>"
GPT2 = PieceRules("gpt2-tokens", ("<|endoftext|>",))

Framing = Literal["mean", "fadtk"]
FRAMINGS: Mapping[str, str] = {
    "mean": "7 s, one after the other, a tail of 1 s or more repeated to fill it; unit vectors' mean, of length 1",
    "fadtk": "7 s each second up to the end, filled up with zeros; one vector each, not normalised",
}


def windows_of(audio: Mono, framing: Framing) -> list[Mono]:
    """The windows of 7 s that a clip is heard in, as `FRAMINGS` says; what is repeated is cut, as by the package."""
    if framing == "fadtk":
        cut = [audio[start : start + WINDOW] for start in range(0, audio.size, SAMPLE_RATE)]
        return [np.pad(piece, (0, WINDOW - piece.size)) for piece in cut]
    cut = [audio[start : start + WINDOW] for start in range(0, audio.size, WINDOW)]
    return [np.resize(piece, WINDOW) for number, piece in enumerate(cut) if number == 0 or piece.size >= SAMPLE_RATE]


class MsClapJudge(TorchJudge[MsClapNetwork]):
    """Vectors [windows, 1024] of audio at 44.1 kHz, [1, 1024] of a text (Elizalde et al. 2023).

    `framing` mean: one unit vector a clip; fadtk: as microsoft/fadtk has them for its clap-2023, not normalised;
    `file` gives a clip as a file of 16 bits does first, as fadtk does. A text
    is cut to 1024 tokens with its ending, which its notes tell; its vector has length 1. `path` is a published
    checkpoint in place of the catalogue's, `tokens` a folder with GPT-2's `vocab.json` and `merges.txt`; `random` a
    seed for weights that nobody trained, with which nothing is scored.

    Refuses `empty`, `nan`, `silent`, and texts without any character but space as `empty`. Raises InputError for
    another framing.
    """

    def __init__(
        self,
        framing: str = "mean",
        path: str | None = None,
        tokens: str | None = None,
        random: int | None = None,
        file: bool = False,
    ) -> None:
        if framing not in get_args(Framing):
            raise InputError(f"judge 'ms-clap': no framing '{framing}'; there are {', '.join(get_args(Framing))}")
        super().__init__(TorchWeights("ms-clap", ASSET, "clap.pth", path, random), 1)
        self._framing: Framing = "fadtk" if framing == "fadtk" else "mean"
        self._file = file
        self._tokens = ByteLevelTokens("ms-clap", GPT2, MOST_TOKENS, tokens, plain=random is not None)
        self.requires = Requires(("torch", "tokenizers"), self._weights.assets + self._tokens.assets)

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when the files' identity cannot be known here."""
        return self.described({**self._weights.identity(), **self._tokens.identity()})

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name=ASSET + ("" if self._framing == "mean" else f"/{self._framing}") + ("/file" if self._file else ""),
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "level": "as it is",
                "file": "16 bits, the nearest step" if self._file else "none",
                "framing": self._framing,
                "windows": FRAMINGS[self._framing],
                "mel": f"10 log10 of Slaney power mel, {N_MELS} bands from {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz as if at "
                f"{LOG_MEL.sample_rate} Hz, window {N_FFT}, hop {LOG_MEL.hop}, edges mirrored",
                "tokens": MOST_TOKENS,
                "norm": "L2" if self._framing == "mean" else "none",
                "refuses": ["empty", "nan", "silent"],
            },
            licence="MS-PL",
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
            raise UnavailableError("ms-clap is not loaded: call load(device, threads) first")
        return [self._read(text, self._network) for text in texts]

    def close(self) -> None:
        """Free network and tokenizer."""
        super().close()
        self._tokens.close()

    def _built(self, torch: Any) -> Any:
        return build(torch)

    def _opened(self, state: Mapping[str, Any], torch: Any, device: str) -> MsClapNetwork:
        return MsClapNetwork(state, torch, device)

    def _read(self, text: str, network: MsClapNetwork) -> Judgement:
        if not text.strip():
            return Judgement(refused="empty")
        ids, cut = self._tokens(text + ENDING)
        return Judgement(vectors=_unit(network.text(ids)), notes={"tokens": len(ids), "cut": cut})

    def _answer(self, audio: Mono, network: MsClapNetwork) -> Judgement:
        heard = through_int16(audio) if self._file else audio
        if not heard.any():
            return Judgement(refused="silent")
        cut = windows_of(heard, self._framing)
        vectors = network.audio(cut)
        notes: dict[str, Any] = {"windows": len(cut)}
        if self._framing == "mean":
            vectors = _unit(_unit(vectors).astype(np.float64).mean(axis=0, keepdims=True))
            notes["dropped_seconds"] = max(0, audio.size - len(cut) * WINDOW) / SAMPLE_RATE
        return Judgement(vectors=vectors, notes=notes)


def ms_clap_fadtk(path: str | None = None, tokens: str | None = None, random: int | None = None) -> MsClapJudge:
    """As fadtk asks it for `clap-2023`: a file of 16 bits, 7 s each second."""
    return MsClapJudge("fadtk", path, tokens, random, file=True)


def _unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    wide = vectors.astype(np.float64)
    return np.asarray(wide / np.linalg.norm(wide, axis=1, keepdims=True), dtype=np.float32)
