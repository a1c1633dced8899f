"""`calm-eval list`: what is bundled or plugged in, with what a user needs to choose."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges import JUDGES

if TYPE_CHECKING:
    from calm_eval.judges.protocol import JudgeInfo
    from calm_eval.specs.system import SystemSpec
    from reference_models.catalogue import PresetCard

WHAT = ("suites", "systems", "codecs", "metrics", "judges")

_UNKNOWN = "-"
"""What is not known without loading a system."""


def listing(what: str) -> str:
    """A plain table of one of `WHAT`. Loads no weights and starts no process."""
    makers = {"suites": _suites, "systems": _systems, "codecs": _codecs, "metrics": _metrics, "judges": _judges}
    rows = makers[what]()
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def _suites() -> list[tuple[str, ...]]:
    from calm_eval.specs.latency import latency_suites, load_latency_suite
    from calm_eval.specs.locate import bundled_names
    from calm_eval.specs.suite import load_suite

    rows: list[tuple[str, ...]] = [("name", "version", "task", "metrics", "title")]
    for name in bundled_names("suite"):
        spec = load_suite(name).spec
        rows.append((spec.name, str(spec.version), spec.task, str(len(spec.metrics)), spec.title))
    for path in latency_suites().values():
        timed = load_latency_suite(path)
        rows.append((timed.name, str(timed.version), timed.task, "latency", timed.title))
    return rows


def _systems() -> list[tuple[str, ...]]:
    from calm_eval.registry import SYSTEMS
    from calm_eval.specs.locate import bundled_names
    from calm_eval.specs.presets import system_presets
    from calm_eval.specs.system import load_system

    header = ("name", "kind", "family", "parameters", "frame rate (Hz)", "head evaluations/s", "trained", "variants")
    rows: list[tuple[str, ...]] = [(*header, "title")]
    presets = system_presets()
    for name in dict.fromkeys([*bundled_names("system"), *SYSTEMS.targets(), *presets]):
        spec = load_system(name).spec
        card = presets.get(name)
        about = _of_preset(card) if card is not None and name not in bundled_names("system") else _of_file(spec)
        rows.append((spec.name, *about, str(max(1, len(spec.variants))), spec.title))
    return rows


def _of_preset(card: PresetCard) -> tuple[str, ...]:
    """Kind, family, parameters, frame rate, head evaluations and whether there are trained weights."""
    heads = f"{card.head_evaluations_per_second:g}"
    return card.kind, card.family, counted(card.parameters), f"{card.frame_rate:g}", heads, _trained(card)


def _trained(card: PresetCard) -> str:
    return "untrained" if card.checkpoint is None else "yes"


def _of_file(spec: SystemSpec) -> tuple[str, ...]:
    """The same of a system file, as far as the file says it."""
    kind = next(one for one in ("control", "folder", "command", "python") if getattr(spec, one) is not None)
    family = {"control": "control", "python": _UNKNOWN}.get(kind, spec.family)
    return kind, family, _UNKNOWN, f"{spec.frame_rate:g}" if spec.frame_rate else _UNKNOWN, _UNKNOWN, _UNKNOWN


def _codecs() -> list[tuple[str, ...]]:
    from calm_eval.specs.presets import codec_presets

    header = ("name", "kind", "parameters", "sample rate (Hz)", "frame rate (Hz)", "frame", "trained", "title")
    rows: list[tuple[str, ...]] = [header]
    for name, card in codec_presets().items():
        rates = (str(card.sample_rate), f"{card.frame_rate:g}")
        frame = f"{card.width} {'codebooks' if card.kind == 'rvq' else 'dimensions'}"
        rows.append((name, card.kind, counted(card.parameters), *rates, frame, _trained(card), card.title))
    return rows


def counted(parameters: int) -> str:
    """A number of parameters for people: `2.1 B`, `113 M`, `3.8 M`, `950 k`."""
    for size, unit in ((10**9, "B"), (10**6, "M"), (10**3, "k")):
        # 999.6 M would round to 1000 M: that is 1.0 B.
        if parameters >= 0.9995 * size:
            value = parameters / size
            return f"{value:.0f} {unit}" if value >= 99.95 else f"{value:.1f} {unit}"
    return str(parameters)


def _metrics() -> list[tuple[str, ...]]:
    from calm_eval.metrics import METRICS
    from calm_eval.metrics.bound import bind
    from calm_eval.specs.suite import MetricUse

    rows: list[tuple[str, ...]] = [("name", "kind", "unit", "better", "judge", "fingerprint", "definition")]
    for name in METRICS.targets():
        try:
            bound = bind(MetricUse(name=name))
        except InputError as error:
            rows.append((name, "-", "-", "-", "-", "-", f"needs options: {error}"))
            continue
        spec = bound.spec
        better = "higher" if spec.higher_is_better else "lower"
        rows.append((name, spec.kind, spec.unit, better, spec.judge or "-", bound.fingerprint[:12], spec.definition))
    return rows


def _judges() -> list[tuple[str, ...]]:
    from calm_eval.assets.resolver import find_asset
    from calm_eval.judges.readiness import readiness

    rows: list[tuple[str, ...]] = [
        ("name", "output", "rate", "licence", "size", "state", "verified", "source", "weights")
    ]
    for name in JUDGES.targets():
        state = readiness(name)
        try:
            judge = JUDGES.load(name)()
            info, weights = _known(judge)
        except (InputError, UnavailableError) as error:
            named = _without_options(name)
            if named is None:
                rows.append((name, *["-"] * 7, f"needs options: {error}"))
                continue
            judge, info, weights = named, named.described({}), f"needs options: {error}"
        names = getattr(getattr(judge, "requires", None), "assets", ()) or getattr(judge, "assets", ())
        assets = [find_asset(one) for one in names]
        size = f"{sum(one.size for one in assets) / 1e6:.1f} MB" if assets else "-"
        sources = ", ".join(dict.fromkeys(str(file.source) for one in assets for file in one.files)) or "-"
        told = "present" if state.ready else "fetchable" if state.fetchable else "needs environment"
        told = "needs options" if weights.startswith("needs options") else told
        about = (info.output, str(info.sample_rate), info.licence or "-", size, told, _verified(info), sources)
        rows.append((name, *about, weights or "-"))
    return rows


def _without_options(name: str) -> Any:
    """A judge that cannot be made without options, as it is on random weights; None where there is no such thing."""
    factory = JUDGES.load(name)
    if "random" not in inspect.signature(factory).parameters:
        return None
    judge = factory(random=0)
    return judge if hasattr(judge, "described") else None


def _verified(info: JudgeInfo) -> str:
    return f"{info.verified} ({info.proven})" if info.proven else info.verified


def _known(judge: Any) -> tuple[JudgeInfo, str]:
    """Who a judge is, and its weights in short; the weights of one that was never fetched may not be known yet."""
    try:
        info: JudgeInfo = judge.info
    except UnavailableError:
        if not hasattr(judge, "described"):
            raise
        return judge.described({}), "known once they are fetched"
    return info, ", ".join(f"{file} {sha[:12]}" for file, sha in info.weights.items())
