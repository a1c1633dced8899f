"""HuBERT with CTC: letters by hand, torchaudio's own bundles on the same random weights, and where it is missing."""

from __future__ import annotations

import itertools
import sys

import numpy as np
import pytest
from shared_weights import parity_clip
from torchaudio_or_skip import torchaudio_or_skip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.hubert_ctc import LETTERS, MODELS, HubertCtcJudge, current, letters
from calm_eval.judges.readiness import readiness

torch = pytest.importorskip("torch")
RATE = 16000
CLIPS = [parity_clip(kind, seconds, RATE) for kind, seconds in (("chord", 1.0), ("chirp", 0.5), ("noise", 1.5))]


@pytest.fixture(scope="module")
def torchaudio():
    return torchaudio_or_skip()


def published(maker):
    """Random weights as a published file has them: 32 rows at the end, and the older names of a normalised weight."""
    torch.manual_seed(1)
    state = maker(aux_num_out=32).state_dict()
    names = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for new, old in names.items():
        for name in [one for one in state if one.endswith(new)]:
            state[name.replace(new, old)] = state.pop(name)
    # As drawn, one letter would be likeliest everywhere.
    state["aux.weight"] *= 20
    return state


def by_groups(classes) -> str:
    """CTC in the words of its paper: join repeats, drop blanks."""
    spelt = "".join(LETTERS[place - 1] for place, _ in itertools.groupby(classes) if place)
    return " ".join(word for word in spelt.split("|") if word)


def as_classes(spelt: str) -> np.ndarray:
    return np.array([0 if letter == "-" else 1 + LETTERS.index(letter) for letter in spelt])


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ("HHEE-LL-LOO", "HELLO"),
        ("--A|||B-|-B--", "A B B"),
        ("||IT'S||", "IT'S"),
        ("A-|-|-B", "A B"),
        ("---", ""),
        ("", ""),
        ("Z", "Z"),
    ],
)
def test_ctc_by_hand(frames, text) -> None:
    assert letters(as_classes(frames)) == text


def test_letters_of_random_frames_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        classes = rng.choice([0, 1, 2, 3, 24], size=40)
        assert letters(classes) == by_groups(classes.tolist())


def test_rows_that_ctc_never_used_go() -> None:
    state = {"aux.weight": torch.arange(64.0).reshape(32, 2), "aux.bias": torch.arange(32.0), "a.conv.weight_g": "g"}
    cut = current({**state, "a.conv.weight_v": "v"}, torch)
    assert cut["aux.bias"].tolist() == [0.0, *range(4, 32)]
    assert cut["aux.weight"].shape == (29, 2)
    assert cut["a.conv.parametrizations.weight.original0"] == "g"
    assert cut["a.conv.parametrizations.weight.original1"] == "v"
    already = {"aux.bias": torch.arange(29.0)}
    assert current(already, torch)["aux.bias"].tolist() == list(range(29))


def against_the_bundle(torchaudio, model, bundle, tmp_path, monkeypatch) -> None:
    """The bundle downloads what we give it, and does everything else by itself."""
    state = published(getattr(torchaudio.models, MODELS[model].maker))
    from torchaudio.pipelines._wav2vec2 import utils

    monkeypatch.setattr(utils, "load_state_dict_from_url", lambda url, **_: dict(state))
    original = bundle.get_model().eval()
    file = tmp_path / "published.pth"
    torch.save(state, file)
    judge = HubertCtcJudge(model, path=str(file))
    judge.load("cpu", 1)
    labels = bundle.get_labels()
    for clip, found in zip(CLIPS, judge.judge(CLIPS), strict=True):
        with torch.inference_mode():
            emission = original(torch.from_numpy(clip)[None])[0][0]
        assert judge._network(clip) == pytest.approx(emission.numpy(), abs=1e-4)
        classes = emission.argmax(dim=-1)
        kept = [place for place in torch.unique_consecutive(classes).tolist() if place != 0]
        assert found.text == " ".join("".join(labels[place] for place in kept).replace("|", " ").split())
        assert found.notes["frames"] == len(classes) == (len(clip) - 400) // 320 + 1
    texts = [each.text for each in judge.judge(CLIPS)]
    assert len(set(texts)) == len(CLIPS)
    assert [each.text for each in judge.judge(CLIPS[:1])] == texts[:1]
    # The level counts only where the package leaves it.
    louder = judge._network(np.float32(1.5) * CLIPS[0])
    moved = np.abs(louder - judge._network(CLIPS[0])).max()
    assert (moved < 1e-2) == MODELS[model].unit_level


