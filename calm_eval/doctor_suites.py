"""What the judges of a suite need here and is not here, each with its own options; nothing is loaded or fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from calm_eval.assets import load_catalogue, status
from calm_eval.errors import CalmEvalError, InputError, UnavailableError
from calm_eval.judges.environments import find_environment
from calm_eval.judges.protocol import Judge, Requires
from calm_eval.judges.readiness import absent_files, absent_packages
from calm_eval.specs.suite import JudgeUse, load_suite


@dataclass(frozen=True)
class SuiteNeeds:
    """What is missing for a suite's judges, each name once, in the order of its metrics.

    `size` is that of all `assets`, in bytes of 10^9 a GB. `extras` install packages that cannot be imported,
    `environments` are interpreters not made yet, `files` weights that a package downloads by itself. `refused` holds
    why a judge cannot be made with the suite's options, such as a licence to be accepted.
    """

    assets: tuple[str, ...] = ()
    size: int = 0
    extras: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    def told(self, suite: str) -> str:
        """One line: what to call, and how much that fetches."""
        steps = []
        if self.assets:
            steps.append(f"calm-eval assets fetch --suite {suite} ({told_size(self.size)}: {', '.join(self.assets)})")
        if self.extras:
            steps.append(f"pip install 'calm-eval[{','.join(self.extras)}]'")
        steps += [find_environment(name).told for name in self.environments]
        if self.files:
            steps.append(f"on first use a package downloads {', '.join(self.files)}")
        steps += self.refused
        return ", then ".join(steps) or "all judges are ready"


def suite_needs(suite: str) -> SuiteNeeds:
    """Of a suite's name or file. Raises InputError for a suite, a metric or an asset that there is not, StoreError
    when the cache cannot be read.
    """
    judges, refused = _judges(suite)
    requires = [needs for needs in (_requires(judge) for judge in judges) if needs is not None]
    assets = tuple(name for name in _assets(requires) if status(name) != "present")
    catalogue = load_catalogue()
    return SuiteNeeds(
        assets=assets,
        size=sum(catalogue[name].size for name in assets),
        extras=_each_once(needs.extra for needs in requires if absent_packages(needs)),
        environments=_each_once(
            needs.environment
            for needs in requires
            if needs.environment and not find_environment(needs.environment).made
        ),
        files=_each_once(file for needs in requires for file in absent_files(needs)),
        refused=refused,
    )


def suite_assets(suite: str) -> tuple[str, ...]:
    """Every asset that a suite's judges need, there or not.

    Raises what `suite_needs` does, and UnavailableError when one of the judges cannot be made.
    """
    judges, refused = _judges(suite)
    if refused:
        raise UnavailableError(f"{suite}: {'; '.join(refused)}")
    return _assets(needs for needs in (_requires(judge) for judge in judges) if needs is not None)


def told_size(size: int) -> str:
    """Bytes in GB of 10^9 from one on, else in MB of 10^6."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _judges(suite: str) -> tuple[list[Judge], tuple[str, ...]]:
    from calm_eval.metrics.bound import judge_use, make_judge, make_metric

    wanted: list[JudgeUse] = []
    for use in load_suite(suite).spec.metric_uses():
        spec = make_metric(use).spec
        if use.judge is not None or spec.judge is not None:
            one = judge_use(use, spec)
            if one not in wanted:
                wanted.append(one)
    judges, refused = [], []
    for one in wanted:
        try:
            judges.append(make_judge(one))
        except (InputError, UnavailableError) as error:
            refused.append(_named(one.name, error))
    return judges, tuple(refused)


def _named(judge: str, error: CalmEvalError) -> str:
    told = str(error)
    return told if told.startswith(judge) else f"{judge}: {told}"


def _requires(judge: Judge) -> Requires | None:
    requires: Requires | None = getattr(judge, "requires", None)
    return requires


def _assets(requires: Iterable[Requires]) -> tuple[str, ...]:
    return _each_once(name for needs in requires for name in needs.assets)


def _each_once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
