"""`calm-eval list`: what is bundled or plugged in, with what a user needs to choose."""

from __future__ import annotations

from calm_eval.errors import InputError, UnavailableError


def listing(what: str) -> str:
    """A plain table of `suites`, `systems`, `metrics` or `judges`. Loads no weights."""
    rows = {"suites": _suites, "systems": _systems, "metrics": _metrics, "judges": _judges}[what]()
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]) - 1)]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        lines.append("  ".join([*cells, row[-1]]).rstrip())
    return "\n".join(lines)


def _suites() -> list[tuple[str, ...]]:
    from calm_eval.specs.locate import bundled_names
    from calm_eval.specs.suite import load_suite

    rows: list[tuple[str, ...]] = [("name", "version", "task", "metrics", "title")]
    for name in bundled_names("suite"):
        spec = load_suite(name).spec
        rows.append((spec.name, str(spec.version), spec.task, str(len(spec.metrics)), spec.title))
    return rows


def _systems() -> list[tuple[str, ...]]:
    from calm_eval.registry import SYSTEMS
    from calm_eval.specs.locate import bundled_names
    from calm_eval.specs.system import load_system

    rows: list[tuple[str, ...]] = [("name", "kind", "variants", "title")]
    for name in [*bundled_names("system"), *SYSTEMS.targets()]:
        spec = load_system(name).spec
        kind = next(one for one in ("control", "folder", "command", "python") if getattr(spec, one) is not None)
        rows.append((spec.name, kind, str(max(1, len(spec.variants))), spec.title))
    return rows


def _metrics() -> list[tuple[str, ...]]:
    from calm_eval.metrics import METRICS

    rows: list[tuple[str, ...]] = [("name", "kind", "unit", "better", "judge", "definition")]
    for name in METRICS.targets():
        spec = METRICS.load(name).spec
        better = "higher" if spec.higher_is_better else "lower"
        rows.append((name, spec.kind, spec.unit, better, spec.judge or "-", spec.definition))
    return rows


def _judges() -> list[tuple[str, ...]]:
    from calm_eval.judges import JUDGES

    rows: list[tuple[str, ...]] = [("name", "output", "rate", "licence", "weights")]
    for name in JUDGES.targets():
        try:
            info = JUDGES.load(name)().info
        except UnavailableError as error:
            rows.append((name, "-", "-", "-", f"not available: {error}"))
            continue
        except InputError as error:
            rows.append((name, "-", "-", "-", f"needs options: {error}"))
            continue
        weights = ", ".join(f"{file} {sha[:12]}" for file, sha in info.weights.items())
        rows.append((name, info.output, str(info.sample_rate), info.licence, weights))
    return rows
