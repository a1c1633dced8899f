"""Music and captions in one space without a joint model: musicnn's tags, spoken of in a sentence embedder's words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.musicnn import MusicnnJudge, tag_names
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.judges.sentence_embedder import SentenceEmbedder
from calm_eval.selftest.check import Golden

TOP = 10
PHRASE = "the sound of {tag}"


class MusicnnTextJudge:
    """Unit vectors [1, 384] of audio and of texts, whose cosine says how much of a caption the tagger would sign.

    The vector of an audio is the sum over its `TOP` likeliest tags (mean probability p over windows) of sqrt(p) times
    the sentence vector of "the sound of TAG", brought to length 1; that of a text is its sentence vector. It knows the
    50 tags of its tagger and nothing else: not tempo, key, mood or who plays when. It is no CLAP and its values are on
    no CLAP's scale. `model` is `MTT` or `MSD` as for `MusicnnJudge`.

    Refuses audio as `MusicnnJudge` does, and a text without any character but space as `empty`.
    """

    concurrent = True

    def __init__(self, model: str = "MTT") -> None:
        self.requires = Requires(("torch", "safetensors", "tokenizers"), (f"musicnn-{model.lower()}", "minilm-l6-v2"))
        self._model = model
        self._tagger = MusicnnJudge(model, "tags")
        self._sentences = SentenceEmbedder()
        self._phrases: NDArray[np.float64] | None = None

    @property
    def info(self) -> JudgeInfo:
        """Identity: both models' files and everything between them."""
        tagger, sentences = self._tagger.info, self._sentences.info
        return JudgeInfo(
            name=f"musicnn-{self._model.lower()}-minilm",
            output="embedding",
            sample_rate=tagger.sample_rate,
            version=1,
            weights={f"{one.name}/{file}": sha for one in (tagger, sentences) for file, sha in one.weights.items()},
            parameters={
                "tagger": dict(tagger.parameters),
                "sentences": dict(sentences.parameters),
                "phrase": PHRASE,
                "top": TOP,
                "weight": "square root of the mean probability",
            },
            licence=f"{tagger.licence}, {sentences.licence}",
            verified="weights",
            proven="calm-eval, 2026-11: musicnn 0.1.0, transformers",
        )

    def load(self, device: str, threads: int) -> None:
        """Load both models. Raises UnavailableError with what to install or fetch."""
        self._tagger.load(device, threads)
        self._sentences.load(device, 1)
        phrases = [PHRASE.format(tag=tag) for tag in tag_names(self._model)]
        self._phrases = self._sentences.embed(phrases).astype(np.float64)

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """A vector for each audio [frames]. Raises UnavailableError when not loaded."""
        if self._phrases is None:
            raise UnavailableError("musicnn-minilm is not loaded: call load(device, threads) first")
        return [self._in_words(tagged, self._phrases) for tagged in self._tagger.judge(batch)]

    def judge_texts(self, texts: Sequence[str]) -> list[Judgement]:
        """A vector for each text. Raises UnavailableError when not loaded."""
        return [self._text(text) for text in texts]

    def close(self) -> None:
        """Free both models."""
        self._tagger.close()
        self._sentences.close()
        self._phrases = None

    def _text(self, text: str) -> Judgement:
        try:
            return Judgement(vectors=self._sentences.embed([text]))
        except InputError:
            return Judgement(refused="empty")

    def _in_words(self, tagged: Judgement, phrases: NDArray[np.float64]) -> Judgement:
        if tagged.vectors is None:
            return tagged
        shares = tagged.vectors.astype(np.float64).mean(axis=0)
        vector = tag_vector(shares, phrases)
        return Judgement(vectors=vector.astype(np.float32)[None], notes=tagged.notes)


def tag_vector(shares: NDArray[np.float64], phrases: NDArray[np.float64], top: int = TOP) -> NDArray[np.float64]:
    """Unit vector [dim] of the `top` largest probabilities [tags] with their phrases' vectors [tags, dim]."""
    largest = np.argsort(-shares, kind="stable")[:top]
    mixed = np.sqrt(shares[largest]) @ phrases[largest]
    return np.asarray(mixed / np.linalg.norm(mixed))


def _first(judgement: Judgement) -> float:
    assert judgement.vectors is not None
    return float(judgement.vectors[0, 0])


GOLDENS = (
    Golden("musicnn-mtt-minilm", "a chord, first entry", _first, 0.00459, 2e-3, "chord"),
    Golden("musicnn-mtt-minilm", "a caption, first entry", _first, -0.04201, 1e-3, text="a solo piano melody"),
)
