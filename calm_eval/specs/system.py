"""A system file: how to reach the thing under test, and which samplings of it to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from calm_eval.errors import InputError
from calm_eval.registry import SYSTEMS
from calm_eval.specs.base import Spec, load_spec
from calm_eval.specs.locate import bundled_names, find_file
from calm_eval.specs.presets import ADAPTER, adapter_options, system_preset
from calm_eval.specs.suite import Name, Option, Task
from calm_eval.systems.protocol import PARTS

ControlKind = Literal["reference", "noise", "silence", "shuffled_texts", "shuffled_prompts", "round_trip", "shuffled"]

_CONTROL_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "noise": ("snr_db",),
    "round_trip": ("codec", "depth", "checkpoint", "sha256"),
    "shuffled": ("system", "part"),
}
_NEEDED_OPTIONS: Mapping[str, tuple[str, ...]] = {"round_trip": ("codec",), "shuffled": ("system", "part")}


class ParameterSpec(Spec):
    """A sampling parameter of a command, declared here because the command cannot say it itself."""

    default: Option
    low: float | None = None
    high: float | None = None
    choices: list[Option] = Field(default_factory=list)
    help: str = ""


_ASSET = "asset:"


class SystemSpec(Spec):
    """One system file: exactly one of `python`, `command`, `folder`, `control` says how it is reached.

    `folder: asset:NAME` is the folder of an asset, fetched on first use. `spans` names modules of a PyTorch model that
    marks no spans itself, by path from the system object: `backbone: model.transformer`.
    """

    name: Name
    title: str = ""
    python: Annotated[str, Field(pattern=r"^[\w.]+:[\w.]+$")] | None = None
    command: Annotated[list[str], Field(min_length=1)] | None = None
    folder: str | None = None
    control: ControlKind | None = None
    interpreter: str | None = None
    manifest: str | None = None
    options: dict[str, Option] = Field(default_factory=dict)
    spans: dict[str, str] = Field(default_factory=dict)
    tasks: list[Task] = Field(default_factory=list)
    family: Literal["continuous", "discrete", "other"] = "other"
    sample_rate: Annotated[int, Field(ge=0, le=768_000)] = 0
    frame_rate: Annotated[float, Field(ge=0)] = 0.0
    sampling: dict[str, ParameterSpec] = Field(default_factory=dict)
    variants: list[dict[str, Option]] = Field(default_factory=list)
    item_timeout: Annotated[float, Field(gt=0)] | None = None
    start_timeout: Annotated[float, Field(gt=0)] = 300.0

    @property
    def asset(self) -> str | None:
        """The asset that `folder` names; None for a folder beside the file."""
        return self.folder.removeprefix(_ASSET) if self.folder is not None and self.folder.startswith(_ASSET) else None

    @model_validator(mode="after")
    def _one_kind(self) -> SystemSpec:
        kinds = [kind for kind in ("python", "command", "folder", "control") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(f"give exactly one of 'python', 'command', 'folder', 'control'; found {kinds or 'none'}")
        if self.interpreter and self.python is None:
            raise ValueError("'interpreter' belongs to 'python'")
        if self.manifest and self.folder is None:
            raise ValueError("'manifest' belongs to 'folder'")
        if self.spans and self.python is None:
            raise ValueError("'spans' belongs to 'python'")
        unknown = sorted(set(self.spans) - set(PARTS))
        if unknown:
            raise ValueError(f"spans: '{unknown[0]}' is no part of a step; parts: {', '.join(PARTS)}")
        if self.sampling and self.command is None:
            raise ValueError("'sampling' belongs to 'command'; a python system declares its parameters itself")
        allowed = _CONTROL_OPTIONS.get(self.control or "", ())
        strange = sorted(set(self.options) - set(allowed)) if self.python is None else []
        if strange:
            raise ValueError(f"option '{strange[0]}' is not known here; allowed: {', '.join(allowed) or 'none'}")
        declared = {"tasks", "family", "sample_rate", "frame_rate"} & self.model_fields_set
        if declared and kinds[0] in ("python", "control"):
            raise ValueError(f"'{sorted(declared)[0]}' is declared by the system itself, not in its file")
        if self.command is not None and not any("{output}" in part for part in self.command):
            raise ValueError("the command must write its audio to '{output}'")
        return self

    @model_validator(mode="after")
    def _control_is_complete(self) -> SystemSpec:
        for option in _NEEDED_OPTIONS.get(self.control or "", ()):
            if not isinstance(self.options.get(option), str):
                raise ValueError(f"control '{self.control}' needs the option '{option}', a text")
        if self.control == "shuffled" and self.options["part"] not in ("prompt", "text"):
            raise ValueError(f"option 'part' is 'prompt' or 'text', not '{self.options['part']}'")
        return self


class LoadedSystem:
    """A system spec with the file it came from."""

    def __init__(self, spec: SystemSpec, path: Path | None) -> None:
        self.spec = spec
        self.path = path

    @property
    def folder(self) -> Path:
        """The folder that relative paths in the file refer to."""
        return self.path.parent if self.path else Path()


def load_system(name_or_path: str) -> LoadedSystem:
    """Read a system by file, bundled name, preset of a reference model, or a plug-in's name. Raises InputError."""
    system = _load(name_or_path)
    if system.spec.control == "shuffled":
        shuffled_system(system)
    return system


