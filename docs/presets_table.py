"""Write the tables of presets into docs/reference_models.md: `python docs/presets_table.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from minis_table import trained_table

from reference_models.catalogue import PresetCard, catalogue
from reference_models.presets import load_preset

PAGE = Path(__file__).resolve().parent / "reference_models.md"


def models_table(mini: bool) -> str:
    """The language models, one row each."""
    rows = [
        "| preset | backbone (M) | head (M) | short context (M) | all (M) | frame rate | head evaluations/s "
        "| published (M) |",
        "| :-- | --: | --: | --: | --: | --: | --: | :-- |",
    ]
    for card in _cards(mini, codecs=False):
        parts = card.parts
        short = counted(parts["short_context"]) if "short_context" in parts else "–"
        rate = f"{card.frame_rate:g} Hz"
        cells = [card.name, counted(parts["backbone"]), counted(parts["head"]), short, counted(card.parameters), rate]
        rows.append(f"| {' | '.join([*cells, f'{card.head_evaluations_per_second:g}', _published(card)])} |")
    return "\n".join(rows)


def codecs_table(mini: bool) -> str:
    """The codecs, one row each."""
    rows = [
        "| preset | encoder (M) | decoder (M) | rate | frame rate | a frame | published (M) |",
        "| :-- | --: | --: | --: | --: | --: | :-- |",
    ]
    for card in _cards(mini, codecs=True):
        unit = "dimensions" if card.kind == "vae" else "codes"
        sizes = [counted(card.parts[part]) for part in ("encoder", "decoder")]
        cells = [
            card.name,
            *sizes,
            f"{card.sample_rate / 1000:g} kHz",
            f"{card.frame_rate:g} Hz",
            f"{card.width} {unit}",
        ]
        rows.append(f"| {' | '.join([*cells, _published(card)])} |")
    return "\n".join(rows)


def filled(page: str) -> str:
    """The page with its tables made again."""
    tables = {
        "paper models": models_table(mini=False),
        "paper codecs": codecs_table(mini=False),
        "mini models": models_table(mini=True),
        "mini codecs": codecs_table(mini=True),
        "trained minis": trained_table(),
    }
    for name, table in tables.items():
        before, _, rest = page.partition(f"<!-- table: {name} -->\n")
        _, _, after = rest.partition("<!-- end -->")
        page = f"{before}<!-- table: {name} -->\n{table}\n<!-- end -->{after}"
    return page


def counted(count: int) -> str:
    """Millions with three or four digits."""
    millions = count / 1e6
    return f"{millions:,.{0 if millions >= 1000 else 1 if millions >= 100 else 2}f}"


def _cards(mini: bool, codecs: bool) -> list[PresetCard]:
    return [one for one in catalogue().values() if one.name.startswith("mini-") == mini and (not one.tasks) == codecs]


def _published(card: PresetCard) -> str:
    sizes = load_preset(card.name).published
    return ", ".join(f"{part.replace('_', ' ')} {counted(round(size))}" for part, size in sizes.items()) or "–"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
