"""The child process that holds a system. Standard library only; started by file name in any interpreter (3.9 up).

It speaks JSON lines over its original stdin and stdout. Both are moved away before any foreign code is imported: what
a system prints goes to stderr, and what it reads from stdin is empty. Audio travels in files of raw float32.
"""

from __future__ import annotations

import faulthandler
import hashlib
import importlib
import importlib.util
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO, Any

_PACKAGE = Path(__file__).resolve().parent.parent


def _borrow_package(folder: Path) -> None:
    """Make the package in this folder importable under the folder's name, without its neighbours in site-packages."""
    spec = importlib.util.spec_from_file_location(
        folder.name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no Python package in {folder}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[folder.name] = module
    spec.loader.exec_module(module)


def _borrow_reference_models(module_name: str) -> None:
    """Take our own models from beside `calm_eval`: they need not be installed where this process runs.

    A module of that name that is not ours is left to the import path.
    """
    folder = _PACKAGE.parent / "reference_models"
    package, _, inner = module_name.partition(".")
    if package == folder.name and folder.joinpath(*inner.split(".")).with_suffix(".py").is_file():
        _borrow_package(folder)


def _die_with_parent() -> None:
    """End this process when the harness is gone, even by SIGKILL."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


class Worker:
    """Reads one request a line, answers with events, one a line."""

    def __init__(self, exchange: Path, requests: IO[str], answers: IO[str]) -> None:
        self.exchange = exchange
        self.requests = requests
        self.answers = answers
        self.system: Any = None
        self.hooked: dict[str, str] = {}
        self.hooks: Any = None
        self.chunks = 0

    def say(self, **event: Any) -> None:
        """Send one event."""
        self.answers.write(json.dumps(event) + "\n")
        self.answers.flush()

    def run(self) -> None:
        """Serve until the pipe closes."""
        for line in self.requests:
            message = json.loads(line)
            operation = message["op"]
            if operation == "stop":
                return
            try:
                getattr(self, "on_" + operation)(message)
            except Exception as error:  # noqa: BLE001 - whatever a system raises is told, by name, to the harness
                self.say(event="error", name=_failure_name(operation), text=_tell(error))

    def on_describe(self, message: dict[str, Any]) -> None:
        """Import the factory, make the system, tell what it is."""
        # The folder of the system file comes first, so that a module beside it is found.
        sys.path[:0] = message["paths"]
        module_name, _, attribute = message["target"].partition(":")
        _borrow_reference_models(module_name)
        module = importlib.import_module(module_name)
        factory: Any = module
        for part in attribute.split("."):
            factory = getattr(factory, part)
        self.system = factory(**message["options"])
        self.hooked = message["spans"]
        info = self.system.info
        told = {
            "tasks": list(info.tasks),
            "family": info.family,
            "sample_rate": info.sample_rate,
            "frame_rate": info.frame_rate,
            "streaming": info.streaming,
            "weights": dict(info.weights),
            "config": dict(info.config),
            "version": info.version,
            "unscored": str(getattr(info, "unscored", "") or ""),
            "execution": str(getattr(info, "execution", "eager")),
            "sampling": {name: vars(parameter) for name, parameter in info.sampling.items()},
        }
        source = getattr(module, "__file__", None)
        if info.version is None and source:
            told["source_sha256"] = hashlib.sha256(Path(source).read_bytes()).hexdigest()
        self.say(event="described", info=told)

    def on_heads(self, message: dict[str, Any]) -> None:
        """Head evaluations per second of audio at each sampling."""
        measure = getattr(self.system, "head_evaluations_per_second", None)
        self.say(event="heads", values=[measure(sampling) if measure else None for sampling in message["samplings"]])

    def on_weights(self, message: dict[str, Any]) -> None:
        """Bytes of weights that one frame reads, by part."""
        measure = getattr(self.system, "weight_bytes_per_frame", None)
        self.say(event="weights", values=dict(measure(message["sampling"])) if measure else {})

    def on_load(self, message: dict[str, Any]) -> None:
        """Bring the weights into memory."""
        self.system.load(message["device"], message["dtype"], message["threads"])
        if self.hooked:
            from calm_eval.systems.hooks import Hooks

            self.hooks = Hooks(self.system, self.hooked)
        self.say(event="loaded")

    def on_generate(self, message: dict[str, Any]) -> None:
        """Make a batch; only time spent inside the system counts."""
        from calm_eval.systems.protocol import Chunk, Done, Failure, Span

        requests = self._requests(message)
        active = 0
        arrivals = []
        events = None
        while True:
            began = time.perf_counter_ns()
            if events is None:
                events = iter(self.system.generate(requests, message["sampling"]))
            event = next(events, None)
            active += time.perf_counter_ns() - began
            if event is None:
                break
            who = {"item": event.item, "seed": event.seed}
            if isinstance(event, Chunk):
                arrivals.append(time.perf_counter_ns())
                name, channels, frames = self._write(event.samples)
                rate = int(event.sample_rate)
                self.say(event="chunk", file=name, channels=channels, frames=frames, rate=rate, ns=active, **who)
            elif isinstance(event, Span):
                # What never ended has no time that a sample could keep.
                if event.nanoseconds is not None:
                    self.say(event="span", name=event.name, step=event.step, ns=event.nanoseconds, **who)
            elif isinstance(event, Done):
                self.say(event="done", why=event.why, ns=active, **who)
            elif isinstance(event, Failure):
                self.say(event="failure", name=str(event.name), text=str(event.text), ns=active, **who)
        if self.hooks is not None:
            for name, step, _, ns in self.hooks.take(arrivals):
                for one in requests if ns is not None else ():
                    share = ns // len(requests)
                    self.say(event="span", name=name, step=step, ns=share, item=one.item, seed=one.seed)
        self.say(event="batch_end", ns=active)

    def on_time(self, message: dict[str, Any]) -> None:
        """Make a batch for its times alone: nothing is written and nothing is said until it has ended."""
        from calm_eval.systems.timed import run_timed

        requests = self._requests(message)
        told = run_timed(self.system, requests, message["sampling"], self.hooks, lambda: self.say(event="ended"))
        self.say(event="timed", **told)

    def _requests(self, message: dict[str, Any]) -> list[Any]:
        from calm_eval.systems.protocol import Request

        return [Request(**dict(one, prompt=self._prompt(one["prompt"]))) for one in message["requests"]]

    def _prompt(self, told: dict[str, Any] | None) -> Any:
        from array import array

        from calm_eval.systems.protocol import Audio

        if told is None:
            return None
        samples = array("f")
        data = (self.exchange / told["file"]).read_bytes()
        samples.frombytes(data)
        return Audio(samples, told["rate"], told["channels"])

    def _write(self, samples: Any) -> tuple[str, int, int]:
        """Write one chunk as raw float32, interleaved by frame; returns file name, channels, frames."""
        if hasattr(samples, "detach"):
            samples = samples.detach().cpu().float().numpy()
        if hasattr(samples, "ndim"):
            import numpy

            shaped = numpy.atleast_2d(numpy.asarray(samples, dtype=numpy.float32))
            if shaped.ndim != 2:
                raise ValueError(f"a chunk has shape [frames] or [channels, frames], not {list(samples.shape)}")
            channels, frames = shaped.shape
            data = numpy.ascontiguousarray(shaped.T).tobytes()
        else:
            view = memoryview(samples)
            if view.format != "f" or view.ndim != 1:
                raise ValueError("a chunk without NumPy or torch must be a flat float32 buffer")
            channels, frames = 1, len(view)
            data = view.tobytes()
        self.chunks += 1
        name = f"chunk-{self.chunks}.f32"
        (self.exchange / name).write_bytes(data)
        return name, int(channels), int(frames)


def _failure_name(operation: str) -> str:
    if operation == "describe":
        return "import-error"
    return "load-error" if operation == "load" else "exception"


def _tell(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    where = f" ({Path(last[0].filename).name}:{last[0].lineno})" if last else ""
    return f"{type(error).__name__}: {error}{where}"


def main() -> None:
    """Move the pipes out of reach, then serve."""
    faulthandler.enable()
    requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    _die_with_parent()
    # This file's folder would let `import command` find a neighbour of the worker.
    here = str(Path(__file__).parent)
    sys.path[:] = [folder for folder in sys.path if folder != here]
    _borrow_package(_PACKAGE)
    Worker(Path(sys.argv[1]), requests, answers).run()
    # Threads that a system left running must not keep the process alive.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
