"""The order of all trainings, and what is bundled afterwards."""

import pytest

from reference_models.build import make_codec, make_model
from reference_models.catalogue import checkpoint_file
from reference_models.checkpoint import check_checkpoint, file_hash, load_checkpoint, save_checkpoint
from reference_models.presets import CodecPreset, load_preset, names
from reference_models.train_all import _finished, needs, trainable

BUNDLED = sorted(name for name in names() if checkpoint_file(name).is_file())


def test_codecs_come_before_models_and_what_others_learn_from_before_them():
    order = list(trainable())
    assert order.index("mini-vae-speech") < order.index("mini-calm-tts") < order.index("mini-calm-tts-student")
    assert order.index("mini-calm-tts") < order.index("mini-rq-tts")
    for place, name in enumerate(order):
        assert needs(load_preset(name)) <= set(order[:place])
    assert set(order) == {name for name in names() if name.startswith("mini-")}


def test_a_training_is_finished_when_its_checkpoint_has_all_steps(tmp_path):
    preset = load_preset("mini-vae-speech")
    assert not _finished(preset, tmp_path)
    folder = tmp_path / preset.name
    folder.mkdir()
    for steps in (preset.recipe.steps - 1, preset.recipe.steps):
        notes = {"steps": str(steps)}
        save_checkpoint(folder / f"{preset.name}.safetensors", make_codec(preset), preset, notes)
        assert _finished(preset, tmp_path) == (steps == preset.recipe.steps)


@pytest.mark.parametrize("name", BUNDLED)
def test_a_bundled_checkpoint_is_small_fits_and_has_a_card(name):
    file, preset = checkpoint_file(name), load_preset(name)
    assert file.stat().st_size <= 8_000_000
    module = make_codec(preset) if isinstance(preset, CodecPreset) else make_model(preset)
    notes = load_checkpoint(file, module, preset)
    assert notes["steps"] == str(preset.recipe.steps)
    card = file.with_suffix(".md").read_text(encoding="utf-8")
    assert file_hash(file) in card
    assert preset.digest in card
    assert notes["corpus_digest"] in card
    assert f"calm-eval train {name}" in card
    for needed in needs(preset):
        check_checkpoint(checkpoint_file(needed), load_preset(needed))
        assert file_hash(checkpoint_file(needed)) in card, f"{name} was trained on other weights of {needed}"


def test_all_bundled_checkpoints_together_are_small():
    assert sum(checkpoint_file(name).stat().st_size for name in BUNDLED) <= 90_000_000
