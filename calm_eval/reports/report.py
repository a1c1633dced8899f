"""`summary.csv`, `report.md` and the plots of a run, written beside its store."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval import __version__
from calm_eval.audio.write import write_atomically
from calm_eval.metrics.bound import BoundMetric
from calm_eval.reports.best_table import best_table
from calm_eval.reports.drift_table import drift_plot, drift_table
from calm_eval.reports.equal_time_table import FAMILIES, equal_time_section
from calm_eval.reports.failure_table import basis_table, failure_table, methods
from calm_eval.reports.markdown import escape
from calm_eval.reports.published import published_for
from calm_eval.reports.published_table import published_block
from calm_eval.reports.quality_speed_plot import few_rows, quality_speed_plot
from calm_eval.reports.shuffled_table import shuffled_sections
from calm_eval.reports.source import Source, opened
from calm_eval.reports.suite_table import suite_table
from calm_eval.reports.sweep_plot import sweep_plot
from calm_eval.runs.aggregate import METHOD, Cell
from calm_eval.runs.database import Database
from calm_eval.runs.environment import last_environment
from calm_eval.runs.order import command_of
from calm_eval.runs.pick import Pick, picks
from calm_eval.runs.plan_store import StoredPlan
from calm_eval.runs.run import Run, summary_table


def write_report(run: Run) -> None:
    """Write `summary.csv`, `report.md` and `figures/` into the run folder."""
    sections = [f"# {escape(run.folder.resolve().name)}"]
    tuning = run.tuning()
    with opened(run) as (sources, database):
        summary = summary_table([(source.plan, source.cells) for source in sources])
        write_atomically(run.folder / "summary.csv", summary.to_csv(index=False).encode())
        for source in sources:
            sections += suite_section(run, source, tuning[source.plan.suite.name])
        sections += [_how_it_was_made(database)]
    write_atomically(run.folder / "report.md", ("\n\n".join(sections) + "\n").encode())


def suite_section(run: Run, source: Source, tuning: Sequence[Cell]) -> list[str]:
    """The paragraphs of one suite; by its `tuning` cells its systems' best rows are picked."""
    plan, cells = source.plan, source.cells
    suite, picked = plan.suite, picks(plan.suite.name, tuning)
    all_metrics = _metric_names(plan)
    seeds = f"{plan.seeds} seed{'s' if plan.seeds > 1 else ''}"
    parts = [
        f"## {escape(suite.title)}",
        f"Suite `{suite.name}` version {suite.version}, {_counted(plan)}, {seeds}. "
        f"Brackets: {methods(cells) or METHOD}. Rows in italics are controls: they show the scale and are no systems. "
        "A dash: does not apply, or nothing to score.",
        *[f"**Note.** {escape(note)}" for note in suite.notes],
        *_unproven(plan),
        suite_table(source, suite.table or all_metrics),
    ]
    rest = [name for name in all_metrics if suite.table and name not in suite.table]
    if rest:
        parts += ["More metrics:", suite_table(source, rest)]
    families = equal_time_section(tuning, cells, suite.table or all_metrics, source.pairs.compare)
    if not families or any(one.variant.family not in FAMILIES for one in picked if one.among > 1):
        parts += _best(picked, cells, suite.table or all_metrics)
    parts += [*families, *shuffled_sections(plan, cells, source.pairs.compare)]
    published = published_block(published_for(suite.name))
    if published:
        parts.append(published)
    parts += _figures(run, plan, cells)
    parts += _drift(run, plan)
    gone = [one for one in plan.metrics if one.unavailable and any(row.measured_by(one.spec) for row in plan.variants)]
    for why in dict.fromkeys(f"{one.preset}: {one.unavailable}" for one in gone):
        parts.append(f"**Judge not available.** {escape(why)}")
    failures = failure_table(plan, cells)
    parts += ["### Failures and findings", failures or "None: every sample was made and scored."]
    basis = basis_table(plan, cells)
    if basis:
        parts += ["### What the numbers rest on", basis]
    parts += ["### Fingerprints", _fingerprints(plan)]
    return parts


def _unproven(plan: StoredPlan) -> list[str]:
    """The judges whose answers were never held against the original's on trained weights; nothing where all were."""
    named = [
        f"{escape(one.title)} by {escape(one.preset)} (verified: {one.info.verified})"
        for one in plan.metrics
        if one.info is not None and one.info.verified != "weights" and not one.unscored
    ]
    if not named:
        return []
    return [f"**Not held against the original on its trained weights.** {', '.join(named)}."]


def _metric_names(plan: StoredPlan) -> list[str]:
    return list(dict.fromkeys(one.spec.name for one in plan.metrics))


