"""A suite: a task, its items, its metrics and the systems it compares by default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from calm_eval.errors import InputError
from calm_eval.specs.base import Spec, load_spec
from calm_eval.specs.dataset import DatasetUse, DataSpec
from calm_eval.specs.locate import find_file
from calm_eval.specs.systems_of_suite import SweepSpec, SystemUse

Task = Literal["speech_continuation", "tts", "music_continuation", "text_to_music", "text_to_audio"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*(/[A-Za-z0-9][A-Za-z0-9_.+-]*)*$", max_length=100)]
Option = bool | int | float | str
Seconds = Annotated[float, Field(gt=0, le=3600)]

_OF_CORPUS = ("split", "tag", "speaker", "prompt_seconds", "seconds", "count", "turns")


class ItemsSpec(Spec):
    """Where the items come from: a corpus that is built on first use, a manifest, or a folder of reference audio.

    In a folder an item's id is the path of its file without the ending; `texts` is a JSON Lines file of id and text.
    `corpus` is a mini corpus: `count` clips of a `split` (`test` where it is left out), those with a `tag` and by one
    `speaker`, chosen in turns over the speaker or a kind of tag; `prompt_seconds` and `seconds` say where it is cut.
    `dataset` is a public data set that a loader reads; its paths lie below the data root if the suite has `data`.
    """

    build: str | None = None
    sentences: str | None = None
    manifest: str | None = None
    folder: str | None = None
    texts: str | None = None
    corpus: str | None = None
    split: Literal["train", "valid", "test", "reference_set"] | None = None
    tag: str | None = None
    speaker: str | None = None
    prompt_seconds: Seconds | None = None
    seconds: Seconds | None = None
    count: Annotated[int, Field(ge=1)] | None = None
    turns: str | None = None
    dataset: DatasetUse | None = None

    @model_validator(mode="after")
    def _one_source(self) -> ItemsSpec:
        if [self.build, self.manifest, self.folder, self.corpus, self.dataset].count(None) != 4:
            raise ValueError("give exactly one of 'build', 'manifest', 'folder', 'corpus' and 'dataset'")
        if self.sentences is not None and self.build is None:
            raise ValueError("'sentences' belongs to 'build'")
        if self.texts is not None and self.folder is None:
            raise ValueError("'texts' belongs to 'folder'")
        return self

    @model_validator(mode="after")
    def _keys_of_a_corpus(self) -> ItemsSpec:
        given = [key for key in _OF_CORPUS if getattr(self, key) is not None]
        if given and self.corpus is None:
            raise ValueError(f"'{given[0]}' belongs to 'corpus'")
        if self.corpus is not None and self.count is None:
            raise ValueError("'corpus' needs 'count', the number of items")
        return self


class ReferenceSetSpec(Spec):
    """The audio that set metrics compare with: a manifest (its references), a folder, or a mini corpus's own set.

    `items: true` takes the references of all items of the suite, as protocols do that have no other set.
    """

    manifest: str | None = None
    folder: str | None = None
    corpus: str | None = None
    items: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> ReferenceSetSpec:
        if [self.manifest, self.folder, self.corpus, self.items].count(None) != 3:
            raise ValueError("give exactly one of 'manifest', 'folder', 'corpus' and 'items'")
        return self


class JudgeUse(Spec):
    """A judge with options, where a metric's default judge will not do."""

    name: str
    options: dict[str, Option] = Field(default_factory=dict)


class MetricUse(Spec):
    """A metric, with options where it takes some, and if need be the judge it leans on here.

    `drift` also measures it in windows of so many seconds, one after the other.
    """

    name: str
    options: dict[str, Option] = Field(default_factory=dict)
    judge: JudgeUse | None = None
    drift: Annotated[float, Field(ge=0.1)] | None = None


class SuiteSpec(Spec):
    """One suite file. A released version never changes; it is superseded by a higher one.

    `limit` and `seeds` are those of a quick run, `full_limit` (all items when left out) and `full_seeds` those of
    `--full`. `sweep` moves one sampling parameter of each system at a time. `pick` is the metric by which the best row
    of each system is chosen, on the tuning items; all tables are of the others.
    """

    name: Name
    version: Annotated[int, Field(ge=1)]
    task: Task
    title: str
    description: str = ""
    items: ItemsSpec
    data: DataSpec | None = None
    reference_set: ReferenceSetSpec | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    seeds: Annotated[int, Field(ge=1, le=1000)] = 1
    full_limit: Annotated[int, Field(ge=1)] | None = None
    full_seeds: Annotated[int, Field(ge=1, le=1000)] | None = None
    metrics: Annotated[list[str | MetricUse], Field(min_length=1)]
    table: list[str] = Field(default_factory=list)
    systems: list[str | SystemUse] = Field(default_factory=list)
    sweep: SweepSpec = Field(default_factory=dict)
    pick: str | None = None
    notes: list[str] = Field(default_factory=list)

    @model_validator(mode="after")
    def _data_of_a_dataset(self) -> SuiteSpec:
        if self.data is not None and self.items.dataset is None:
            raise ValueError("'data' belongs to 'items.dataset'")
        return self

    def metric_uses(self) -> list[MetricUse]:
        """The metrics in order, plain names spelled out."""
        return [MetricUse(name=use) if isinstance(use, str) else use for use in self.metrics]

    def system_uses(self) -> list[SystemUse]:
        """The systems in order, plain names spelled out."""
        return [SystemUse(name=use) if isinstance(use, str) else use for use in self.systems]


class LoadedSuite:
    """A suite with the folder that its relative paths refer to."""

    def __init__(self, spec: SuiteSpec, path: Path) -> None:
        self.spec = spec
        self.path = path

    def local(self, relative: str) -> Path:
        """A path written in the suite, relative to its file. Raises InputError when it leaves the suite's folder."""
        target = (self.path.parent / relative).resolve()
        if not target.is_relative_to(self.path.parent.resolve()) and not Path(relative).is_absolute():
            raise InputError(
                f"{self.path}: '{relative}' leaves the suite's folder; use a path inside it or an absolute one"
            )
        return target


def load_suite(name_or_path: str) -> LoadedSuite:
    """Read a suite by file or by bundled name (`mini/tts`). Raises InputError naming file, line and what is allowed."""
    path = find_file("suite", name_or_path)
    spec, file = load_spec(SuiteSpec, path)
    names = [use.name for use in spec.metric_uses()]
    for index, name in enumerate(spec.table):
        if name not in names:
            where = f"{path}:{file.line(('table', index))}"
            raise InputError(f"{where}: table: '{name}' is no metric of this suite; allowed: {', '.join(names)}")
    if spec.pick is not None and spec.pick not in names:
        where = f"{path}:{file.line(('pick',))}"
        raise InputError(f"{where}: pick: '{spec.pick}' is no metric of this suite; allowed: {', '.join(names)}")
    for index, name in enumerate(names):
        if name in names[:index] and spec.metric_uses()[index] in spec.metric_uses()[:index]:
            raise InputError(f"{path}:{file.line(('metrics', index))}: metric '{name}' stands twice")
    suite = LoadedSuite(spec, path)
    for section, source in (("items", spec.items), ("reference_set", spec.reference_set)):
        for key in ("manifest", "sentences", "folder", "texts"):
            value = getattr(source, key, None)
            if value is None:
                continue
            there = suite.local(value)
            if not (there.is_dir() if key == "folder" else there.is_file()):
                kind = "folder" if key == "folder" else "file"
                raise InputError(f"{path}:{file.line((section, key))}: {section}.{key}: no {kind} '{there}'")
    return suite
