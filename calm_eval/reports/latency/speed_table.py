"""What a listener and an operator ask: first audio, the whole, deadlines, stalls, memory, cost."""

from __future__ import annotations

from collections.abc import Sequence

from calm_eval.latency.summary import Summary
from calm_eval.reports.latency.cells import NONE, median, milliseconds, name, percent
from calm_eval.reports.markdown import table
from calm_eval.reports.rounding import three_digits


def speed_table(summaries: Sequence[Summary]) -> str:
    """From request to first audio and to the end; how much faster than real time; what a player would hear."""
    header = [
        "System",
        "First audio, ms",
        "cold, ms",
        "End to end, s",
        "RTF (compute / audio)",
        "x real time",
        "Later than a frame",
        "Stalls with 1, 2, 4, 8 frames ahead",
        "Slope, us a step",
        "Memory, GB",
    ]
    return table(header, [_speed(one) for one in summaries])


def _speed(summary: Summary) -> list[str]:
    seconds = summary.end_to_end.value / 1e9
    stalls = ", ".join(str(one.stalls) for one in summary.playback.values()) or NONE
    peak = summary.device_peak_bytes or summary.peak_bytes
    return [
        name(summary),
        median(summary.first_audio),
        milliseconds(summary.first_audio_cold),
        three_digits(seconds),
        three_digits(summary.real_time_factor),
        three_digits(1 / summary.real_time_factor),
        percent(summary.missed),
        stalls,
        NONE if summary.slope is None else f"{summary.slope / 1e3:.2f}",
        NONE if peak is None else f"{peak / 1e9:.2f}",
    ]


def cost_table(summaries: Sequence[Summary], bandwidth: float | None) -> str | None:
    """Head evaluations and weights read, and the least step time that reading them implies; None where none says."""
    told = [one for one in summaries if one.measured.row.weight_bytes]
    if not told:
        return None
    header = ["System", "Head evaluations a second", "Weights read a frame, MB", "of which head", "Least step, ms"]
    header += ["Step over least"]
    return table(header, [_cost(one, bandwidth) for one in told])


def _cost(summary: Summary, bandwidth: float | None) -> list[str]:
    row = summary.measured.row
    read = sum(row.weight_bytes.values())
    least = None if not bandwidth else 1e9 * read / bandwidth
    over = NONE if least is None or summary.step is None else f"{summary.step.value / least:.1f}"
    return [
        name(summary),
        NONE if row.head_rate is None else f"{row.head_rate:g}",
        three_digits(read / 1e6),
        percent(row.weight_bytes.get("head", 0.0) / read),
        milliseconds(least),
        over,
    ]


def throughput_table(summaries: Sequence[Summary]) -> str | None:
    """Seconds of audio per second by batch size; None when only single samples were made."""
    sizes = sorted({size for one in summaries for size in (*one.throughput, *one.measured.batch_failures)})
    if sizes == [1]:
        return None
    rows = []
    for one in summaries:
        failed = one.measured.batch_failures
        rows.append([name(one), *(_made(one, size) if size not in failed else failed[size][0] for size in sizes)])
    return table(["System", *(f"batch {size}" for size in sizes)], rows)


def _made(summary: Summary, size: int) -> str:
    return three_digits(summary.throughput[size]) if size in summary.throughput else NONE
