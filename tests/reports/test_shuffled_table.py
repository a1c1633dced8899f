"""Does a system listen: a real system that echoes its prompt, one that does not, and their shuffled rows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import soundfile
import yaml

from calm_eval import evaluate
from calm_eval.keys import digest
from calm_eval.metrics import METRICS
from calm_eval.reports.shuffled_table import p_text, sees, shuffled_pairs, shuffled_sections
from calm_eval.stats.paired import PairedDifference

SYSTEM = """
from array import array
from calm_eval.systems.protocol import Chunk, Done, Failure, SystemInfo

class System:
    info = SystemInfo(("tts",), "discrete", 16000, version=1, config={"name": NAME})
    def load(self, device, dtype, threads): pass
    def head_evaluations_per_second(self, sampling): return None
    def generate(self, requests, sampling):
        for one in requests:
            if not LISTENS and one.prompt.samples[0] > 0.8:
                yield Failure(one.item, one.seed, "loud", "too loud a start")
                continue
            heard = one.prompt.samples if LISTENS else array("f", [0.1, -0.1] * 4000)
            yield Chunk(one.item, one.seed, heard, 16000)
            yield Done(one.item, one.seed)

create = System
"""


@pytest.fixture
def report(tmp_path, tone_suite, write_system) -> str:
    """Eight items whose prompt is their reference, noise under a slope of its own; the distance to it is judged.

    The deaf system fails where a prompt starts loud: on item 3, and shuffled on the item that is told its prompt.
    """
    suite = tone_suite(8, metrics=["log_mel_distance", "demo_level", "rtf"], title="T", systems=["reference"])
    for number in range(8):
        folder = suite.parent / "audio"
        samples = np.random.default_rng(number).normal(0, 0.1, 8000) * np.linspace(0.1, 1, 8000) ** (number - 3)
        samples[0] = 0.9 if number == 3 else 0.0
        for kind in ("reference", "prompt"):
            soundfile.write(folder / f"{kind}-{number}.wav", np.clip(samples, -1, 1), 16000)
    files = []
    for name, listens in (("hears", True), ("deaf", False)):
        file = write_system(name, SYSTEM.replace("NAME", repr(name)).replace("LISTENS", str(listens)))
        told = {"name": f"{name}-shuffled", "control": "shuffled", "options": {"system": file.name, "part": "prompt"}}
        control = file.parent / f"{name}-shuffled.yaml"
        control.write_text(yaml.safe_dump(told))
        files += [str(file), str(control)]
    evaluate(str(suite), files, out=tmp_path / "run")
    return (tmp_path / "run" / "report.md").read_text()


def test_a_system_that_echoes_is_worse_with_anothers_prompt_and_a_deaf_one_is_not(report: str) -> None:
    section = report.split("### Does it listen to its prompt?")[1].split("###")[0]
    lines = [line.split(" | ") for line in section.splitlines() if line.startswith(("| hears", "| deaf"))]
    assert [line[0] for line in lines] == ["| hears", "| deaf"]
    hears, deaf = lines
    # The echo is its own reference; of 2^8 assignments only the found one and its mirror are as far, times two lines.
    assert hears[1] == "Log-mel distance (dB) ↓"
    assert hears[2].startswith("0")
    assert hears[5:] == ["8", "0.016", "**worse** |"]
    # Two items lack a sample in one of the rows and are left out of both.
    assert deaf[4:] == ["0 [0, 0]", "6", "1", "not distinguishable |"]
    assert "- hears with another's prompt: worse on Log-mel distance." in section
    assert "- deaf with another's prompt: not distinguishable." in section
    # The level of a sample says nothing of its prompt.
    assert "demo" not in section.lower()


def test_which_metrics_see_what() -> None:
    def seen(name: str, **options: object) -> tuple[bool, bool]:
        registered = METRICS.load(name)
        spec = registered.spec if hasattr(registered, "spec") else registered(**options).spec
        return sees(spec, "prompt"), sees(spec, "text")

    assert seen("wer") == (False, True)
    assert seen("speaker_similarity") == (True, False)
    assert seen("log_mel_copy") == (True, False)
    assert seen("kl") == seen("chroma_cosine") == (True, True)
    assert seen("text_audio_agreement") == (False, True)
    assert seen("rtf") == seen("fad") == seen("dnsmos_ovrl") == (False, False)


@pytest.fixture
def rows(variant):
    identity = {"python": "a:b", "weights": {"w": "0" * 64}}
    own = dataclasses.replace(variant("calm"), fingerprint=digest(identity), sampling={"steps": 1})
    moved = dataclasses.replace(own, name="calm steps=2", sampling={"steps": 2})
    wrapped = {"control": "shuffled", "part": "text", "version": 1, "system": identity}
    told = dataclasses.replace(variant("other name", control=True), identity=wrapped, sampling={"steps": 1})
    return moved, own, told


def test_rows_are_linked_by_identity_and_sampling_not_by_name(rows) -> None:
    moved, own, told = rows
    assert shuffled_pairs([moved, own, told], "text") == [(own, told)]
    assert shuffled_pairs([moved, own, told], "prompt") == []
    assert shuffled_pairs([moved, told], "text") == [(None, told)]


def test_captions_set_metrics_failed_gates_and_few_items(rows, plan, cell) -> None:
    _, own, told = rows
    cells = [
        cell(own, "wer", 0.2, 0.1, 0.3), cell(told, "wer", 0.5, 0.4, 0.6),
        cell(own, "fad", 1.0), cell(told, "fad", 3.0),
        cell(own, "cer", None, scored=0, failures={"crash": 40}), cell(told, "cer", 0.5),
    ]  # fmt: skip
    blank = plan(own, told)
    suite = blank.suite.model_copy(update={"task": "text_to_music", "table": ["fad", "wer"]})
    metrics = [cells[0].metric, cells[2].metric, cells[4].metric]
    asked = []

    def compare(bound, first, second):
        asked.append((bound.spec.name, first, second))
        return None if bound.spec.kind == "set" else PairedDifference(0.3, 0.1, 0.5, 0.0625, 5)

    found = shuffled_sections(dataclasses.replace(blank, suite=suite, metrics=metrics), cells, compare)
    assert found[0] == "### Does it follow its caption?"
    assert found[2].splitlines()[2:] == [
        "| calm | WER (%) ↓ | 20 [10, 30] | 50 [40, 60] | 30 [10, 50] | 5 | 0.062 | not distinguishable |",
        "| calm | CER (%) ↓ | – (0/40) | 50 | – | – | – | cannot be tested |",
        "| calm | FAD (squared distance) ↓ | 1 | 3 | – | – | – | no test |",
    ]
    assert found[3] == "- calm with another's caption: not distinguishable."
    assert asked[0] == ("wer", "other name", "calm")
    assert "With 5 items no p can be below 0.062" in found[-1]
    alone = shuffled_sections(dataclasses.replace(blank, variants=[told], metrics=metrics), cells, compare)
    assert alone[-1] == "other name: the system by itself is no row of this suite."
    assert shuffled_sections(plan(own), cells, compare) == []


def test_a_gate_that_falls_on_the_shuffled_row_alone_takes_no_test_away(rows, plan, cell) -> None:
    _, own, told = rows
    fine, fallen = cell(own, "wer", 0.2), cell(told, "wer", 0.5)
    fallen = dataclasses.replace(fallen, estimate=dataclasses.replace(fallen.estimate, value=None, invalid="no match"))
    given = dataclasses.replace(plan(own, told), metrics=[fine.metric])
    found = PairedDifference(0.3, 0.2, 0.4, 0.001, 40)
    page = shuffled_sections(given, [fine, fallen], lambda *_: found)
    assert "| – (no match) | 30 [20, 40] | 40 | 0.001 | **worse** |" in page[2]
    own_fallen = [dataclasses.replace(fallen, variant=own), dataclasses.replace(fine, variant=told)]
    assert "cannot be tested" in shuffled_sections(given, own_fallen, lambda *_: found)[2]


def test_better_is_said_too_and_what_cannot_be_tested(rows, plan, cell) -> None:
    _, own, told = rows
    cells = [cell(own, "wer", 0.5), cell(told, "wer", 0.2)]
    given = dataclasses.replace(plan(own, told), metrics=[cells[0].metric])
    better = shuffled_sections(given, cells, lambda *_: PairedDifference(-0.3, -0.4, -0.2, 0.001, 40))
    assert better[2].splitlines()[-1].endswith("| -30 [-40, -20] | 40 | 0.001 | **better** |")
    assert better[3:] == ["- calm with another's text: better on WER."]
    neither = shuffled_sections(given, cells, lambda *_: None)
    assert neither[3:] == ["- calm with another's text: nothing could be tested."]


def test_small_p_is_never_nought() -> None:
    assert [p_text(p) for p in (1.0, 0.0625, 0.00021, 0.00005)] == ["1", "0.062", "0.00021", "< 0.0001"]
