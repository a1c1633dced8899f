"""Word errors by position in the text that was asked for: does a long reading come apart towards its end?

The per-quantile rate of kyutai-labs/tts_longeval@4c333b1 (tts_longeval/wer.py) leaves out what is said after the last
word of the text. Here it belongs to the last part, so that the parts sum to the whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.metrics.edits import Edits, words


def errors_by_position(reference: str, hypothesis: str, parts: int = 10) -> list[Edits]:
    """Edits of each of `parts` equal shares of the reference's words, in order; both texts already normalised.

    Word i of n (from 0) belongs to share i * parts // n. Words inserted before word i belong to its share, words after
    the last one to the last share. A text with fewer words than parts leaves some of length 0. The sum over parts is
    that of `count_edits`. Raises ValueError when parts < 1.
    """
    if parts < 1:
        raise ValueError(f"a text has at least one part, got {parts}")
    asked, said = words(reference), words(hypothesis)
    size = len(asked)
    shares = [Edits(0, 0, 0, 0) for _ in range(parts)]
    for place in range(size):
        share = place * parts // size
        shares[share] += Edits(0, 0, 0, 1)
    if size == 0 or not said:
        # Nothing to align: all deletions, or all insertions and no place for them but the end.
        return [Edits(0, share.length, 0, share.length) for share in shares[:-1]] + [
            Edits(0, shares[-1].length, len(said) if size == 0 else 0, shares[-1].length)
        ]
    import jiwer

    for chunk in jiwer.process_words(reference, hypothesis).alignments[0]:
        if chunk.type == "insert":
            share = min(chunk.ref_start_idx * parts // size, parts - 1)
            shares[share] += Edits(0, 0, chunk.hyp_end_idx - chunk.hyp_start_idx, 0)
        elif chunk.type in ("substitute", "delete"):
            one = Edits(1, 0, 0, 0) if chunk.type == "substitute" else Edits(0, 1, 0, 0)
            for place in range(chunk.ref_start_idx, chunk.ref_end_idx):
                shares[place * parts // size] += one
    return shares


def error_curve(items: Sequence[Sequence[Edits]]) -> list[float | None]:
    """Error rate of each part over all items: edits over words; None where no item has a word there.

    Raises ValueError when items differ in their number of parts.
    """
    totals = [sum(column, Edits(0, 0, 0, 0)) for column in zip(*items, strict=True)]
    return [total.errors / total.length if total.length else None for total in totals]
