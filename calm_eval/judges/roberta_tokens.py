"""RoBERTa's pieces, from the vocabulary and merges of `roberta-base`."""

from __future__ import annotations

from calm_eval.judges.byte_level_tokens import ByteLevelTokens, PieceRules

ASSET = "roberta-base"
RULES = PieceRules(ASSET, ("<s>", "<pad>", "</s>", "<unk>", "<mask>"), 4, ("<s>", "</s>"))


class RobertaTokens(ByteLevelTokens):
    """Texts to ids, as transformers' `RobertaTokenizer` gives them, cut to `most` with both marks."""

    def __init__(self, judge: str, most: int, folder: str | None = None, plain: bool = False) -> None:
        super().__init__(judge, RULES, most, folder, plain)
