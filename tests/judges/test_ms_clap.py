"""Microsoft's CLAP 2023: the package's answers on shared weights, and what it does that its settings do not say."""

from __future__ import annotations

import json

import numpy as np
import pytest
from parity import apart, peer
from shared_weights import drawn, parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.byte_level_tokens import ByteLevelTokens
from calm_eval.judges.clap_front_end import LogMelSettings
from calm_eval.judges.ms_clap import ENDING, GPT2, MOST_TOKENS, MsClapJudge, ms_clap_fadtk, windows_of
from calm_eval.judges.ms_clap_network import LOG_MEL, MsClapNetwork, beyond, build

torch = pytest.importorskip("torch")
RATE = 44100
CLIPS = [("chord", 7.0), ("chirp", 7.0), ("noise", 3.1), ("chord", 0.5), ("chirp", 20.0)]
TEXTS = ["low lower lowest", "a new song, slower", "stop! it is too low!", "the lowest new song " * 30]
MERGES = [("l", "o"), ("lo", "w"), ("e", "r"), ("Ġ", "low"), ("Ġ", "s"), ("Ġs", "o"), ("n", "g"), ("Ġ", "t")]


@pytest.fixture(scope="module")
def network():
    with torch.device("meta"):
        named = build(torch).state_dict()
    state = {
        name: torch.from_numpy(drawn(name, tuple(value.shape)))
        if value.is_floating_point()
        else torch.zeros(value.shape, dtype=value.dtype)
        for name, value in named.items()
    }
    unused = {name: torch.zeros(1) for name in beyond() if not name.endswith("melW")}
    return MsClapNetwork(state | unused, torch, "cpu")


@pytest.fixture(scope="module")
def theirs():
    return peer("msclap")


def test_the_audio_side_answers_as_the_package(network, theirs) -> None:
    for number, (kind, seconds) in enumerate(CLIPS[:4]):
        found = network.audio(windows_of(parity_clip(kind, seconds, RATE), "mean"))[0]
        assert apart(found, theirs[f"audio_{number}_1"]) < 1e-4
        assert apart(theirs[f"audio_{number}_1"], theirs["audio_0_1"]) > 0.05 or number == 0
    windows = windows_of(parity_clip(*CLIPS[4], RATE), "mean")
    assert apart(network.audio(windows[1:2])[0], theirs["middle"]) < 1e-4


def test_the_package_crops_longer_clips_where_chance_falls(theirs) -> None:
    for number in range(4):
        assert np.array_equal(theirs[f"audio_{number}_1"], theirs[f"audio_{number}_2"])
    assert apart(theirs["audio_4_1"], theirs["audio_4_2"]) > 0.01


def test_the_text_side_answers_as_the_package(network, theirs) -> None:
    """It fills up with the exclamation mark and does not count it, wherever it stands."""
    for number in range(len(TEXTS)):
        ids = theirs[f"ids_{number}"]
        used = np.flatnonzero(ids)[-1] + 1
        assert apart(network.text([int(one) for one in ids[:used]])[0], theirs["texts"][number]) < 1e-4
    ids = [int(one) for one in theirs["ids_2"] if one]
    assert apart(network.text(ids)[0], theirs["texts"][2]) > 0.05


def test_pieces_are_those_of_the_original_tokenizer_and_nothing_is_cut_at_77(theirs, tmp_path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    names = [*letters, *("".join(pair) for pair in MERGES), "<|endoftext|>"]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    assert vocabulary["!"] == 0
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, MERGES)) + "\n", encoding="utf-8")
    tokens = ByteLevelTokens("ms-clap", GPT2, MOST_TOKENS, str(tmp_path))
    tokens.load()
    for number, text in enumerate(TEXTS):
        ids = theirs[f"ids_{number}"]
        found, cut = tokens(text + ENDING)
        assert found == ids[: len(found)].tolist()
        assert not ids[len(found) :].any()
        assert not cut
    assert len(theirs["ids_3"]) > 77


