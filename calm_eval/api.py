"""The Python entry: the same stages and tables as the command line, as functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from calm_eval.runs.evaluate import evaluate as run_order
from calm_eval.runs.order import STAGES, Order, default_folder, default_threads
from calm_eval.runs.plan import Wishes
from calm_eval.runs.run import Run, load_run
from calm_eval.specs.layout import load_layout
from calm_eval.systems.engine import Conditions
from calm_eval.systems.protocol import Value

if TYPE_CHECKING:
    import pandas as pd


def evaluate(
    suites: str | Sequence[str],
    systems: Sequence[str] | None = None,
    *,
    out: str | Path | None = None,
    limit: int | None = None,
    full: bool = False,
    seeds: int | None = None,
    sweep: Mapping[str, Sequence[Value]] | None = None,
    reuse: Sequence[str | Path] = (),
    retry_failed: bool = False,
    device: str = "cpu",
    dtype: str = "float32",
    batch_size: int = 1,
    threads: int | None = None,
    item_timeout: float | None = None,
    in_process: bool = False,
    stages: Sequence[str] = STAGES,
    quiet: bool = True,
) -> Run:
    """Run suites and return the run.

    Suites and systems are files or bundled names; None takes the suite's own systems, limit and seeds. The same call
    on the same folder resumes. `item_timeout` in seconds. Raises InputError, UnavailableError or StoreError; systems
    and judges that cannot be had are named in `Run.unavailable` while the others go on.
    """
    names = [suites] if isinstance(suites, str) else list(suites)
    order = Order(
        suites=tuple(names),
        wishes=Wishes(
            systems=list(systems) if systems is not None else None,
            limit=limit,
            full=full,
            seeds=seeds,
            sweep={name: list(values) for name, values in (sweep or {}).items()},
        ),
        conditions=Conditions(
            device=device,
            dtype=dtype,
            threads=threads or default_threads(),
            batch_size=batch_size,
            item_timeout=item_timeout,
            in_process=in_process,
        ),
        reuse=tuple(str(one) for one in reuse),
        retry_failed=retry_failed,
    )
    return run_order(order, Path(out) if out is not None else default_folder(names), stages=stages, quiet=quiet)


def table(run: Run | str | Path, layout: str = "paper", *, suite: str | None = None) -> pd.DataFrame:
    """The tables of a run, one record an entry (columns: `calm_eval.reports.tables.as_frame`).

    `layout` is `paper`, `sweep`, `ablation`, `latency` or a YAML file. Raises InputError for a layout, suite, row or
    column that is not there.
    """
    from calm_eval.reports.tables.as_frame import frame
    from calm_eval.reports.tables.make import tables_of_run

    chosen = load_layout(layout).model_copy(update={"suite": suite} if suite is not None else {})
    return frame(tables_of_run(run if isinstance(run, Run) else load_run(run), chosen))
