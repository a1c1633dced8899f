"""The package laion-clap as a judge, where its own numbers are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calm_eval.assets import fetch
from calm_eval.errors import InputError
from calm_eval.judges.clap import MODELS, MOST_TOKENS
from calm_eval.judges.clap_front_end import SAMPLE_RATE
from calm_eval.judges.htsat_network import BASE
from calm_eval.judges.package_judge import PackageJudge
from calm_eval.judges.package_process import PackageProcess
from calm_eval.judges.protocol import JudgeInfo, Judgement, Requires
from calm_eval.judges.roberta_tokens import ASSET, RobertaTokens
from calm_eval.judges.torch_weights import TorchWeights


class LaionClapJudge(PackageJudge):
    """Unit vectors [1, 512] of audio at 48 kHz and of texts, as laion-clap 1.1.7's `CLAP_Module` computes them.

    `model` as for the judge `clap`. Over 10 s the package crops where NumPy's global numbers fall: here they are seeded
    with the crc32 of the samples. `tokens` is a folder with RoBERTa's `vocab.json` and `merges.txt` in place of the
    catalogue's; on random weights without one, texts are refused as `no-vocabulary`.

    Refuses `empty`, `nan`, `silent`, and texts without any character but space as `empty`. Raises InputError for
    another model.
    """

    def __init__(
        self,
        model: str = "music",
        python: str | None = None,
        path: str | None = None,
        tokens: str | None = None,
        random: int | None = None,
    ) -> None:
        if model not in MODELS:
            raise InputError(f"judge 'laion-clap': no model '{model}'; there are {', '.join(MODELS)}")
        weights = TorchWeights("laion-clap", MODELS[model].asset, "clap.pt", path, random)
        super().__init__("laion-clap", "laion_clap_child", weights, 1, python)
        self._model, self._folder = model, tokens
        self._tokens = RobertaTokens("laion-clap", MOST_TOKENS, tokens, plain=random is not None)
        files = weights.assets + self._tokens.assets
        self.requires = Requires((), files, environment=self.requires.environment)

    @property
    def info(self) -> JudgeInfo:
        """Identity and parameters. Raises UnavailableError when the files' identity cannot be known here."""
        return self.described({**self._weights.identity(), **self._tokens.identity()})

    def described(self, weights: Mapping[str, str]) -> JudgeInfo:
        """As `info` with these weights: what can be told before they are there."""
        return JudgeInfo(
            name=f"laion-clap/{self._model}",
            output="embedding",
            sample_rate=SAMPLE_RATE,
            version=1,
            weights=weights,
            parameters={
                "package": f"{self.environment.package} {self.environment.version}",
                "level": "as it is",
                "windows": "the package's: shorter clips repeated to 10 s, longer ones cropped at a place drawn from "
                "the crc32 of the samples",
                "steps": "1/32767, cut towards zero",
                "tokens": MOST_TOKENS,
                "refuses": ["empty", "nan", "silent"],
            },
            licence="CC0-1.0",
            verified="code",
            unscored=self._weights.unscored,
        )

    def judge_texts(self, texts: Sequence[str]) -> list[Judgement]:
        """A vector for each text, by itself. Raises UnavailableError when not loaded or gone."""
        process = self._running()
        return [self._read(text, process) for text in texts]

    def _options(self) -> Mapping[str, Any]:
        shape = MODELS[self._model].shape
        size = "HTSAT-base" if shape.width == BASE.width else "HTSAT-tiny"
        return {"fusion": shape.fusion, "amodel": size, "roberta": self._vocabulary()}

    def _vocabulary(self) -> str | None:
        if self._folder is not None or not self._tokens.assets:
            return self._folder
        return str(fetch(ASSET))

    def _read(self, text: str, process: PackageProcess) -> Judgement:
        if not text.strip():
            return Judgement(refused="empty")
        return (
            Judgement(refused="no-vocabulary") if self._vocabulary() is None else Judgement(vectors=process.read(text))
        )