def test_base_is_torchaudio_s_bundle(torchaudio, tmp_path, monkeypatch) -> None:
    bundle = torchaudio.pipelines.WAV2VEC2_ASR_BASE_960H
    assert "".join(bundle.get_labels()[1:]) == LETTERS
    against_the_bundle(torchaudio, "base", bundle, tmp_path, monkeypatch)


@pytest.mark.slow
def test_large_is_torchaudio_s_bundle(torchaudio, tmp_path, monkeypatch) -> None:
    bundle = torchaudio.pipelines.HUBERT_ASR_LARGE
    assert "".join(bundle.get_labels()[1:]) == LETTERS
    assert MODELS["large"].asset in HubertCtcJudge().requires.assets
    against_the_bundle(torchaudio, "large", bundle, tmp_path, monkeypatch)


def test_the_files_are_those_that_the_bundles_name(torchaudio) -> None:
    from calm_eval.assets import load_catalogue

    bundles = {"large": torchaudio.pipelines.HUBERT_ASR_LARGE, "base": torchaudio.pipelines.WAV2VEC2_ASR_BASE_960H}
    for model, bundle in bundles.items():
        (file,) = load_catalogue()[MODELS[model].asset].files
        assert str(file.source) == f"https://download.pytorch.org/torchaudio/models/{bundle._path}"
        assert bundle._normalize_waveform == MODELS[model].unit_level
        assert bundle.sample_rate == RATE


def test_random_weights_judge_and_refuse(torchaudio) -> None:
    judge = HubertCtcJudge("base", random=0)
    judge.load("cpu", 1)
    assert judge.info.unscored == "random weights"
    broken = [np.array(one, np.float32) for one in ([], [np.nan] * 900, [0.0] * 900, [0.1] * 399)]
    assert [each.refused for each in judge.judge(broken)] == ["empty", "nan", "silent", "too-short"]
    (short,) = judge.judge([np.linspace(-0.1, 0.1, 400, dtype=np.float32)])
    assert short.notes["frames"] == 1


def test_checkpoints_that_are_others(torchaudio, tmp_path) -> None:
    state = published(torchaudio.models.wav2vec2_base)

    def refused(name, content) -> str:
        file = tmp_path / name
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            torch.save(content, file)
        with pytest.raises(UnavailableError) as caught:
            HubertCtcJudge("base", path=str(file)).load("cpu", 1)
        return str(caught.value)

    part = {name: value for name, value in state.items() if name != "aux.bias"}
    assert "not a checkpoint of wav2vec2-base-960h/ctc" in refused("part.pth", part)
    assert "give another `path`" in refused("half.pth", b"PK not an archive")
    assert "read safely" in refused("code.pth", {"weight": _Code()})


class _Code:
    def __reduce__(self):
        return print, ("never printed",)


@pytest.mark.parametrize("fault", [OSError("libc10_cuda.so: no such file"), RuntimeError("built for another PyTorch")])
def test_a_broken_torchaudio_is_told_of(fault, tmp_path, monkeypatch) -> None:
    (tmp_path / "torchaudio.py").write_text(f"raise {type(fault).__name__}({str(fault)!r})\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [one for one in sys.modules if one.partition(".")[0] == "torchaudio"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(UnavailableError, match=str(fault)) as caught:
        HubertCtcJudge(random=0).load("cpu", 1)
    assert "calm-eval[torchaudio]" in str(caught.value)
    assert "calm-eval[torchaudio]" in readiness("hubert-ctc").told
    assert str(fault) in readiness("squim").told


def test_identities(monkeypatch, tmp_path) -> None:
    large, base = (HubertCtcJudge(model, random=0).info for model in ("large", "base"))
    assert (large.name, base.name) == ("hubert-large-ls960/ctc", "wav2vec2-base-960h/ctc")
    assert (large.verified, large.output, large.sample_rate) == ("code", "transcript", RATE)
    assert large.parameters["level"] != base.parameters["level"]
    with pytest.raises(InputError, match="no model 'xlarge'"):
        HubertCtcJudge("xlarge")
    with pytest.raises(InputError, match="give one of them"):
        HubertCtcJudge(path="a.pth", random=0)