def _best(picked: Sequence[Pick], cells: Sequence[Cell], columns: Sequence[str]) -> list[str]:
    """The rows picked on the tuning items."""
    best = best_table(picked, cells, columns)
    if best is None:
        return []
    return [
        "### Each system at its best",
        f"Of each system's rows the one with the best {escape(picked[0].metric.title)} on the tuning items, which "
        "are in no other figure of this section: so the choice does not flatter what stands beside it.",
        best,
    ]


def _figures(run: Run, plan: StoredPlan, cells: Sequence[Cell]) -> list[str]:
    """The plots of a suite's rows; where one has nothing to draw, that of an earlier report goes away."""
    folder, prefix = run.folder / "figures", plan.suite.name.replace("/", "-")
    pick = next((one for one in plan.metrics if one.spec.name == plan.suite.pick), None)
    folder.mkdir(exist_ok=True)
    drawn = []
    if quality_speed_plot(few_rows(cells), "wer", folder / f"{prefix}-wer-rtf"):
        drawn.append((f"{prefix}-wer-rtf", "WER against real-time factor", ""))
    if pick is not None and sweep_plot(cells, pick.fingerprint, folder / f"{prefix}-sweep"):
        about = (
            "Each panel moves one parameter, the others at their defaults (larger marker). 95 % intervals; hollow: "
            "discrete. Where a parameter means another thing to another system, only the shape of its line can be read."
        )
        drawn.append((f"{prefix}-sweep", f"{escape(pick.title)} over the sampling parameters", about))
    kept = {name for name, _, _ in drawn}
    for name in {f"{prefix}-wer-rtf", f"{prefix}-sweep"} - kept:
        for kind in ("svg", "png"):
            (folder / f"{name}.{kind}").unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
    return [part for name, title, about in drawn for part in (f"![{title}](figures/{name}.png)", about) if part]


def _counted(plan: StoredPlan) -> str:
    """How many items the figures are of."""
    told = f"{len(plan.items)} of {plan.n_items_in_suite} items"
    return f"{told}, and {plan.n_tuning} that only choose samplings" if plan.n_tuning else told


def _drift(run: Run, plan: StoredPlan) -> list[str]:
    """A table and a plot for each metric that is measured in windows."""
    if all(bound.use.drift is None for bound in plan.metrics):
        return []
    mine = [curve for curve in run.drift() if curve.metric in plan.metrics]
    parts = []
    for bound in dict.fromkeys(curve.metric.fingerprint for curve in mine):
        curves = [curve for curve in mine if curve.metric.fingerprint == bound]
        (run.folder / "figures").mkdir(exist_ok=True)
        name = f"{plan.suite.name.replace('/', '-')}-drift-{curves[0].metric.spec.name}"
        drift_plot(curves, run.folder / "figures" / name)
        title = escape(curves[0].metric.title)
        parts += [f"### {title} over the clip", drift_table(curves), f"![{title} over the clip](figures/{name}.png)"]
    return parts


def _fingerprints(plan: StoredPlan) -> str:
    lines = [f"- items: `{plan.items_digest[:16]}`"]
    if plan.reference_set:
        lines.append(f"- reference set: `{plan.reference_set_digest[:16]}`, {len(plan.reference_set)} clips")
    judges: dict[str, BoundMetric] = {}
    for bound in plan.metrics:
        if bound.judge_fingerprint is not None:
            judges.setdefault(bound.judge_fingerprint, bound)
        by = f", by {escape(bound.preset)}" if bound.preset != "-" else ""
        definition = f": {escape(bound.spec.definition)}" if bound.spec.definition else ""
        lines.append(
            f"- {escape(bound.title)} `{bound.fingerprint[:16]}`, version {bound.spec.version}{by}{definition}"
        )
    for fingerprint, bound in judges.items():
        assert bound.info is not None
        weights = ", ".join(f"{escape(name)} `{sha[:12]}`" for name, sha in bound.info.weights.items())
        lines.append(f"- judge {escape(bound.preset)} `{fingerprint[:16]}`, version {bound.info.version}; {weights}")
    systems = {row.system: row.fingerprint for row in plan.variants if not row.control}
    lines += [f"- system {escape(name)} `{fingerprint[:16]}`" for name, fingerprint in systems.items()]
    return "\n".join(lines)


def _how_it_was_made(database: Database) -> str:
    about, command = last_environment(database), command_of(database)
    lines = ["## How it was made", ""]
    if command:
        # A line break inside an argument must not end the code block.
        lines += [*[f"    {line}" for line in command.splitlines()], ""]
    lines.append(
        f"calm-eval {__version__}, Python {about['python']}, {escape(about['processor'])}, {about['cores']} cores, "
        f"{about['threads']} threads, device {about['device']}, batch size {about['batch_size']}. "
        "Speed numbers hold for this machine only."
    )
    versions = ", ".join(f"{escape(name)} {version}" for name, version in about["packages"].items())
    lines.append(f"Packages: {versions}.")
    return "\n".join(lines)