def shuffled_system(control: LoadedSystem) -> LoadedSystem:
    """The system behind a `shuffled` control: a file beside the control's, or a name. Raises InputError.

    It must be one that is told prompts and texts: neither recorded audio nor a control.
    """
    name = str(control.spec.options["system"])
    try:
        system = _load(beside(control.path, name) if control.path else name)
    except InputError as error:
        raise InputError(f"{control.path or control.spec.name}: options.system: {error}") from error
    if system.spec.python is None and system.spec.command is None:
        raise InputError(
            f"{control.path or control.spec.name}: options.system: '{name}' is told no prompt and no text: name a "
            "'python' or 'command' system"
        )
    return system


def _load(name_or_path: str) -> LoadedSystem:
    if not Path(name_or_path).is_file() and name_or_path not in bundled_names("system"):
        spec = _registered(name_or_path)
        if spec is not None:
            return LoadedSystem(spec, None)
    path = find_file("system", name_or_path)
    spec, file = load_spec(SystemSpec, path)
    system = LoadedSystem(spec, path)
    if spec.asset is not None:
        from calm_eval.assets.resolver import find_asset

        try:
            find_asset(spec.asset)
        except InputError as error:
            raise InputError(f"{path}:{file.line(('folder',))}: folder: {error}") from error
    for key, check in (("folder", Path.is_dir), ("manifest", Path.is_file), ("interpreter", Path.is_file)):
        value = getattr(spec, key)
        if value is not None and not (key == "folder" and spec.asset) and not check(path.parent / value):
            raise InputError(f"{path}:{file.line((key,))}: {key}: '{value}' does not exist (looked in {path.parent})")
    return system


def _registered(name: str) -> SystemSpec | None:
    """A system that has no file: a preset or a plug-in."""
    card, target = system_preset(name), SYSTEMS.targets().get(name)
    if card is not None and target is not None:
        raise InputError(
            f"system '{name}' is a preset of reference_models and is registered by {target} too; uninstall that "
            "package or rename its entry point"
        )
    if card is not None:
        return SystemSpec(name=name, title=card.title, python=ADAPTER, options=adapter_options(name))
    return SystemSpec(name=name, python=target) if target is not None else None


def beside(suite: Path, name: str) -> str:
    """A system file named in a suite is looked for beside the suite first."""
    local = suite.parent / name
    return str(local) if name.endswith((".yaml", ".yml")) and local.is_file() else name
