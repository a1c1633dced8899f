from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from calm_eval.assets import fetch, weights
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.sentence_embedder import SentenceEmbedder

TEXTS = [
    "a dog barking",
    "the sound of Bark",
    "the sound of Piano",
    "A slow Chorale in G major, four-four time; naïve & 76 bpm!",
    "x",
    "word " * 400,
]
PEER = """
import json, sys, torch
from transformers import AutoModel, AutoTokenizer
folder, texts = sys.argv[1], json.loads(sys.argv[2])
tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval().float()
rows = []
with torch.inference_mode():
    for text in texts:
        tokens = tokenizer(text, truncation=True, max_length=256, padding=False, return_tensors="pt")
        pooled = model(**tokens).last_hidden_state[0].mean(0)
        rows.append(torch.nn.functional.normalize(pooled, dim=0).tolist())
print(json.dumps(rows))
"""
CONFIG = {
    "model_type": "bert",
    "architectures": ["BertModel"],
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "vocab_size": 30522,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}


@pytest.fixture(scope="module")
def embedder() -> Iterator[SentenceEmbedder]:
    made = SentenceEmbedder()
    try:
        made.load("cpu", 1)
    except UnavailableError as error:
        pytest.skip(f"no weights: {error}")
    yield made
    made.close()


def test_cosines_that_transformers_gave(embedder: SentenceEmbedder) -> None:
    dog, bark, piano = embedder.embed(TEXTS[:3])
    # By transformers 4.57.6 on the same weights, to three decimals.
    assert dog @ bark == pytest.approx(0.703, abs=6e-4)
    assert dog @ piano == pytest.approx(0.203, abs=6e-4)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_equals_transformers(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    interpreter = os.environ.get("CALM_EVAL_TRANSFORMERS_PYTHON")
    if not interpreter:
        pytest.skip("CALM_EVAL_TRANSFORMERS_PYTHON is not set: a Python with transformers and torch")
    folder = Path(shutil.copytree(fetch("minilm-l6-v2"), tmp_path / "model"))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    command = [interpreter, "-c", PEER, str(folder), json.dumps(TEXTS)]
    env = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    np.testing.assert_allclose(embedder.embed(TEXTS), json.loads(done.stdout.splitlines()[-1]), atol=1e-5)


def test_unit_vectors_alone_or_among_others_bit_for_bit(embedder: SentenceEmbedder) -> None:
    found = embedder.embed(TEXTS)
    assert (found.shape, found.dtype) == ((6, 384), np.float32)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-6)
    for text, row in zip(TEXTS, found, strict=True):
        np.testing.assert_array_equal(embedder.embed([text])[0], row)
    np.testing.assert_array_equal(embedder.embed(TEXTS[::-1]), found[::-1])
    assert embedder.embed([]).shape == (0, 384)


def test_case_does_not_count_and_a_text_is_cut_at_256_tokens(embedder: SentenceEmbedder) -> None:
    low, high = embedder.embed(["a dog barking", "A DOG Barking"])
    np.testing.assert_array_equal(low, high)
    # 254 words and the two marks.
    full, longer, shorter = embedder.embed(["word " * 254, "word " * 254 + "piano", "word " * 253])
    np.testing.assert_array_equal(full, longer)
    assert not np.array_equal(full, shorter)


def test_empty_texts_and_missing_files_are_errors(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="text 1 is empty"):
        embedder.embed(["a", "  "])
    with pytest.raises(UnavailableError, match="not loaded"):
        SentenceEmbedder().embed(["a"])
    mine = SentenceEmbedder(path=str(tmp_path))
    with pytest.raises(UnavailableError, match=tmp_path.name):
        _ = mine.info
    with pytest.raises(UnavailableError, match=r"tokenizer\.json"):
        mine.load("cpu", 1)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(UnavailableError, match=r"tokenizer\.json"):
        mine.load("cpu", 1)
    shutil.copy(fetch("minilm-l6-v2") / "tokenizer.json", tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(UnavailableError, match=r"model\.safetensors"):
        mine.load("cpu", 1)


def test_a_file_with_other_tensors_names_the_first(embedder: SentenceEmbedder, tmp_path: Path) -> None:
    import safetensors.torch
    import torch

    shutil.copy(fetch("minilm-l6-v2") / "tokenizer.json", tmp_path)
    safetensors.torch.save_file({"surplus": torch.zeros(1)}, str(tmp_path / "model.safetensors"))
    with pytest.raises(UnavailableError, match="word_embeddings"):
        SentenceEmbedder(path=str(tmp_path)).load("cpu", 1)


def test_identity() -> None:
    info = SentenceEmbedder().info
    assert info.weights == weights("minilm-l6-v2")
    assert info.parameters["max_tokens"] == 256
