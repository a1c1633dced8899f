"""`calm-eval train` and `calm-eval data`, as they are typed."""

import json
from pathlib import Path

import numpy as np
import pytest

from calm_eval.data.corpus import CorpusClip, write_corpus


class Words:
    identity, terms, count = "c" * 64, ("made by a test",), 10

    def clips(self):
        for index in range(10):
            wave = 0.1 * np.random.default_rng(index).standard_normal(20000 + 500 * index)
            split = "train" if index < 7 else "valid"
            tags = ("sentence", "paragraph")
            yield CorpusClip(split, f"w{index}", wave.astype(np.float32), 16000, "one two", f"v{index % 2}", tags)


@pytest.fixture
def corpus(tmp_path):
    return write_corpus("words", Words(), tmp_path / "corpus")


def test_a_codec_then_a_model_from_a_corpus_folder_alone(tmp_path, corpus, cli):
    cache = {"CALM_EVAL_CACHE": str(tmp_path / "cache")}
    common = ("--corpus", corpus, "--threads", 1, "--steps", 2)
    first = cli("train", "mini-vae-speech", *common, "--out", tmp_path / "vae", **cache)
    assert first.returncode == 0, first.stderr
    assert "2 of 2 steps" in first.stdout
    codec = tmp_path / "vae" / "mini-vae-speech.safetensors"
    words = ("train", "mini-calm-tts", *common, "--codec-checkpoint", codec)
    prepared = cli(*words, "--prepare-only", **cache)
    frames = Path(prepared.stdout.strip().partition(": ")[2])
    assert frames.is_relative_to(tmp_path / "cache")
    assert json.loads((frames / "about.json").read_text())["kind"] == "latents"
    second = cli("train", "mini-calm-tts", "--frames", frames, "--threads", 1, "--steps", 2, "--out", tmp_path / "tts")
    assert second.returncode == 0, second.stderr
    assert sorted(path.name for path in (tmp_path / "tts").iterdir()) == [
        "log.jsonl", "loss.png", "mini-calm-tts.md", "mini-calm-tts.safetensors", "state.pt",
    ]  # fmt: skip
    again = cli("train", "mini-calm-tts", "--frames", frames, "--steps", 2, "--out", tmp_path / "tts")
    assert again.returncode == 2
    assert "holds a training already: --resume" in again.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("mini-vae-speach",), "no preset 'mini-vae-speach'; did you mean 'mini-vae-speech'?"),
        (("calm-speech",), "preset 'calm-speech' has no recipe"),
        (("mini-vae-speech", "--minutes", "0"), "--minutes 0.0: must be above 0"),
        (("mini-vae-speech", "--corpus", "nowhere"), "nowhere: is no finished corpus"),
        (("mini-vae-speech", "--corpus", "a", "--frames", "b"), "give one of them"),
        (("mini-calm-tts", "--frames", "nowhere"), "nowhere: is no finished store of frames"),
    ],
)
def test_wrong_calls_say_what_is_wrong(cli, words, message):
    done = cli("train", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_corpora_are_listed_and_unknown_ones_refused(cli):
    listed = cli("data", "list")
    assert listed.returncode == 0
    assert [line.partition(":")[0] for line in listed.stdout.splitlines()] == ["mini-speech", "mini-music"]
    assert "no corpus 'mine'; there are: mini-speech, mini-music" in cli("data", "build", "mine").stderr
    assert "name a corpus: mini-speech, mini-music" in cli("data", "build").stderr
