"""The tables of presets in the docs are what the catalogue says now."""

import importlib.util
from pathlib import Path

from reference_models.catalogue import checkpoint_file
from reference_models.presets import names

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_tables_of_presets_are_up_to_date():
    spec = importlib.util.spec_from_file_location("presets_table", DOCS / "presets_table.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = module.PAGE.read_text(encoding="utf-8")
    assert module.filled(page) == page, "run: python docs/presets_table.py"
    bundled = [name for name in names() if name.startswith("mini-")]
    trained = [name for name in bundled if checkpoint_file(name).is_file()]
    assert page.count("| mini-") == len(bundled) + len(trained)
