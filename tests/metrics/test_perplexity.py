"""The three perplexities by hand, and a small causal language model against its own logits."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import mean, median

import numpy as np
import pytest

from calm_eval.errors import InputError, UnavailableError
from calm_eval.metrics.perplexity import CausalScorer, TextScore, perplexity

WORDS = ["<unk>", "<s>", "</s>", "the", "cat", "sat", "on", "a", "mat", "The"]


def test_three_forms_by_hand() -> None:
    scores = [TextScore(2 * math.log(4), 2), TextScore(3 * math.log(10), 3), TextScore(5 * math.log(1000), 5)]
    found = perplexity(scores)
    assert (found.mean, found.median) == (pytest.approx(mean([4, 10, 1000])), pytest.approx(median([4, 10, 1000])))
    assert found.corpus == pytest.approx((4**2 * 10**3 * 1000**5) ** (1 / 10))
    assert (found.texts, found.tokens) == (3, 10)


def test_uniform_guessing_is_the_size_of_the_vocabulary() -> None:
    found = perplexity([TextScore(tokens * math.log(50), tokens) for tokens in (1, 7, 30)])
    assert (found.mean, found.median, found.corpus) == pytest.approx((50, 50, 50))


def test_one_bad_text_rules_the_mean_alone() -> None:
    good = [TextScore(10 * math.log(20), 10)] * 99
    spoilt = perplexity([*good, TextScore(2 * 15.0, 2)])
    assert spoilt.mean > 1000 * 20
    assert spoilt.median == pytest.approx(20)
    assert spoilt.corpus == pytest.approx(20 * math.exp((30 - 2 * math.log(20)) / 992))
    assert perplexity([*good, TextScore(30.0, 2)][::-1]).corpus == pytest.approx(spoilt.corpus, rel=1e-12)
    twice = perplexity([*good, *good])
    assert (twice.mean, twice.corpus) == pytest.approx((20, 20))


@pytest.mark.parametrize(
    ("scores", "told"),
    [
        ([], "no text"),
        ([TextScore(0.0, 0)], "at least one token"),
        ([TextScore(math.nan, 3)], "finite"),
        ([TextScore(1000.0, 1)], "no value as a float"),
    ],
)
def test_what_has_no_perplexity(scores: list[TextScore], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        perplexity(scores)


@pytest.fixture(scope="module")
def language_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random GPT-2 of ten words, as transformers saves one."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    tokenizers = pytest.importorskip("tokenizers")
    folder = tmp_path_factory.mktemp("lm") / "model"
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    # Left to itself this tokenizer adds a BOS: the scorer's own must be the only one.
    words.post_processor = tokenizers.processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=words, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    ).save_pretrained(folder)
    torch.manual_seed(1)
    config = transformers.GPT2Config(
        vocab_size=len(WORDS), n_positions=12, n_embd=16, n_layer=2, n_head=2, bos_token_id=1, eos_token_id=2,
        initializer_range=0.8,
    )  # fmt: skip
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


def by_hand(folder: Path, tokens: list[int]) -> float:
    """NLL of tokens 1 to the end: softmax of the raw logits in numpy."""
    import torch
    import transformers

    model = transformers.GPT2LMHeadModel.from_pretrained(folder).eval()
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].numpy().astype(np.float64)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return -float(sum(np.log(shares[place, token]) for place, token in enumerate(tokens[1:])))


@pytest.fixture(scope="module")
def scorer(language_model: Path) -> CausalScorer:
    loaded = CausalScorer(language_model)
    loaded.load()
    return loaded


def test_likelihood_after_bos(scorer: CausalScorer, language_model: Path) -> None:
    for text in ("the cat sat on a mat", "cat cat cat", "The dog"):
        tokens = [WORDS.index(word) if word in WORDS else 0 for word in ["<s>", *text.split()]]
        found = scorer.score(text)
        assert found.nll == pytest.approx(by_hand(language_model, tokens), rel=1e-5)
        assert found.tokens == len(text.split())
        assert 1 < found.perplexity < 1000
        assert scorer.score(f"  {text} ") == found
    assert scorer.score("cat").nll != scorer.score("mat").nll


def test_options_are_part_of_the_text_and_of_the_identity(scorer: CausalScorer, language_model: Path) -> None:
    ending = CausalScorer(language_model, end=True, lower=True)
    ending.load()
    assert ending.score("The cat").nll == pytest.approx(by_hand(language_model, [1, 3, 4, 2]), rel=1e-5)
    assert ending.score("The cat").tokens == 3
    assert ending.score("") == TextScore(pytest.approx(by_hand(language_model, [1, 2]), rel=1e-5), 1)
    assert scorer.score("") == TextScore(0.0, 0)
    names = [CausalScorer(language_model, end=end, lower=lower) for end in (False, True) for lower in (False, True)]
    assert len({one.identity for one in names}) == 4
    assert names[0].identity == scorer.identity


def test_context_has_an_end(scorer: CausalScorer) -> None:
    assert scorer.score(" ".join(["cat"] * 11)).tokens == 11
    with pytest.raises(InputError, match="13 tokens is beyond the model's context of 12"):
        scorer.score(" ".join(["cat"] * 12))


def test_identity_follows_weights_config_and_tokenizer(language_model: Path, tmp_path: Path) -> None:
    import shutil

    found = {CausalScorer(language_model).identity}
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= set(CausalScorer(language_model).weights)
    for number, (name, change) in enumerate(
        [("model.safetensors", b"\0"), ("config.json", b" "), ("tokenizer.json", b" ")]
    ):
        folder = tmp_path / str(number)
        shutil.copytree(language_model, folder)
        assert CausalScorer(folder).identity in found
        with (folder / name).open("ab") as stream:
            stream.write(change)
        found.add(CausalScorer(folder).identity)
    assert len(found) == 4


def test_pickled_weights_beside_safetensors_do_not_count(language_model: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "both"
    shutil.copytree(language_model, folder)
    (folder / "pytorch_model.bin").write_bytes(b"not read")
    (folder / "generation_config.json").write_text(json.dumps({"temperature": 0.3}))
    both = CausalScorer(folder)
    assert both.identity == CausalScorer(language_model).identity
    both.load()
    assert both.score("the cat").tokens == 2
    both.close()
    with pytest.raises(UnavailableError, match="not loaded"):
        both.score("the cat")


def test_first_token_is_only_given_without_bos(language_model: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "plain"
    shutil.copytree(language_model, folder)
    told = json.loads((folder / "tokenizer_config.json").read_text())
    for key in ("bos_token", "eos_token"):
        told.pop(key, None)
    (folder / "tokenizer_config.json").write_text(json.dumps(told))
    plain = CausalScorer(folder)
    plain.load()
    assert plain.score("the cat sat").nll == pytest.approx(by_hand(language_model, [3, 4, 5]), rel=1e-5)
    assert plain.score("the cat sat").tokens == 2
    assert plain.score("the") == TextScore(0.0, 0)
    ending = CausalScorer(folder, end=True)
    ending.load()
    with pytest.raises(InputError, match="no EOS"):
        ending.score("the cat")


def test_folders_that_hold_no_model(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no config\.json"):
        CausalScorer(tmp_path / "nowhere")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="no weights"):
        CausalScorer(tmp_path).load()


def test_broken_model_is_unavailable(language_model: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(language_model, folder)
    (folder / "model.safetensors").write_bytes(b"short")
    with pytest.raises(UnavailableError, match="cannot be loaded"):
        CausalScorer(folder).load()
    safetensors = pytest.importorskip("safetensors.torch")
    whole = safetensors.load_file(language_model / "model.safetensors")
    whole.pop("transformer.h.1.mlp.c_fc.weight")
    safetensors.save_file(whole, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UnavailableError, match=r"no weights for transformer\.h\.1\.mlp\.c_fc\.weight"):
        CausalScorer(folder).load()
