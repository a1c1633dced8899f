"""A Whisper of transformers that nobody trained: one small layer on each side, and a token for each letter."""

from __future__ import annotations

import string
from typing import Any

MELS, WIDTH, HEADS = 80, 16, 2
PLACES = 64
"""Tokens of a transcript at most, marks among them."""
LONGEST = 24
LANGUAGES = ("en", "de", "fr")
TIMES = 1501
"""Timestamps from 0 to 30 s, one each 0.02 s."""


def random_whisper(seed: int, attention: str, torch: Any, transformers: Any) -> tuple[Any, Any, Any]:
    """Model, feature extractor and tokenizer, each as transformers makes them; no file and no network.

    The random numbers are the seed's alone; the global generator is left as it was.
    """
    tokenizer = _tokenizer(transformers)
    mark = tokenizer.convert_tokens_to_ids
    config = transformers.WhisperConfig(
        vocab_size=len(tokenizer),
        num_mel_bins=MELS,
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=2 * WIDTH,
        decoder_ffn_dim=2 * WIDTH,
        max_target_positions=PLACES,
        decoder_start_token_id=mark("<|startoftranscript|>"),
        bos_token_id=mark("<|endoftext|>"),
        eos_token_id=mark("<|endoftext|>"),
        pad_token_id=mark("<|endoftext|>"),
        # As drawn by default, every audio would be the same text.
        init_std=0.6,
        attn_implementation=attention,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = transformers.WhisperForConditionalGeneration(config).eval()
    with torch.no_grad():
        # Or timestamps, being most of the tokens, would be most of a text.
        model.model.decoder.embed_tokens.weight[mark("<|endoftext|>") :] *= 0.1
    silenced = [mark(one) for one in _marks()]
    for name, value in {
        "is_multilingual": True,
        "lang_to_id": {f"<|{one}|>": mark(f"<|{one}|>") for one in LANGUAGES},
        "task_to_id": {"transcribe": mark("<|transcribe|>"), "translate": mark("<|translate|>")},
        "no_timestamps_token_id": mark("<|notimestamps|>"),
        "prev_sot_token_id": mark("<|startofprev|>"),
        "max_initial_timestamp_index": 50,
        "alignment_heads": [[0, 0], [0, 1]],
        "max_length": LONGEST,
        "begin_suppress_tokens": [mark("<|endoftext|>")],
        "suppress_tokens": silenced,
        "return_timestamps": False,
        # Else, once saved, all this would be lost on reading.
        "_from_model_config": False,
    }.items():
        setattr(model.generation_config, name, value)
    return model, transformers.WhisperFeatureExtractor(feature_size=MELS), tokenizer


def _tokenizer(transformers: Any) -> Any:
    """A space and 26 letters; then the marks of Whisper in their order, the timestamps last."""
    # A space to byte-level BPE.
    letters = ["\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}", *string.ascii_lowercase]
    tokenizer = transformers.WhisperTokenizer(
        vocab={letter: place for place, letter in enumerate([*letters, "<|endoftext|>"])}, merges=[]
    )
    tokenizer.add_special_tokens({"extra_special_tokens": _marks()})
    tokenizer.add_tokens([f"<|{0.02 * place:.2f}|>" for place in range(TIMES)])
    return tokenizer


def _marks() -> list[str]:
    languages = [f"<|{one}|>" for one in LANGUAGES]
    rest = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    return ["<|startoftranscript|>", *languages, *(f"<|{one}|>" for one in rest)]
