"""What the machine says of itself while it is measured: load, clocks, temperature. None where it does not tell."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from calm_eval.runs.busy import load_average

_GPU = "name,driver_version,clocks.sm,clocks.mem,temperature.gpu,power.draw"


def machine_state() -> dict[str, Any]:
    """Load average, processor clock (MHz), governor, temperature (degrees Celsius), and a GPU's, as JSON values."""
    state: dict[str, Any] = {
        "load": load_average(),
        "clock_mhz": _clock_mhz(),
        "governor": _text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")),
        "temperature_c": _temperature(),
    }
    gpu = _gpu()
    return state if gpu is None else {**state, "gpu": gpu}


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return None


def _clock_mhz() -> float | None:
    kilohertz = _text(Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq"))
    if kilohertz is not None:
        return float(kilohertz) / 1000
    told = [
        line.partition(":")[2]
        for line in (_text(Path("/proc/cpuinfo")) or "").splitlines()
        if line.startswith("cpu MHz")
    ]
    return float(told[0]) if told else None


def _temperature() -> float | None:
    for zone in sorted(Path("/sys/class/thermal").glob("thermal_zone*/temp")):
        told = _text(zone)
        if told is not None and told.lstrip("-").isdigit():
            return int(told) / 1000
    return None


def _gpu() -> dict[str, str] | None:
    call = ["nvidia-smi", f"--query-gpu={_GPU}", "--format=csv,noheader"]
    try:
        done = subprocess.run(call, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    first = done.stdout.strip().splitlines()[:1]
    return dict(zip(_GPU.split(","), [part.strip() for part in first[0].split(",")], strict=False)) if first else None
