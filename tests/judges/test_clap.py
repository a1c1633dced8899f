"""LAION-CLAP: answers of the package on shared weights, its pieces, its windows, and where tools ask it otherwise."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from parity import apart, peer
from shared_weights import drawn, parity_clip

from calm_eval.audio.mel import mel_filters
from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.clap import ClapJudge
from calm_eval.judges.clap_front_end import LogMelSettings, in_steps, repeated, seed_of, thirds, windows_of
from calm_eval.judges.clap_network import ClapNetwork, beyond, build
from calm_eval.judges.clap_presets import (
    clap_audiocraft,
    clap_audioldm2,
    clap_fusion,
    clap_general_fadtk,
    clap_music,
    clap_music_fadtk,
    clap_sam,
)
from calm_eval.judges.htsat_network import BASE, TINY, TINY_FUSION
from calm_eval.judges.roberta_network import places
from calm_eval.judges.roberta_tokens import RobertaTokens
from calm_eval.judges.torch_weights import read_state

torch = pytest.importorskip("torch")
RATE = 48000
CLIPS = [("chord", 10.0), ("noise", 10.0), ("chirp", 3.7), ("chord", 0.5), ("chirp", 25.0)]
TEXTS = ["low lower lowest", "a new song, slower", "two  spaces\nand 12 é <mask> lines", "the lowest new song " * 30]
MERGES = [("l", "o"), ("lo", "w"), ("e", "r"), ("Ġ", "low"), ("Ġ", "s"), ("Ġs", "o"), ("n", "g"), ("Ġ", "t")]


def network_of(shape, text: bool = False) -> ClapNetwork:
    """With the tensors that the peer drew; the text side's, which take the longest, only when asked for."""
    with torch.device("meta"):
        named = build(torch, shape).state_dict()
    state = {name: torch.zeros(value.shape, dtype=value.dtype) for name, value in named.items()}
    for name, value in state.items():
        if value.is_floating_point() and (text or not name.startswith("text_")):
            state[name] = torch.from_numpy(drawn(name, tuple(value.shape)))
    # As published: parts of `module`, with what only training needs and what holds nothing learned.
    unused = {name: torch.zeros(1) for name in beyond(shape) if not name.endswith("melW")}
    return ClapNetwork({f"module.{name}": value for name, value in (state | unused).items()}, shape, torch, "cpu")


@pytest.fixture(scope="module")
def tiny():
    return network_of(TINY, text=True)


@pytest.fixture(scope="module")
def fusion():
    return network_of(TINY_FUSION)


@pytest.fixture(scope="module")
def theirs():
    return peer("laion_clap")


def clip(number: int):
    return parity_clip(*CLIPS[number], RATE)


def test_the_audio_side_answers_as_the_package(tiny, theirs) -> None:
    for number in range(len(CLIPS)):
        found = tiny.audio(windows_of(in_steps(clip(number)), "randcrop", 7))[0]
        assert apart(found, theirs[f"tiny_{number}"]) < 1e-4
        assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-5)
    for number in (0, 4):
        found = tiny.audio(windows_of(clip(number), "randcrop", 8))[0]
        assert apart(found, theirs[f"tiny_{number}_float"]) < 1e-4
    # Not filled up, a clip's log-mel is stretched to the square: another vector.
    found = tiny.audio(windows_of(clip(2), "first", 0))[0]
    assert apart(found, theirs["tiny_2_first"]) < 1e-4
    assert apart(found, theirs["tiny_2"]) > 0.02
    assert min(apart(theirs[f"tiny_{one}"], theirs["tiny_0"]) for one in (1, 2)) > 0.05


def test_the_larger_audio_side_answers_as_the_package(theirs) -> None:
    network = network_of(BASE)
    for number in (0, 2):
        found = network.audio(windows_of(in_steps(clip(number)), "mean", 0))[0]
        assert apart(found, theirs[f"base_{number}"]) < 1e-4
    assert apart(theirs["base_2"], theirs["base_0"]) > 0.05


