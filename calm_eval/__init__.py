"""calm-eval: evaluation of audio language models, continuous and discrete.

`evaluate` runs suites and returns a `Run`; `load_run` opens an earlier one; `table` is a run in a layout. Nothing heavy
is imported here.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "evaluate", "load_run", "table"]


def __getattr__(name: str) -> Any:
    if name in ("evaluate", "table"):
        from calm_eval import api

        return getattr(api, name)
    if name in ("Run", "load_run"):
        from calm_eval.runs import run

        return getattr(run, name)
    raise AttributeError(f"module 'calm_eval' has no attribute '{name}'")
