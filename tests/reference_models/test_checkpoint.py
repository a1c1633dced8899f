import json
import pickle
import re

import pytest
import torch
from safetensors.torch import save_file

from reference_models.build import make_model
from reference_models.checkpoint import METADATA, check_checkpoint, file_hash, load_checkpoint, save_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import load_model_preset

PRESET = load_model_preset("mini-calm-tts")


def test_weights_come_back_as_they_were_to_half_precision(tmp_path):
    model, file = make_model(PRESET, seed=1), tmp_path / "one.safetensors"
    sha256 = save_checkpoint(file, model, PRESET, {"steps": "7"})
    other = make_model(PRESET, seed=2)
    metadata = load_checkpoint(file, other, PRESET, sha256)
    assert metadata["steps"] == "7"
    assert sha256 == file_hash(file)
    for name, value in model.state_dict().items():
        assert torch.equal(other.state_dict()[name], value.half().float()), name
    assert file.stat().st_size == pytest.approx(2 * sum(one.numel() for one in model.parameters()), rel=0.01)
    assert [one.name for one in tmp_path.iterdir()] == ["one.safetensors"]


def test_the_same_weights_give_the_same_bytes(tmp_path):
    hashes = {save_checkpoint(tmp_path / f"{n}.safetensors", make_model(PRESET), PRESET) for n in range(2)}
    assert len(hashes) == 1


def test_a_checkpoint_of_another_preset_is_refused_by_name(tmp_path):
    file = tmp_path / "one.safetensors"
    save_checkpoint(file, make_model(PRESET), PRESET)
    with pytest.raises(ModelError, match=r"holds weights of 'mini-calm-tts', not of 'mini-rq-tts'"):
        check_checkpoint(file, load_model_preset("mini-rq-tts"))
    changed = PRESET.model_copy(update={"dim": 96})
    with pytest.raises(ModelError, match="another version of this preset"):
        check_checkpoint(file, changed)
    save_file({"x": torch.zeros(1)}, file)
    with pytest.raises(ModelError, match="no preset that is named"):
        check_checkpoint(file, PRESET)


def test_a_wrong_hash_names_both(tmp_path):
    file = tmp_path / "one.safetensors"
    sha256 = save_checkpoint(file, make_model(PRESET), PRESET)
    with pytest.raises(ModelError, match=f"sha256 is {sha256}, expected {'0' * 64}"):
        check_checkpoint(file, PRESET, "0" * 64)


class Bomb:
    def __reduce__(self):
        return (exec, ("raise SystemExit('a pickle was opened')",))


@pytest.mark.parametrize("kind", ["pickle", "torch", "text", "short", "nothing"])
def test_what_is_no_safetensors_file_is_never_opened(tmp_path, kind):
    file = tmp_path / "model.safetensors"
    if kind == "pickle":
        file.write_bytes(pickle.dumps(Bomb()))
    elif kind == "torch":
        torch.save({"weight": Bomb()}, file)
    elif kind == "text":
        file.write_text("hello, this is no checkpoint")
    elif kind == "short":
        file.write_bytes(b"\x05")
    expected = "cannot be read: No such file" if kind == "nothing" else "is no safetensors file"
    with pytest.raises(ModelError, match=re.escape(expected)):
        load_checkpoint(file, make_model(PRESET), PRESET)


def test_tensors_that_do_not_fit_are_named(tmp_path):
    file = tmp_path / "one.safetensors"
    metadata = {METADATA: json.dumps({"preset": PRESET.name, "preset_digest": PRESET.digest})}
    save_file({"backbone.layers.0.qkv.weight": torch.zeros(2, 2)}, file, metadata)
    with pytest.raises(ModelError, match="does not fit 'mini-calm-tts'"):
        load_checkpoint(file, make_model(PRESET), PRESET)
