"""Speed and memory of the papers' judges; the peer is the package frechet-audio-distance 0.3.4.

Its interpreter is that of `calm-eval environments make frechet-audio-distance`, or `CALM_EVAL_FAD_PYTHON`.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bar import Bar
from measured_process import Measured, run_measured
from scoring import write_clips

from calm_eval.errors import UnavailableError
from calm_eval.judges.environments import find_environment, interpreter

CLIPS, ROUNDS, TIMES = 32, 3, 1.5
FEW, MANY, MEGABYTES = 40, 400, 200
CNN14 = "Cnn14_16k_mAP%3D0.438.pth"

DRAW = """
import sys, torch
from frechet_audio_distance.models.pann import Cnn14_16k
torch.manual_seed(0)
made = Cnn14_16k(sample_rate=16000, window_size=512, hop_size=160, mel_bins=64, fmin=50, fmax=8000, classes_num=527)
torch.save({"model": made.state_dict()}, sys.argv[1])
"""

PEER = """
import sys, time, torch
torch.set_num_threads(2)
from frechet_audio_distance import FrechetAudioDistance
made = FrechetAudioDistance(ckpt_dir=sys.argv[2], model_name="pann", sample_rate=16000, audio_load_worker=2)
load = made._FrechetAudioDistance__load_audio_files
made.get_embeddings(load(sys.argv[3]), 16000)  # its resampler is compiled at the first call
began = time.perf_counter()
clips = load(sys.argv[1])
made.get_embeddings(clips, 16000)
print("peer:", len(clips) / (time.perf_counter() - began), "clips/s")
"""


def peer_python() -> Path:
    """Raises UnavailableError with what to do."""
    return interpreter(find_environment("frechet-audio-distance"), os.environ.get("CALM_EVAL_FAD_PYTHON"))


def ours(work: Path, clips: Path, name: str, *metrics: str) -> Measured:
    """One scoring in a process of its own."""
    child = Path(__file__).with_name("papers_judges_child.py")
    found = run_measured([sys.executable, str(child), str(clips), str(work / f"run-{name}"), *metrics], cwd=work)
    if found.code:
        raise RuntimeError(found.output)
    return found


def theirs(python: Path, code: str, *arguments: str) -> str:
    """What a piece of code says in the peer's interpreter, which may not reach a hub."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [str(python), "-c", code, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    return done.stdout


def said(output: str, name: str) -> float:
    """Clips per second."""
    found = re.search(rf"{name}: ([\d.]+) clips/s", output)
    if found is None:
        raise RuntimeError(output)
    return float(found[1])


def speed(work: Path, python: Path) -> Bar:
    """Both from file to answer, in turns, each in a process of its own."""
    checkpoints = work / "checkpoints"
    checkpoints.mkdir()
    checkpoint = checkpoints / CNN14
    theirs(python, DRAW, str(checkpoint))
    os.environ["CALM_EVAL_BENCH_CNN14"] = str(checkpoint)
    write_clips(work / "clips", CLIPS, rate=44100, kind="wav")
    write_clips(work / "warm", 1, rate=44100, kind="wav")
    mine: list[float] = []
    others: list[float] = []

    def we(number: int) -> None:
        found = ours(work, work / "clips", f"speed-{number}", "inception_score:bench-cnn14")
        mine.append(said(found.output, "cnn14"))

    def they(_: int) -> None:
        folders = (str(work / "clips"), str(checkpoints), str(work / "warm"))
        others.append(said(theirs(python, PEER, *folders), "peer"))

    for number in range(ROUNDS):
        for turn in (we, they) if number % 2 else (they, we):
            turn(number)
    ratio = statistics.median(mine) / statistics.median(others)
    told = f"{statistics.median(mine):.2f} against {statistics.median(others):.2f} clips/s: {ratio:.2f} times"
    rounds = ", ".join(f"{one / other:.2f}" for one, other in zip(mine, others, strict=True))
    return Bar(
        f"{CLIPS} clips of 10 s at 44.1 kHz, Cnn14 at 16 kHz, float32, two loaders and two threads",
        f">= {TIMES} times frechet-audio-distance 0.3.4",
        f"{told} (rounds {rounds})",
        ratio >= TIMES,
    )


def memory(work: Path) -> Bar:
    """Two judges and many clips cost what the larger judge and few clips cost."""
    write_clips(work / "few", FEW, seconds=5.0)
    write_clips(work / "many", MANY, seconds=5.0)
    first, second = "fad:bench-vggish", "inception_score:bench-cnn14"
    alone = [ours(work, work / "few", f"alone-{place}", one) for place, one in enumerate((first, second))]
    both = ours(work, work / "many", "both", first, second)
    most = max(one.peak_own for one in alone)
    told = ", ".join(f"{one.peak_own / 1e6:.0f}" for one in alone)
    return Bar(
        f"memory of {MANY} clips by VGGish and Cnn14, one after the other",
        f"<= the larger of them alone on {FEW} clips + {MEGABYTES} MB",
        f"{both.peak_own / 1e6:.0f} MB; alone {told} MB",
        both.peak_own <= most + MEGABYTES * 1e6,
    )


def bars(work: Path | None) -> list[Bar]:
    """Every bar; the speed bar fails where the peer is not there."""
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        folder = Path(scratch)
        try:
            first = speed(folder, peer_python())
        except UnavailableError as error:
            first = Bar("speed against frechet-audio-distance 0.3.4", f">= {TIMES} times", str(error), False)
        return [first, memory(folder)]


if __name__ == "__main__":
    for bar in bars(None):
        print(bar)
