"""What was said against what was asked for, word by word."""

from __future__ import annotations

from calm_eval.metrics.edits import words
from calm_eval.metrics.normalisers import WHISPER_ENGLISH

Aligned = tuple[str, str, str]
"""`equal`, `substitute`, `delete` or `insert`; the words asked for; the words said."""


def aligned(asked: str, said: str) -> list[Aligned]:
    """Runs of words of both texts, normalised as for WER, aligned by jiwer as for WER."""
    reference, hypothesis = words(WHISPER_ENGLISH(asked)), words(WHISPER_ENGLISH(said))
    if not reference or not hypothesis:
        runs = [("delete", " ".join(reference), ""), ("insert", "", " ".join(hypothesis))]
        return [run for run in runs if run[1] or run[2]]
    import jiwer

    found = jiwer.process_words(" ".join(reference), " ".join(hypothesis))
    return [
        (
            chunk.type,
            " ".join(reference[chunk.ref_start_idx : chunk.ref_end_idx]),
            " ".join(hypothesis[chunk.hyp_start_idx : chunk.hyp_end_idx]),
        )
        for chunk in found.alignments[0]
    ]
