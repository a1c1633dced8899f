"""Systems with known times and planted faults, run in real child processes."""

from __future__ import annotations

import time
from array import array

from calm_eval.systems.protocol import Chunk, Done, Failure, Parameter, Span, SystemInfo

FRAME = 320
RATE = 16000


class Toy:
    """Makes a frame of 20 ms a step: `backbone` and `head` milliseconds of sleep, each marked as a span.

    `fault` plants what its name says.
    """

    def __init__(self, backbone=1.0, head=1.0, fault="", execution="eager", unscored="untrained"):
        self.backbone, self.head, self.fault = backbone, head, fault
        self.info = SystemInfo(
            tasks=("tts", "music_continuation"),
            family="continuous",
            sample_rate=RATE,
            frame_rate=RATE / FRAME,
            streaming=True,
            sampling={"steps": Parameter(1, 1, 1000)},
            version=1,
            unscored=unscored,
            execution=execution,
        )
        if fault == "import":
            raise ValueError("no such weights")

    def load(self, device, dtype, threads):
        pass

    def head_evaluations_per_second(self, sampling):
        return sampling["steps"] * RATE / FRAME

    def weight_bytes_per_frame(self, sampling):
        return {"backbone": 1e6, "head": 5e5 * sampling["steps"]}

    def generate(self, requests, sampling):
        frames = round((requests[0].duration or 1.0) * RATE / FRAME)
        if self.fault == "failure":
            yield Failure(requests[0].item, requests[0].seed, "refused", "not today")
            return
        if self.fault == "memory" and len(requests) > 1:
            raise MemoryError("a batch of two")
        if self.fault == "crash":
            import os

            os._exit(3)
        if self.fault == "whole":
            for one in requests:
                yield Chunk(one.item, one.seed, array("f", [0.1] * FRAME * frames), RATE)
                yield Done(one.item, one.seed, "length")
            return
        for step in range(frames):
            began = time.perf_counter_ns()
            spans = [self._sleep("backbone", step, self.backbone)]
            slow = 40.0 if self.fault == "sleepy" and step % 10 == 9 else 0.0
            spans.append(self._sleep("head", step, self.head * sampling["steps"] + slow))
            if self.fault == "empty-cache" and step >= 10:
                spans = []
            for one in requests:
                yield Chunk(one.item, one.seed, array("f", [0.1] * FRAME), RATE)
            marks = [("step", step, time.perf_counter_ns() - began, began)] if spans else []
            for name, number, spent, start in [*spans, *marks] if requests[0].trace else ():
                for one in requests:
                    yield Span(one.item, one.seed, name, number, spent // len(requests), start)
        for one in requests:
            yield Done(one.item, one.seed, "length")

    def _sleep(self, name, step, milliseconds):
        began = time.perf_counter_ns()
        time.sleep(milliseconds / 1000)
        return name, step, time.perf_counter_ns() - began, began


class Hooked:
    """A PyTorch model that marks nothing: its modules are named in the system file."""

    def __init__(self):
        self.info = SystemInfo(
            tasks=("music_continuation",), family="other", sample_rate=RATE, frame_rate=RATE / FRAME, streaming=True,
            version=1, unscored="untrained",
        )  # fmt: skip
        self.model = None

    def load(self, device, dtype, threads):
        import torch

        class Slow(torch.nn.Module):
            def __init__(self, milliseconds):
                super().__init__()
                self.milliseconds = milliseconds
                self.weight = torch.nn.Parameter(torch.ones(1))

            def forward(self, x):
                time.sleep(self.milliseconds / 1000)
                return x * self.weight

        self.model = torch.nn.ModuleDict({"backbone": Slow(24.0), "heads": torch.nn.ModuleList([Slow(8.0)])})

    def generate(self, requests, sampling):
        import torch

        (one,) = requests
        for _ in range(round((one.duration or 1.0) * RATE / FRAME)):
            with torch.inference_mode():
                x = self.model["backbone"](torch.ones(FRAME))
                for _ in range(3):
                    x = self.model["heads"][0](x)
            yield Chunk(one.item, one.seed, x * 0.1, RATE)
        yield Done(one.item, one.seed, "length")
