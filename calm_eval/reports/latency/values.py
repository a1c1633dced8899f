"""The quantities of a measurement as rows for machines: `latency.csv`."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from calm_eval.latency.compare import Comparison
from calm_eval.latency.summary import Summary

COLUMNS = ("system", "row", "quantity", "part", "value", "low", "high", "unit", "generations", "processes", "note")


def values_csv(summaries: Sequence[Summary], comparisons: Sequence[Comparison]) -> str:
    """One row for each quantity; times in milliseconds. A percentile without enough measurements says so in `note`."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for one in summaries:
        about = {"system": one.measured.row.system, "row": one.measured.row.name, "generations": len(one.generations)}
        about["processes"] = len(one.groups)
        writer.writerows({**about, **line} for line in _of_row(one))
    for pair in comparisons:
        about = {"system": pair.row.measured.row.system, "row": pair.row.measured.row.name}
        writer.writerows({**about, **line} for line in _of_pair(pair))
    return text.getvalue()


def _of_row(one: Summary) -> Iterator[dict[str, object]]:
    for name, median in (("step", one.step), ("first_audio", one.first_audio), ("end_to_end", one.end_to_end)):
        if median is not None:
            low, high = median.interval if median.interval is not None else (None, None)
            yield _time(name, "p50", median.value, low, high)
    for share, found in one.percentiles.items():
        note = f"{found.lacking} more steps bound it" if found.lacking else "bounded by early stopping"
        yield {**_time("step", f"p{100 * share:g}", found.value, None, found.bound), "note": note}
    for part, time in one.parts.items():
        yield _time(part, "mean", time.mean, None, None)
        yield {"quantity": part, "part": "share", "value": time.share, "unit": "of step"}
        for share, found in time.percentiles.items():
            yield _time(part, f"p{100 * share:g}", found.value, None, found.bound)
    if one.first_audio_cold is not None:
        yield _time("first_audio", "cold", one.first_audio_cold, None, None)
    plain = {"rtf": (one.real_time_factor, "s/s"), "missed": (one.missed, "share"), "slope": (one.slope, "ns/step")}
    for name, (value, unit) in plain.items():
        if value is not None:
            yield {"quantity": name, "value": value, "unit": unit}
    for buffer, playback in one.playback.items():
        yield {"quantity": "stalls", "part": f"{buffer} ahead", "value": playback.stalls, "unit": "in all generations"}
        yield _time("stalled", f"{buffer} ahead", playback.stalled, None, None)
    for size, made in one.throughput.items():
        yield {"quantity": "throughput", "part": f"batch {size}", "value": made, "unit": "s of audio per s"}
    for name, peak in (("peak_memory", one.peak_bytes), ("device_peak_memory", one.device_peak_bytes)):
        if peak is not None:
            yield {"quantity": name, "value": peak, "unit": "bytes"}
    row = one.measured.row
    if row.head_rate is not None:
        yield {"quantity": "head_evaluations", "value": row.head_rate, "unit": "per s of audio"}
    for part, count in row.weight_bytes.items():
        yield {"quantity": "weights_read", "part": part, "value": count, "unit": "bytes a frame"}
    for name, (count, note) in one.faults.items():
        yield {"quantity": "fault", "part": name, "value": count, "unit": "generations", "note": note}


def _of_pair(pair: Comparison) -> Iterator[dict[str, object]]:
    beside = f"beside {pair.other.measured.row.name}"
    for name, one in (("head", pair.head), ("step", pair.step), ("end_to_end", pair.end_to_end)):
        if one is not None:
            low, high = one.interval if one.interval is not None else (None, None)
            about = {"quantity": "speedup", "part": name, "unit": "times", "note": beside}
            yield {**about, "value": one.value, "low": low, "high": high}
    if pair.amdahl is not None:
        for part, value in (("predicted", pair.amdahl.predicted), ("measured", pair.amdahl.measured)):
            yield {"quantity": "amdahl", "part": part, "value": value, "unit": "times", "note": beside}


def _time(quantity: str, part: str, value: float, low: float | None, high: float | None) -> dict[str, object]:
    ends = {"low": None if low is None else low / 1e6, "high": None if high is None else high / 1e6}
    return {"quantity": quantity, "part": part, "value": value / 1e6, "unit": "ms", **ends}
