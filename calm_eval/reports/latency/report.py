"""`report.md`, `latency.csv` and the figures of one measurement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calm_eval.audio.write import write_atomically
from calm_eval.latency.compare import Comparison, compare
from calm_eval.latency.measured import Measurement
from calm_eval.latency.summary import Summary, summarise
from calm_eval.reports.latency.anatomy_table import anatomy_table
from calm_eval.reports.latency.compare_table import compare_table, suspect_lines
from calm_eval.reports.latency.deadline_plot import deadline_plot
from calm_eval.reports.latency.frontier import bought, frontier_plot, iso_latency_table
from calm_eval.reports.latency.index_plot import index_plot
from calm_eval.reports.latency.parts_plot import parts_plot
from calm_eval.reports.latency.published_ratios import ratios_table
from calm_eval.reports.latency.speed_table import cost_table, speed_table, throughput_table
from calm_eval.reports.latency.values import values_csv
from calm_eval.reports.markdown import escape
from calm_eval.stats.processes import NAME


def write_latency_report(measurement: Measurement, folder: Path) -> None:
    """Write everything that is told of a measurement into its folder."""
    about = measurement.about
    summaries = [summarise(one) for one in measurement.rows if one.failure is None and one.counted]
    modes = list(dict.fromkeys(one.measured.row.mode for one in summaries))
    comparisons = compared(measurement, summaries)
    sections = [f"# {escape(about['title'])}", _machine(measurement)]
    sections += [f"**Note.** {escape(note)}" for note in about["notes"]]
    for mode in modes:
        # What computes in another way stands in another table.
        shown = [one for one in summaries if one.measured.row.mode == mode]
        sections += [f"## Anatomy of a step ({escape(mode)})", anatomy_table(shown, about["percentiles"]), _ANATOMY]
        sections += [f"## From request to sound ({escape(mode)})", speed_table(shown), _SPEED]
        cost = cost_table(shown, about["read_bandwidth"])
        if cost is not None:
            sections += ["## What a step must read", cost, _cost_text(about["read_bandwidth"])]
        throughput = throughput_table(shown)
        if throughput is not None:
            sections += ["## Throughput, seconds of audio per second", throughput]
    sections += _pairs(measurement, comparisons)
    sections += _figures(summaries, folder)
    if about["quality"] is not None:
        sections += _frontiers(Path(about["quality"]), summaries, folder)
    sections += ["## Warnings and failures", _warnings(measurement, summaries, comparisons)]
    write_atomically(folder / "latency.csv", values_csv(summaries, comparisons).encode())
    write_atomically(folder / "report.md", ("\n\n".join(sections) + "\n").encode())


def compared(measurement: Measurement, summaries: Sequence[Summary]) -> list[Comparison]:
    """Every row beside the one that the order names; none where that one failed or computes in another way."""
    place = measurement.about["against"]
    if place is None:
        return []
    other = measurement.rows[place]
    of_other = next((one for one in summaries if one.measured is other), None)
    if of_other is None:
        return []
    found = []
    for row, same in zip(measurement.rows, measurement.about["same_backbone"], strict=True):
        mine = next((one for one in summaries if one.measured is row), None)
        if mine is not None and row is not other and row.row.mode == other.row.mode:
            found.append(compare(mine, of_other, same_backbone=same))
    return found


_ANATOMY = (
    f"Step: median of all steps but the first, geometric mean over processes; brackets: 95 % {NAME}. Percentiles are "
    "measured ones, shown where there are steps enough to bound them with 99 % confidence. Parts: mean time and share "
    "of the step; what no part covers is unattributed."
)
_SPEED = (
    "First audio: from the request to the first samples on the host, prompt and text read within it; cold is the first "
    "generation of a process. RTF: seconds of compute over seconds of audio. Later than a frame: steps longer than the "
    "frame that they make. Stalls: how often, in all generations, a player ran dry that had waited for so many frames."
)


def _cost_text(bandwidth: float | None) -> str:
    if bandwidth is None:
        return "Weights that one frame reads, if each is read once; embeddings left out."
    return (
        f"Weights that one frame reads, if each is read once; embeddings left out. This processor read "
        f"{bandwidth / 1e9:.1f} GB a second from memory; small models stay in its caches and may beat that bound."
    )


def _machine(measurement: Measurement) -> str:
    about = measurement.about
    env, before = about["environment"], about["before"]
    gpu = (before.get("gpu") or {}).get("name") if env["device"] != "cpu" else None
    told = [
        f"{gpu or env['processor']}, {env['cores']} cores, {env['threads']} threads, {env['device']}, {env['dtype']}",
        f"task {about['task']}; tier {about['tier_text']}",
        f"scale {about['scale']:g}" if about["scale"] != 1.0 else "",
        "" if before["load"] is None else f"load average before {before['load']:.2f}",
        f"torch {env['packages'].get('torch', '-')}, calm-eval {env['calm_eval']}, {env['platform']}",
    ]
    line = "; ".join(escape(part) for part in told if part)
    return f"{line}.\n\nMade by `{about['command']}`." if about["command"] else f"{line}."


def _pairs(measurement: Measurement, comparisons: Sequence[Comparison]) -> list[str]:
    if not comparisons:
        return []
    about = measurement.about
    text = (
        "How many times faster, ratios of these times per second of audio; above 1 the first row is faster. Last "
        "column: what the head's share and its speed-up alone would give for a step without the codec, beside what was "
        "measured, for rows that share a backbone."
    )
    sections = ["## Side by side", compare_table(comparisons), text]
    stands_for = {
        one.row.name: (told[0], told[1])
        for one, told in zip(measurement.rows, about["published_rows"], strict=True)
        if told
    }
    ratios = ratios_table(comparisons, about["published_table"], stands_for)
    if ratios is not None:
        scale = "" if about["scale"] == 1.0 else f", models at {about['scale']:g} of their depth and width"
        sections += [
            f"### Beside {escape(about['published_table'])}",
            ratios,
            f"Published: another machine (a GPU that is not named), half precision perhaps. Measured: this one, "
            f"{about['environment']['dtype']}{scale}. † read in a secondary source.",
        ]
    return sections


def _figures(summaries: Sequence[Summary], folder: Path) -> list[str]:
    figures = folder / "figures"
    figures.mkdir(parents=True, exist_ok=True)
    drawn = [
        ("parts", parts_plot, "What a mean step is made of"),
        ("index", index_plot, "Step time against the audio made so far: median, and the 10th to the 90th percentile"),
        ("deadlines", deadline_plot, "Share of steps that miss a deadline"),
    ]
    lines = []
    for name, draw, text in drawn:
        if draw(summaries, figures / name):
            lines.append(f"![{text}](figures/{name}.png)\n\n{text}.")
    return ["## Figures", *lines] if lines else []


def _frontiers(run: Path, summaries: Sequence[Summary], folder: Path) -> list[str]:
    sections = ["## Quality for time"]
    for key, (spec, rows) in bought(run, summaries).items():
        stem = "frontier-" + key.replace("/", "-").replace(" ", "-")
        frontier_plot(spec, rows, folder / "figures" / stem)
        sections += [
            f"### {escape(spec.title)} ({escape(key.split()[0])})",
            f"![{escape(spec.title)} against cost](figures/{stem}.png)",
            iso_latency_table(spec, rows),
        ]
    text = "Quality from the run, time from here. Budgets are step times that rows have; the best value is picked from "
    return [*sections, text + "all rows within a budget on the very items it is scored on, which flatters many rows."]


def _warnings(measurement: Measurement, summaries: Sequence[Summary], comparisons: Sequence[Comparison]) -> str:
    lines = [
        f"`{one.failure[0]}` {escape(one.row.name)} was not measured: {escape(one.failure[1])}"
        for one in measurement.rows
        if one.failure is not None
    ]
    for summary in summaries:
        row, count = summary.measured.row, len(summary.generations)
        lines += [
            f"`{name}` {escape(row.name)}, in {times} of {count} generations: {escape(text)}"
            for name, (times, text) in summary.faults.items()
        ]
    lines += suspect_lines(comparisons)
    return "\n".join(f"- {line}" for line in lines) if lines else "None."
