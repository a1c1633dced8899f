"""UTMOS against SpeechMOS 1.2.0 and against transformers' wav2vec 2.0 with a recurrence by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from parity import apart, peer, shared_checkpoint
from shared_weights import parity_clip

from calm_eval.errors import InputError, UnavailableError
from calm_eval.judges.torch_weights import read_state
from calm_eval.judges.utmos import UtmosJudge
from calm_eval.judges.utmos_network import UtmosNetwork, build
from calm_eval.judges.wavlm_network import WAV2VEC2_BASE, from_transformers

torch = pytest.importorskip("torch")
CLIPS = (("chord", 1.3), ("chirp", 0.61), ("noise", 0.03))
TWO = replace(WAV2VEC2_BASE, depth=2)


@pytest.fixture(scope="module")
def golden():
    return peer("speechmos")


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """The tensors of one with two layers."""
    file = tmp_path_factory.mktemp("utmos") / "two.pt"
    shared_checkpoint(build(torch, TWO), file, torch)
    return read_state(file, torch)


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """The published size on the weights that the peer drew."""
    with torch.device("meta"):
        network = build(torch)
    file = tmp_path_factory.mktemp("utmos") / "utmos22_strong_step7459_v1.pt"
    made = UtmosJudge(path=shared_checkpoint(network.to_empty(device="cpu"), file, torch))
    made.load("cpu", 1)
    return made


def test_the_keys_are_those_of_speechmos(golden) -> None:
    with torch.device("meta"):
        state = build(torch).state_dict()
    assert sorted(state) == golden["published-keys"].tolist()
    assert len(state) == 225
    assert state["blstm.weight_ih_l0_reverse"].shape == (2048, 1024)


def test_opinions_are_those_of_speechmos(golden, judge, two) -> None:
    small = UtmosNetwork(two, torch, "cpu", TWO)
    clips = [parity_clip(kind, seconds, 16000) for kind, seconds in CLIPS]
    assert apart([small(clip).mean() for clip in clips], golden["two"]) < 1e-4
    found = [judgement.scores["mos"] for judgement in judge.judge(clips)]
    assert apart(found, golden["published"]) < 1e-4
    assert found[0] - found[1] > 0.1
    assert [judgement.notes["frames"] for judgement in judge.judge(clips)] == [64, 30, 1]


def test_opinions_by_transformers_and_a_recurrence_by_hand(two) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.Wav2Vec2Model(transformers.Wav2Vec2Config(num_hidden_layers=2)).eval()
    renamed = dict(zip(model.state_dict(), from_transformers(model.state_dict(), TWO), strict=True))
    model.load_state_dict({name: two[f"wav2vec2.{new}"] for name, new in renamed.items()})
    clip = parity_clip("chord", 0.4, 16000)
    with torch.inference_mode():
        states = model(torch.from_numpy(clip)[None]).last_hidden_state[0].double()
    state = {name: value.double() for name, value in two.items()}
    given = torch.cat([state["domain_emb"][0], state["judge_emb"][0]])

    def one_way(inputs, suffix):
        hidden = cell = torch.zeros(512, dtype=torch.float64)
        made = []
        for one in inputs:
            gates = state[f"blstm.weight_ih_l0{suffix}"] @ one + state[f"blstm.bias_ih_l0{suffix}"]
            gates = gates + state[f"blstm.weight_hh_l0{suffix}"] @ hidden + state[f"blstm.bias_hh_l0{suffix}"]
            into, keep, new, out = gates.chunk(4)
            cell = keep.sigmoid() * cell + into.sigmoid() * new.tanh()
            hidden = out.sigmoid() * cell.tanh()
            made.append(hidden)
        return made

    inputs = [torch.cat([one, given]) for one in states]
    both = zip(one_way(inputs, ""), one_way(inputs[::-1], "_reverse")[::-1], strict=True)
    dense = [state["projection.0.weight"] @ torch.cat(pair) + state["projection.0.bias"] for pair in both]
    expected = [float(state["projection.2.weight"][0] @ one.relu() + state["projection.2.bias"][0]) for one in dense]
    found = UtmosNetwork(two, torch, "cpu", TWO)(clip)
    assert found == pytest.approx(3 + 2 * np.array(expected), abs=1e-4)


def test_an_opinion_depends_on_its_clip_alone(judge) -> None:
    one, other = parity_clip("chord", 0.5, 16000), parity_clip("noise", 0.7, 16000)
    together = judge.judge([one, other])
    assert together[0].scores == pytest.approx(judge.judge([one])[0].scores, abs=1e-6)
    # The network answers silence like anything else; the judge does not.
    nothing = np.full(9000, np.nan, dtype=np.float32)
    for broken, why in ((one[:0], "empty"), (one[:399], "too-short"), (0 * one, "silent"), (nothing, "nan")):
        assert judge.judge([broken])[0].refused == why


def test_the_level_moves_an_opinion_when_it_is_low(judge) -> None:
    """The group norm of wav2vec 2.0 takes the level out, down to 1e-5 under its root: hence one level for all."""
    clip = parity_clip("noise", 0.5, 16000)
    half, faint = (judge.judge([clip * np.float32(gain)])[0].scores["mos"] for gain in (0.5, 0.001))
    loud = judge.judge([clip])[0].scores["mos"]
    assert abs(half - loud) < 1e-2 < abs(faint - loud)


def test_identity_and_random_weights() -> None:
    info = UtmosJudge(random=0).info
    assert (info.name, info.output, info.verified, info.unscored) == (
        "utmos22-strong",
        "scores",
        "code",
        "random weights",
    )
    made = UtmosJudge(random=0)
    made.load("cpu", 1)
    (found,) = made.judge([parity_clip("chirp", 0.5, 16000)])
    assert np.isfinite(found.scores["mos"])
    with pytest.raises(InputError, match="give one of them"):
        UtmosJudge(path="a.pt", random=0)


def test_other_files_are_refused(tmp_path, two) -> None:
    file = tmp_path / "two.pt"
    torch.save(two, file)
    with pytest.raises(UnavailableError, match="not a checkpoint of UTMOS22's strong learner"):
        UtmosJudge(path=str(file)).load("cpu", 1)
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UnavailableError, match="give another `path`"):
        UtmosJudge(path=str(file)).load("cpu", 1)