def test_fusion_answers_as_the_package_did_in_training(fusion, theirs) -> None:
    for number in range(4):
        found = fusion.audio(windows_of(in_steps(clip(number)), "fusion", 0))[0]
        assert apart(found, theirs[f"fusion_{number}"]) < 1e-4
    found = fusion.fused(in_steps(clip(4)), 7)[0]
    assert apart(found, theirs["fusion_4_straight"]) < 1e-4
    # Newer versions of torchvision average before they shrink, and the package's answer with them.
    assert apart(found, theirs["fusion_4"]) > 5e-4
    assert apart(fusion.fused(in_steps(clip(4)), 8)[0], found) > 5e-4


def test_the_text_side_answers_as_the_package(tiny, theirs) -> None:
    for number, (ids, mask) in enumerate(zip(theirs["ids"], theirs["mask"], strict=True)):
        assert apart(tiny.text([int(one) for one in ids[mask == 1]])[0], theirs["texts"][number]) < 1e-4
    assert apart(theirs["texts"][0], theirs["texts"][1]) > 0.1


def test_pieces_are_those_of_the_original_tokenizer(theirs, tmp_path) -> None:
    """Of transformers' RobertaTokenizer: spaces, bytes of two, the mask, and a caption that is too long."""
    tokenizers = pytest.importorskip("tokenizers")
    letters = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    names = ["<s>", "<pad>", "</s>", "<unk>", *letters, *("".join(pair) for pair in MERGES), "<mask>"]
    vocabulary = {name: number for number, name in enumerate(dict.fromkeys(names))}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "\n".join(map(" ".join, MERGES)) + "\n", encoding="utf-8")
    tokens = RobertaTokens("clap", 77, str(tmp_path))
    tokens.load()
    for text, ids, mask in zip(TEXTS, theirs["ids"], theirs["mask"], strict=True):
        found, cut = tokens(text)
        assert found == ids[mask == 1].tolist()
        assert cut == (text is TEXTS[3])
    assert set(tokens.identity()) == {"vocab.json", "merges.txt"}
    (tmp_path / "vocab.json").write_text('{"a": 0}', encoding="utf-8")
    (tmp_path / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    with pytest.raises(UnavailableError, match="another model's: it has no <s>, <pad>"):
        RobertaTokens("clap", 77, str(tmp_path)).load()


def test_places_of_tokens() -> None:
    assert places([0, 713, 2]) == [2, 3, 4]
    assert places([0, 1, 713, 1, 2]) == [2, 1, 3, 1, 4]


@pytest.mark.parametrize(("size", "shape"), [("tiny", TINY), ("base", BASE), ("fusion", TINY_FUSION)])
def test_the_keys_are_the_packages(theirs, size, shape) -> None:
    with torch.device("meta"):
        ours = set(build(torch, shape).state_dict())
    assert ours | beyond(shape) == set(theirs[f"{size}_keys"]) | {"text_branch.embeddings.position_ids"}
    assert "audio_branch.layers.2.blocks.1.attn.relative_position_bias_table" in ours
    assert ("audio_branch.patch_embed.fusion_model.global_att.1.weight" in ours) == shape.fusion


def test_filters_are_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    options = {"sr": RATE, "n_fft": 1024, "n_mels": 64, "fmin": 50, "fmax": 14000}
    assert LogMelSettings().filters() == pytest.approx(librosa.filters.mel(**options), abs=1e-7)
    htk = librosa.filters.mel(**options, htk=True, norm=None)
    assert LogMelSettings(htk=True).filters() == pytest.approx(htk, abs=1e-6)
    assert LogMelSettings().filters() == pytest.approx(mel_filters(RATE, 1024, 64, 50.0, 14000.0))


@pytest.mark.parametrize(
    ("seconds", "mean", "fadtk", "one"),
    [(0.5, 1, 1, 1), (0.96, 1, 1, 1), (0.975, 1, 1, 1), (10.0, 1, 10, 1), (10.5, 1, 11, 1), (11.0, 2, 11, 1),
     (30.0, 3, 30, 1)],
)  # fmt: skip
def test_windows_of_a_clip(seconds, mean, fadtk, one) -> None:
    audio = parity_clip("noise", seconds, RATE)
    for framing, count in (("mean", mean), ("fadtk", fadtk), ("randcrop", one), ("first", one)):
        cut = windows_of(audio, framing, 3)
        assert len(cut) == count
        full = framing != "first" or seconds >= 10
        assert {piece.size for piece in cut} == {480_000 if full else audio.size}


def test_what_fills_a_window() -> None:
    audio = parity_clip("noise", 3.7, RATE)
    filled = repeated(audio)
    # As often as it fits whole, then silence: a quarter of a window is not heard.
    assert np.array_equal(filled[: 2 * audio.size], np.tile(audio, 2))
    assert not filled[2 * audio.size :].any()
    tail = windows_of(parity_clip("noise", 12.0, RATE), "fadtk", 0)[-1]
    assert not tail[RATE:].any()
    assert tail[:RATE].any()


def test_sixteen_bits_as_the_package_takes_them() -> None:
    audio = np.array([0.0, 0.5, -0.5, 1.5, -1.5, 2e-5, -2e-5], dtype=np.float32)
    assert in_steps(audio) * 32767 == pytest.approx([0, 16383, -16383, 32767, -32767, 0, 0], abs=2e-3)
    # A file of 16 bits is read as so many 32768ths: each of its samples but zero comes out one step smaller.
    whole = np.arange(-32767, 32768)
    heard = in_steps((whole / 32768).astype(np.float32))
    assert np.array_equal(np.rint(heard * 32767), whole - np.sign(whole))
    assert np.array_equal(in_steps(heard), heard)


def test_places_of_random_crops_are_the_packages() -> None:
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    audio = parity_clip("noise", 25.0, RATE)
    (crop,) = windows_of(audio, "randcrop", 11)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    start = np.random.RandomState(11).randint(0, audio.size - 480_000 + 1)
    assert np.array_equal(crop, audio[start : start + 480_000])
    assert thirds(1501, None) == [83, 250, 417]
    assert thirds(1002, None) == [0, 1, 0]
    assert seed_of(audio) == seed_of(audio.copy()) != seed_of(audio[1:])


def test_a_random_crop_is_another_answer(tiny, theirs) -> None:
    """One file of 25 s at six places of the crop; on random weights cosines spread less than on trained ones."""
    assert apart(theirs["asked_again"], theirs["tiny_4"]) > 0.005
    audio = in_steps(clip(4))
    crops = tiny.audio([windows_of(audio, "randcrop", seed)[0] for seed in range(6)])
    cosines = crops @ crops.T
    assert cosines.min() < 0.9999
    assert tiny.audio(windows_of(audio, "mean", 0)) == pytest.approx(tiny.audio(windows_of(audio, "mean", 1)))


def test_a_judge_on_random_weights() -> None:
    judge = ClapJudge("general", random=0)
    assert judge.info.unscored == "random weights"
    with pytest.raises(UnavailableError, match="not loaded"):
        judge.judge_texts(["a"])
    judge.load("cpu", 1)
    short, long = parity_clip("chord", 1.0, RATE), parity_clip("chirp", 21.5, RATE)
    together = judge.judge([short, long])
    assert [one.notes["windows"] for one in together] == [1, 3]
    assert together[1].notes["dropped_seconds"] == 0.0
    assert np.array_equal(judge.judge([long])[0].vectors, together[1].vectors)
    assert np.linalg.norm(together[1].vectors) == pytest.approx(1.0, abs=1e-6)
    for broken, why in (([], "empty"), ([np.nan] * 9, "nan"), ([0.0] * 9, "silent"), ([2e-5] * 9, "silent")):
        assert judge.judge([np.array(broken, dtype=np.float32)])[0].refused == why
    texts = judge.judge_texts(["a slow song", " ", "word " * 40])
    assert [one.refused for one in texts] == [None, "empty", None]
    assert texts[0].notes == {"tokens": 13, "cut": False}
    assert texts[2].notes == {"tokens": 77, "cut": True}
    assert texts[0].vectors.shape == (1, 512)
    judge.close()


def test_a_judge_of_fusion_and_one_for_distances() -> None:
    judge = clap_fusion(random=0)
    judge.load("cpu", 1)
    long, short = parity_clip("chirp", 12.0, RATE), parity_clip("chirp", 3.0, RATE)
    assert [one.notes["windows"] for one in judge.judge([long, short])] == [3, 1]
    sam = clap_sam(random=0)
    sam._network = judge._network
    # The peak is brought to -1 dB: the level of a clip does not count, but for its steps.
    loud, quiet = sam.judge([short, short / 2])
    assert apart(quiet.vectors, loud.vectors) < 1e-3
    assert apart(*(one.vectors for one in judge.judge([short / 8, short]))) > 1e-3
    chunks = ClapJudge("fusion", "fadtk", random=0, file=True)
    chunks._network = judge._network
    (found,) = chunks.judge([short])
    assert found.vectors.shape == (3, 512)
    # fadtk's way: a file's samples k / 32768, cut to steps, ten seconds from each second on.
    filed = np.pad(in_steps((np.rint(short * 32768.0) / 32768).astype(np.float32))[2 * RATE :], (0, 9 * RATE))
    assert apart(judge._network.audio([filed])[0], found.vectors[2]) < 1e-5


def test_identities_and_options() -> None:
    made = [clap_music(random=0), clap_music("fadtk", random=0), clap_audiocraft(random=0), clap_sam(random=0)]
    assert [one.info.name for one in [*made, clap_audioldm2(random=0)]] == [
        "clap-music", "clap-music/fadtk", "clap-music/randcrop/float", "clap-fusion/randcrop/peak",
        "clap-music-speech/first/float/512-tokens",
    ]  # fmt: skip
    assert clap_music_fadtk(random=0).info.name == "clap-music/fadtk/file"
    assert clap_general_fadtk(random=0).info.parameters["file"] == "16 bits, the nearest step"
    assert made[0].info.parameters["steps"] == "1/32767, cut towards zero, once"
    assert clap_music().requires.assets == ("clap-music", "roberta-base")
    for options, told in (
        ({"model": "speech"}, "no model 'speech'"),
        ({"framing": "crop"}, "no framing 'crop'"),
        ({"framing": "fusion"}, "'music' has no fusion"),
        ({"most_tokens": 1000}, "from 3 to 512"),
    ):
        with pytest.raises(InputError, match=told):
            ClapJudge(**options)


def test_checkpoints_that_are_not_this_clap(tmp_path) -> None:
    def refused(name, content) -> str:
        file = tmp_path / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            torch.save(content, file)
        with pytest.raises(UnavailableError) as caught:
            ClapJudge("general", path=str(file), tokens=str(vocabulary)).load("cpu", 1)
        return str(caught.value)

    vocabulary = tmp_path / "roberta"
    vocabulary.mkdir()
    names = ["<s>", "<pad>", "</s>", "<unk>", "a", "<mask>"]
    (vocabulary / "vocab.json").write_text(json.dumps({name: place for place, name in enumerate(names)}))
    (vocabulary / "merges.txt").write_text("#version: 0.2\n")
    part = {"state_dict": {"module.logit_scale_a": torch.ones(())}}
    assert "LAION-CLAP with HTS-AT of width 96 and depth 6: missing, unknown" in refused("part.pt", part)
    assert "audio_branch.bn0.bias" in refused("panns.pt", {"conv_block1.conv1.weight": torch.zeros(2)})
    whole = (tmp_path / "part.pt").read_bytes()
    assert "read safely" in refused("half.pt", whole[: len(whole) // 2])
    assert "read safely" in refused("code.pt", {"weight": _Code()})


def test_numbers_of_numpy_in_a_checkpoint_are_read(tmp_path) -> None:
    """The published files keep some, under the name that NumPy gave them before its second version."""
    file, old = tmp_path / "new.pt", tmp_path / "old.pt"
    torch.save({"best": np.float64(0.5), "epoch": 3, "state_dict": {"a": torch.ones(2)}}, file)
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(old, "w") as made:
        for entry in source.namelist():
            made.writestr(entry, source.read(entry).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    with zipfile.ZipFile(old) as made:
        assert any(b"cnumpy.core.multiarray\nscalar" in made.read(entry) for entry in made.namelist())
    for one in (file, old):
        assert read_state(one, torch)["a"].tolist() == [1.0, 1.0]


class _Code:
    """What a pickle with code in it looks like."""

    def __reduce__(self):
        return print, ("never printed",)