def test_the_keys_are_the_packages(theirs) -> None:
    with torch.device("meta"):
        ours = set(build(torch).state_dict())
    known = ours | beyond()
    # Older versions of transformers kept a triangle of ones in each layer.
    assert {name for name in known ^ set(theirs["keys"]) if ".attn.bias" not in name} == {
        f"caption_encoder.base.h.{place}.attn.masked_bias" for place in range(12)
    }
    assert not set(theirs["keys"]) - known


def test_the_mels_are_made_for_another_rate() -> None:
    """The settings say 44.1 kHz and 8 kHz; the front end is that of 32 kHz and 14 kHz."""
    assert (LOG_MEL.sample_rate, LOG_MEL.highest_hz, LOG_MEL.hop) == (32000, 14000.0, 320)
    weights = LOG_MEL.filters()
    last = np.flatnonzero(weights[-1]).max() * RATE / 1024
    assert 18_900 < last < 19_300
    assert np.abs(weights - LogMelSettings(sample_rate=RATE, highest_hz=8000.0).filters()).max() > 0.005


@pytest.mark.parametrize(
    ("seconds", "mean", "fadtk"),
    [(0.5, 1, 1), (0.96, 1, 1), (0.975, 1, 1), (7.0, 1, 7), (7.5, 1, 8), (10.0, 2, 10), (30.0, 5, 30)],
)
def test_windows_of_a_clip(seconds, mean, fadtk) -> None:
    audio = parity_clip("noise", seconds, RATE)
    for framing, count in (("mean", mean), ("fadtk", fadtk)):
        cut = windows_of(audio, framing)
        assert [piece.size for piece in cut] == count * [7 * RATE]
    first = windows_of(audio, "mean")[0]
    assert np.array_equal(first, np.tile(audio, 14)[: 7 * RATE])
    assert windows_of(audio, "fadtk")[0][min(audio.size, 7 * RATE) :].any() is np.False_


def test_a_judge_on_random_weights() -> None:
    judge = MsClapJudge(random=0)
    assert (judge.info.name, judge.info.unscored) == ("ms-clap-2023", "random weights")
    judge.load("cpu", 1)
    short, long = parity_clip("chord", 1.0, RATE), parity_clip("chirp", 14.5, RATE)
    together = judge.judge([short, long])
    assert [dict(one.notes) for one in together] == [
        {"windows": 1, "dropped_seconds": 0.0}, {"windows": 2, "dropped_seconds": pytest.approx(0.5)},
    ]  # fmt: skip
    assert np.array_equal(judge.judge([long])[0].vectors, together[1].vectors)
    assert np.linalg.norm(together[1].vectors) == pytest.approx(1.0, abs=1e-6)
    chunks = ms_clap_fadtk(random=0)
    assert chunks.info.name == "ms-clap-2023/fadtk/file"
    chunks._network = judge._network
    (chunked,) = chunks.judge([long[: 3 * RATE]])
    assert chunked.vectors.shape == (3, 1024)
    for broken, why in (([], "empty"), ([np.nan] * 9, "nan"), ([0.0] * 9, "silent")):
        assert judge.judge([np.array(broken, dtype=np.float32)])[0].refused == why
    texts = judge.judge_texts(["a song", " ", "word " * 300])
    assert [one.refused for one in texts] == [None, "empty", None]
    assert texts[0].notes == {"tokens": 8, "cut": False}
    assert texts[2].notes == {"tokens": 1024, "cut": True}
    with pytest.raises(InputError, match="no framing 'crop'"):
        MsClapJudge("crop")


def test_checkpoints_that_are_not_this_clap(tmp_path) -> None:
    (tmp_path / "vocab.json").write_text('{"a": 0, "<|endoftext|>": 1}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    file = tmp_path / "other.pth"
    torch.save({"model": {"audio_branch.bn0.weight": torch.zeros(64)}}, file)
    with pytest.raises(UnavailableError, match="not a checkpoint of Microsoft's CLAP 2023"):
        MsClapJudge(path=str(file), tokens=str(tmp_path)).load("cpu", 1)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UnavailableError, match="read safely"):
        MsClapJudge(path=str(file), tokens=str(tmp_path)).load("cpu", 1)
