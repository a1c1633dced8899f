"""A metric together with the judge that it leans on in one suite: what a column of a table is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges import JUDGES
from calm_eval.judges.protocol import Judge, JudgeInfo
from calm_eval.keys import digest
from calm_eval.metrics import METRICS
from calm_eval.metrics.identity import judge_fingerprint, metric_identity
from calm_eval.metrics.protocol import Metric, MetricSpec, SetMetric
from calm_eval.specs.suite import JudgeUse, MetricUse


@dataclass(frozen=True)
class BoundMetric:
    """Plain data, so that a run can be read where neither the metric's package nor the judge is installed.

    `unavailable` says why the judge's identity cannot be known here; such a metric has no judge fingerprint.
    """

    use: MetricUse
    spec: MetricSpec
    info: JudgeInfo | None
    fingerprint: str
    judge_fingerprint: str | None
    unavailable: str | None = None

    @property
    def preset(self) -> str:
        """The judge's name, or `-` without a judge."""
        if self.info is not None:
            return self.info.name
        return judge_use(self.use, self.spec).name if self.unavailable else "-"

    @property
    def unscored(self) -> str:
        """Why no number may come of this judge; empty where it scores."""
        return self.info.unscored if self.info is not None else ""

    @property
    def title(self) -> str:
        """The metric's title; where a protocol names a judge and another one is bound, the title says so."""
        from calm_eval.metrics.error_rate_protocols import title_with

        return title_with(self.spec, self.info)

    def json(self) -> dict[str, Any]:
        """As JSON values."""
        info = None
        if self.info is not None:
            info = {**vars(self.info), "weights": dict(self.info.weights), "parameters": dict(self.info.parameters)}
        return {
            "use": self.use.model_dump(),
            "spec": asdict(self.spec),
            "info": info,
            "fingerprint": self.fingerprint,
            "judge_fingerprint": self.judge_fingerprint,
            "unavailable": self.unavailable,
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> BoundMetric:
        """Read back what `json` gave."""
        spec = {**told["spec"], "needs": tuple(told["spec"]["needs"]), "judged": tuple(told["spec"]["judged"])}
        return cls(
            use=MetricUse.model_validate(told["use"]),
            spec=MetricSpec(**spec),
            # Runs of before `verified` was told have judges alone that were held against their originals.
            info=JudgeInfo(**{"verified": "weights", **told["info"]}) if told["info"] else None,
            fingerprint=told["fingerprint"],
            judge_fingerprint=told["judge_fingerprint"],
            unavailable=told["unavailable"],
        )


def judge_use(use: MetricUse, spec: MetricSpec) -> JudgeUse:
    """The judge that a suite names for a metric, or the metric's own."""
    if use.judge is not None:
        return use.judge
    if spec.judge is None:
        raise InputError(f"metric '{use.name}' leans on no judge")
    return JudgeUse(name=spec.judge)


def make_judge(use: JudgeUse) -> Judge:
    """A judge, not loaded. Raises InputError on an unknown name or option, UnavailableError when it cannot be had."""
    factory = JUDGES.load(use.name)
    try:
        judge: Judge = factory(**use.options)
    except TypeError as error:
        raise InputError(f"judge '{use.name}': {error}") from error
    return judge


def make_metric(use: MetricUse) -> Metric | SetMetric:
    """The metric that a suite names: the registered object, or what its factory makes of the options.

    Raises InputError on an unknown name or option, UnavailableError when its package cannot be imported.
    """
    registered = METRICS.load(use.name)
    if hasattr(registered, "spec") and not isinstance(registered, type):
        if use.options:
            raise InputError(f"metric '{use.name}' takes no options; it was given {', '.join(use.options)}")
        return registered  # type: ignore[no-any-return]
    try:
        return registered(**use.options)  # type: ignore[no-any-return]
    except TypeError as error:
        raise InputError(f"metric '{use.name}': {error}") from error


def bind(use: MetricUse) -> BoundMetric:
    """Resolve a metric and the identity of its judge. Raises InputError on unknown names or options."""
    spec = make_metric(use).spec
    if use.drift is not None and (spec.kind != "item" or "sample" not in spec.judged or "text" in spec.needs):
        raise InputError(
            f"metric '{use.name}' has no drift: it wants a metric of kind 'item' that a judge can hear in a window"
        )
    if use.judge is None and spec.judge is None:
        return BoundMetric(use, spec, None, digest(metric_identity(spec, None)), None)
    wanted = judge_use(use, spec)
    try:
        info = make_judge(wanted).info
    except UnavailableError as error:
        fingerprint = digest({**metric_identity(spec, None), "judge": wanted.model_dump(), "unknown": True})
        return BoundMetric(use, spec, None, fingerprint, None, unavailable=str(error))
    return BoundMetric(use, spec, info, digest(metric_identity(spec, info)), judge_fingerprint(info))
