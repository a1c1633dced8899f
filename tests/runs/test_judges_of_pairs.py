"""Judges that hear a sample beside its reference or prompt, and judges that read texts."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile
import yaml
from tones import tone

from calm_eval import evaluate


@pytest.fixture
def folders(tmp_path):
    """A manifest of prompts and references of 2 s, and a folder of samples: exact, with noise, cut, longer."""
    rng = np.random.default_rng(0)
    (tmp_path / "made").mkdir()
    rows = []
    for number, name in enumerate(("exact", "noisy", "rounded", "longer")):
        reference = 0.3 * tone(2.0, 300 + 40 * number) + 0.05 * rng.standard_normal(32000)
        made = reference.copy()
        if name == "noisy":
            noise = rng.standard_normal(reference.size)
            noise -= reference * (noise @ reference) / (reference @ reference)
            made = reference + noise * np.sqrt(0.01 * (reference @ reference) / (noise @ noise))
        if name == "rounded":
            made = np.append(reference, np.zeros(640))
        if name == "longer":
            made = np.append(reference, np.zeros(16000))
        soundfile.write(tmp_path / f"{name}.wav", reference, 16000, subtype="FLOAT")
        soundfile.write(tmp_path / "made" / f"{name}.wav", made, 16000, subtype="FLOAT")
        rows.append({"id": name, "text": name, "reference": f"{name}.wav", "prompt": f"{name}.wav"})
    (tmp_path / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "made.yaml").write_text(yaml.safe_dump({"name": "made", "folder": "made"}))
    return tmp_path


def run(folder, *metrics):
    suite = {
        "name": "pairs", "version": 1, "task": "tts", "title": "Pairs", "items": {"manifest": "items.jsonl"},
        "metrics": list(metrics), "systems": ["made.yaml"],
    }  # fmt: skip
    (folder / "pairs.yaml").write_text(yaml.safe_dump(suite))
    return evaluate(str(folder / "pairs.yaml"), out=folder / "run")


def test_a_sample_is_heard_beside_its_own_reference(folders):
    found = run(folders, "si_sdr", "log_mel_distance")
    values = found.values().set_index(["metric", "item"])["value"]
    # Noise at a right angle with a hundredth of the energy: 20 dB. Audio of a run is kept as 24-bit FLAC.
    assert values["si_sdr", "noisy"] == pytest.approx(20.0, abs=0.01)
    assert values["si_sdr", "exact"] > 90
    assert values["si_sdr", "rounded"] > 90
    assert values["log_mel_distance", "exact"] == pytest.approx(0.0, abs=1e-2)
    row = found.summary().set_index("metric").loc["si_sdr"]
    assert (row["n_scored"], json.loads(row["failures"])) == (3, {"judge:unequal-lengths": 1})


def test_it_is_heard_once_for_all_metrics_of_its_judge_and_never_again(folders):
    found = run(folders, "si_sdr", "si_snr", "chroma_cosine")
    assert found.invocations()["judged"].tolist() == [4]
    assert run(folders, "si_sdr", "si_snr", "chroma_cosine").invocations()["judged"].tolist() == [4, 0]


def test_a_changed_reference_is_heard_anew(folders):
    run(folders, "si_sdr")
    audio, rate = soundfile.read(folders / "noisy.wav")
    soundfile.write(folders / "noisy.wav", audio * 0.5 + 0.01, rate, subtype="FLOAT")
    found = run(folders, "si_sdr")
    assert found.invocations()["judged"].tolist() == [4, 1]
    assert found.values().set_index("item")["value"]["noisy"] < 20.0


def test_a_copy_of_the_prompt_is_found(folders):
    found = run(folders, "waveform_copy", "log_mel_copy").summary().set_index("metric")
    assert found.loc["waveform_copy", "value"] > 0.95
    assert found.loc["log_mel_copy", "value"] > 0.8


def test_an_item_without_a_prompt_has_no_copy(folders):
    rows = [json.loads(line) for line in (folders / "items.jsonl").read_text().splitlines()]
    del rows[0]["prompt"]
    (folders / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    row = run(folders, "waveform_copy").summary().iloc[0]
    assert (row["n_scored"], json.loads(row["failures"])) == (3, {"no-prompt": 1})
