"""The tables of presets in the docs are what the catalogue says now."""

import importlib.util
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_tables_of_presets_are_up_to_date():
    spec = importlib.util.spec_from_file_location("presets_table", DOCS / "presets_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.PAGE.read_text(encoding="utf-8")
    assert module.filled(page) == page, "run: python docs/presets_table.py"
    assert page.count("| mini-") == 14
