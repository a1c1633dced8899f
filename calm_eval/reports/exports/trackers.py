"""Estimates into TensorBoard, Weights & Biases and MLflow: one run of the tracker for each row, offline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from calm_eval.errors import UnavailableError


def tensorboard(told: Mapping[str, Any], folder: Path) -> int:
    """Event files below `folder`, one run a row; returns how many rows. Raises UnavailableError without the package."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except (ImportError, OSError, RuntimeError) as error:
        raise _missing("tensorboard", error) from error
    count = 0
    for suite, row, scalars, about in _rows(told):
        writer = SummaryWriter(str(folder / _safe(f"{suite}/{row}")))
        for name, value in scalars.items():
            writer.add_scalar(name, value, 0)
        writer.add_text("about", "\n\n".join(f"{name}: {value}" for name, value in about.items()))
        writer.close()
        count += 1
    return count


def wandb(told: Mapping[str, Any], folder: Path) -> int:
    """Offline runs below `folder`, to be sent with `wandb sync`; returns how many. Raises UnavailableError."""
    try:
        import wandb as tracker
    except (ImportError, OSError, RuntimeError) as error:
        raise _missing("wandb", error) from error
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for suite, row, scalars, about in _rows(told):
        run = tracker.init(
            mode="offline",
            dir=str(folder),
            project="calm-eval",
            group=suite,
            name=row,
            config=dict(about),
            settings=tracker.Settings(silent=True, console="off"),
        )
        run.summary.update(scalars)
        run.finish()
        count += 1
    return count


def mlflow(told: Mapping[str, Any], folder: Path) -> int:
    """Runs of an SQLite store in `folder`, one experiment a suite; returns how many. Raises UnavailableError."""
    try:
        from mlflow.tracking import MlflowClient
    except (ImportError, OSError, RuntimeError) as error:
        raise _missing("mlflow", error) from error
    folder.mkdir(parents=True, exist_ok=True)
    client = MlflowClient(tracking_uri=f"sqlite:///{(folder / 'mlflow.db').resolve()}")
    count = 0
    for suite, row, scalars, about in _rows(told):
        experiment = client.get_experiment_by_name(suite)
        place = (
            experiment.experiment_id
            if experiment is not None
            else client.create_experiment(suite, artifact_location=(folder / "artifacts").resolve().as_uri())
        )
        run = client.create_run(place, run_name=row)
        for name, value in scalars.items():
            client.log_metric(run.info.run_id, name, value)
        for name, value in about.items():
            client.log_param(run.info.run_id, name, str(value)[:500])
        client.set_terminated(run.info.run_id)
        count += 1
    return count


def _rows(told: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, float], dict[str, Any]]]:
    """Suite, row, its values in display units under the metric's name (with low and high), and what it is."""
    for suite in told["suites"]:
        for row in suite["rows"]:
            scalars: dict[str, float] = {}
            for one in suite["estimates"]:
                if one["row"] != row["name"]:
                    continue
                # Two metrics of one name differ by judge.
                name = one["metric"] if one["judge"] is None else f"{one['metric']}.{_safe(one['judge'])}"
                for part, key in ((name, "value"), (f"{name}.low", "low"), (f"{name}.high", "high")):
                    if one[key] is not None:
                        scalars[part] = one[key] * one["scale"]
            about = {
                "suite_version": suite["version"],
                "items_digest": suite["items_digest"],
                "seeds": suite["seeds"],
                "system": row["system"],
                "fingerprint": row["fingerprint"],
                **{f"sampling.{name}": value for name, value in row["sampling"].items()},
            }
            if scalars:
                yield suite["name"], row["name"], scalars, about


def _safe(text: str) -> str:
    """Letters, digits and a few signs: what all three take in a name."""
    return "".join(letter if letter.isascii() and (letter.isalnum() or letter in "-_./ ") else "_" for letter in text)


def _missing(name: str, error: BaseException) -> UnavailableError:
    return UnavailableError(f"export needs {name}: install calm-eval[{name}] ({type(error).__name__}: {error})")
