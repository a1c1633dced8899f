"""The judge `signal`: level, silence, clipping, offset, bandwidth and loops of one sound. It has no weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from calm_eval.audio import level, repetition
from calm_eval.audio.mono import SignalError
from calm_eval.errors import InputError
from calm_eval.judges.protocol import JudgeInfo, Judgement, Mono, Requires
from calm_eval.selftest.check import Golden

SAMPLE_RATE = 48000


class SignalJudge:
    """Scores of the signal alone, with the functions of calm_eval/audio/level.py and repetition.py.

    They are `peak_dbfs`, `rms_dbfs`, `silence_share`, `clipping_share`, `dc`, `bandwidth_hz`, `loop_strength` and
    `loop_seconds`.

    `sample_rate` is 48 kHz, so that no usual system is cut at half of 16 kHz before its bandwidth is measured: sound of
    a lower rate keeps its bandwidth when it is brought up, but for the top twentieth of a flat spectrum. Sound of a
    higher rate is measured up to 24 kHz. Resampling rounds clipped tops off; what that costs stands in
    `level.clipping_share`.

    Refuses `empty` and `nan`. A quantity that is not defined for a sound is left out of the scores, and
    `notes["undefined"]` says why: `silent` (digital silence has no level and no bandwidth), `too-short` (a loop is
    looked for in 2 s or more), `steady` (a sound without any change has no loop length).

    Raises InputError for a sample rate that is not a whole number from 8000 Hz up.
    """

    requires = Requires()

    def __init__(self, sample_rate: int = SAMPLE_RATE) -> None:
        if isinstance(sample_rate, bool) or not isinstance(sample_rate, int) or sample_rate < 8000:
            raise InputError(f"signal: sample_rate is {sample_rate!r}, expected a whole number of at least 8000 Hz")
        self._sample_rate = sample_rate

    @property
    def info(self) -> JudgeInfo:
        """Identity and every threshold."""
        return JudgeInfo(
            name="signal" if self._sample_rate == SAMPLE_RATE else f"signal/{self._sample_rate}",
            output="scores",
            sample_rate=self._sample_rate,
            version=1,
            weights={},
            parameters={
                "silence_dbfs": level.SILENCE_DBFS,
                "silence_frame_seconds": level.SILENCE_FRAME_SECONDS,
                "clipping_level": level.CLIPPING_LEVEL,
                "bandwidth_energy_share": level.ENERGY_SHARE,
                "loop": {
                    "window_seconds": repetition.WINDOW_SECONDS,
                    "hop_seconds": repetition.HOP_SECONDS,
                    "bands": repetition.BANDS,
                    "range_db": repetition.RANGE_DB,
                    "shortest_seconds": repetition.SHORTEST_LOOP_SECONDS,
                    "shortest_clip_seconds": repetition.SHORTEST_CLIP_SECONDS,
                    "longest": "half the clip",
                    "tie": repetition.LOOP_TIE,
                },
                "refuses": ["empty", "nan"],
            },
            licence="Apache-2.0",
            verified="weights",
            proven="calm-eval, 2026-11: closed forms",
        )

    def load(self, device: str, threads: int) -> None:
        """Nothing to load."""

    def judge(self, batch: Sequence[Mono]) -> list[Judgement]:
        """One judgement for each audio, in order."""
        return [self._judge_one(audio) for audio in batch]

    def close(self) -> None:
        """Nothing to free."""

    def _judge_one(self, audio: Mono) -> Judgement:
        if audio.size == 0:
            return Judgement(refused="empty")
        if not np.isfinite(audio).all():
            return Judgement(refused="nan")
        rate = self._sample_rate
        quantities: dict[str, Callable[[], float]] = {
            "peak_dbfs": lambda: level.peak_dbfs(audio),
            "rms_dbfs": lambda: level.rms_dbfs(audio),
            "silence_share": lambda: level.silence_share(audio, rate),
            "clipping_share": lambda: level.clipping_share(audio),
            "dc": lambda: level.dc(audio),
            "bandwidth_hz": lambda: level.bandwidth_hz(audio, rate),
        }
        scores: dict[str, float] = {}
        undefined: dict[str, str] = {}
        for name, quantity in quantities.items():
            try:
                scores[name] = quantity()
            except SignalError as error:
                undefined[name] = error.name
        try:
            found = repetition.loop(audio, rate)
        except SignalError as error:
            undefined |= {"loop_strength": error.name, "loop_seconds": error.name}
        else:
            scores["loop_strength"] = found.strength
            if found.seconds is None:
                undefined["loop_seconds"] = "steady"
            else:
                scores["loop_seconds"] = found.seconds
        return Judgement(scores=scores, notes={"undefined": undefined})


GOLDENS = (
    Golden("signal", "RMS of half a full sine: -9.03 dBFS", lambda j: j.scores["rms_dbfs"], -9.0309, 1e-3, "tone"),
    Golden("signal", "a tone of 440 Hz ends there", lambda j: j.scores["bandwidth_hz"], 440.0, 1.0, "tone"),
    Golden("signal", "silence is silent", lambda j: j.scores["silence_share"], 1.0, 0.0, "silence"),
)
