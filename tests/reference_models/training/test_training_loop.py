"""The training loop: exact resume, refusals, and what a failure leaves behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from toy_stores import latents, write_store

from reference_models.build import make_model
from reference_models.checkpoint import load_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import load_model_preset
from reference_models.training.loop import Loop, Settings
from reference_models.training.prepare import plan_training
from reference_models.training.train import train


def bytes_of(result):
    return result.checkpoint.read_bytes()


def test_a_training_in_two_calls_is_the_training_in_one(tmp_path, latent_store, preset_file):
    preset = preset_file()
    whole = train(preset, latent_store, tmp_path / "whole", Settings())
    plan = plan_training(load_model_preset(preset), latent_store, "cpu")
    folder = tmp_path / "halves"
    folder.mkdir()
    first = Loop(plan, Settings(), folder, resume=False)
    for _ in range(3):
        first._one()
    first.save()
    second = train(preset, latent_store, folder, Settings(), resume=True)
    assert second.steps == whole.steps == 8
    assert bytes_of(second) == bytes_of(whole)


def test_what_was_done_after_the_last_saved_state_is_done_again_the_same_way(tmp_path, latent_store, preset_file):
    preset = preset_file()
    whole = train(preset, latent_store, tmp_path / "whole", Settings())
    folder = tmp_path / "killed"
    folder.mkdir()
    loop = Loop(plan_training(load_model_preset(preset), latent_store, "cpu"), Settings(), folder, resume=False)
    for step in range(5):
        if step == 2:
            loop.save()
        loop._one()
    assert bytes_of(train(preset, latent_store, folder, Settings(), resume=True)) == bytes_of(whole)


def test_a_killed_process_resumes_to_the_same_weights(tmp_path, latent_store, preset_file):
    preset = preset_file(recipe={"steps": 400})
    whole = train(preset, latent_store, tmp_path / "whole", Settings())
    folder = tmp_path / "killed"
    code = (
        "import sys, torch; from pathlib import Path; from reference_models.training.loop import Settings;"
        "from reference_models.training.store import Store; from reference_models.training.train import train;"
        "torch.set_num_threads(1);"
        "train(sys.argv[1], Store(Path(sys.argv[2])), Path(sys.argv[3]), Settings(save_every=0.0),"
        " report=lambda *a: __import__('time').sleep(0.02))"
    )
    child = subprocess.Popen([sys.executable, "-c", code, preset, str(latent_store.folder), str(folder)])
    deadline = time.monotonic() + 120
    while not (folder / "state.pt").is_file():
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.5)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert bytes_of(train(preset, latent_store, folder, Settings(), resume=True)) == bytes_of(whole)
    steps = [row["step"] for row in map(json.loads, (folder / "log.jsonl").read_text().splitlines()) if "loss" in row]
    assert steps == sorted(set(steps))


def test_a_checkpoint_holds_the_averaged_weights(tmp_path, latent_store, preset_file):
    preset = load_model_preset(preset_file(recipe={"average": 0.5, "steps": 2, "weight_decay": 0.0}))
    loop = Loop(plan_training(preset, latent_store, "cpu"), Settings(), tmp_path, resume=False)
    seen = []
    for _ in range(2):
        loop._one()
        seen.append(loop.module.start_frame.detach().clone())
    start = make_model(preset).start_frame.detach()
    # The decay of update n is min(0.5, (1 + n) / (10 + n)): 2/11, then 3/12.
    first = start * 2 / 11 + seen[0] * 9 / 11
    expected = first * 3 / 12 + seen[1] * 9 / 12
    torch.testing.assert_close(loop.average.state(loop.module)["start_frame"], expected)


def test_training_lowers_the_loss_on_held_out_clips(tmp_path, preset_file):
    def swing(index):  # each frame is the last one turned around
        frame = np.random.default_rng(5).standard_normal(32)
        return np.stack([frame * (-1) ** (index + place) for place in range(20)]).astype(np.float16)

    store = write_store(tmp_path / "lines", "latents", swing)
    preset = load_model_preset(preset_file(recipe={"steps": 150}, training={"noise_augmentation": False}))
    loop = Loop(plan_training(preset, store, "cpu"), Settings(), tmp_path, resume=False)
    before = loop.validate()
    loop.run()
    assert loop.validate() < 0.8 * before


def test_validation_leaves_the_training_alone(tmp_path, latent_store, preset_file):
    plan = plan_training(load_model_preset(preset_file()), latent_store, "cpu")
    loop = Loop(plan, Settings(), tmp_path, resume=False)
    loop._one()
    before = {name: value.clone() for name, value in loop.module.state_dict().items()}
    assert loop.validate() == loop.validate()
    assert all(torch.equal(value, before[name]) for name, value in loop.module.state_dict().items())


def test_the_time_budget_stops_cleanly_and_the_rest_follows(tmp_path, latent_store, preset_file):
    preset = preset_file(recipe={"steps": 30})
    whole = train(preset, latent_store, tmp_path / "whole", Settings())
    folder = tmp_path / "short"
    short = train(preset, latent_store, folder, Settings(minutes=1e-9))
    assert short.steps == 1
    assert not short.finished
    assert short.checkpoint.is_file()
    assert (folder / "loss.png").is_file()
    assert bytes_of(train(preset, latent_store, folder, Settings(), resume=True)) == bytes_of(whole)


def test_another_corpus_is_refused(tmp_path, latent_store, preset_file):
    preset = preset_file()
    train(preset, latent_store, tmp_path / "run", Settings(minutes=1e-9))
    changed = write_store(tmp_path / "other", "latents", latents, digest="e" * 64)
    with pytest.raises(ModelError, match="began with another corpus digest"):
        train(preset, changed, tmp_path / "run", Settings(), resume=True)


def test_another_recipe_or_number_of_steps_is_refused(tmp_path, latent_store, preset_file):
    train(preset_file(), latent_store, tmp_path / "run", Settings(minutes=1e-9))
    with pytest.raises(ModelError, match="began with another recipe"):
        train(preset_file(recipe={"rate": 0.02}), latent_store, tmp_path / "run", Settings(), resume=True)
    with pytest.raises(ModelError, match="began with another steps"):
        train(preset_file(), latent_store, tmp_path / "run", Settings(steps=9), resume=True)


def test_a_folder_is_not_overwritten_and_not_resumed_from_nothing(tmp_path, latent_store, preset_file):
    with pytest.raises(ModelError, match="no training to resume"):
        train(preset_file(), latent_store, tmp_path / "run", Settings(), resume=True)
    train(preset_file(), latent_store, tmp_path / "run", Settings(minutes=1e-9))
    with pytest.raises(ModelError, match="holds a training already: --resume"):
        train(preset_file(), latent_store, tmp_path / "run", Settings())


def test_a_loss_that_is_no_number_names_step_and_batch(tmp_path, preset_file):
    def poisoned(index):
        values = latents(index)
        if index == 7:
            values[:] = np.nan
        return values

    store = write_store(tmp_path / "bad", "latents", poisoned)
    preset = load_model_preset(preset_file())
    plan = plan_training(preset, store, "cpu")
    plan.trainee.module.fit_statistics(torch.randn(10, 32))
    hit = next(step for step in range(8) if "clip7" in plan.train.at(step).ids)
    folder = tmp_path / "run"
    folder.mkdir()
    loop = Loop(plan, Settings(save_every=0.0), folder, resume=False)
    with pytest.raises(ModelError, match=rf"step {hit}: the loss is nan.*clip7"):
        loop.run()
    assert all(bool(torch.isfinite(weight).all()) for weight in loop.module.parameters())


def test_a_full_disk_keeps_the_last_good_state(tmp_path, latent_store, preset_file):
    preset = preset_file()
    folder = tmp_path / "run"
    train(preset, latent_store, folder, Settings(minutes=1e-9))
    before = (folder / "state.pt").read_bytes()
    code = (
        "import resource, signal, sys, torch; from pathlib import Path;"
        "from reference_models.training.loop import Settings; from reference_models.training.store import Store;"
        "from reference_models.training.train import train; torch.set_num_threads(1);"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) // 2}, {len(before) // 2}));"
        "train(sys.argv[1], Store(Path(sys.argv[2])), Path(sys.argv[3]), Settings(), resume=True)"
    )
    words = [sys.executable, "-c", code, preset, str(latent_store.folder), str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False, env={**os.environ})
    assert done.returncode == 1
    assert "the last good state is kept" in done.stderr
    assert (folder / "state.pt").read_bytes() == before
    assert [path.name for path in folder.glob(".*")] == []
    assert train(preset, latent_store, folder, Settings(), resume=True).finished


def test_a_damaged_state_is_named(tmp_path, latent_store, preset_file):
    folder = tmp_path / "run"
    train(preset_file(), latent_store, folder, Settings(minutes=1e-9))
    (folder / "state.pt").write_bytes(b"not a state")
    with pytest.raises(ModelError, match=r"state\.pt: cannot be read"):
        train(preset_file(), latent_store, folder, Settings(), resume=True)


def test_the_card_tells_what_made_the_checkpoint(tmp_path, latent_store, preset_file):
    result = train(preset_file(), latent_store, tmp_path / "run", Settings(), command="calm-eval train toy-calm")
    text = result.card.read_text()
    for part in ("toy-calm", "`calm-eval train toy-calm`", "8 of 8", "made by a test", "d" * 64, "c" * 64):
        assert part in text
    preset = load_model_preset(preset_file())
    notes = load_checkpoint(result.checkpoint, make_model(preset), preset)
    assert notes["steps"] == "8"
    assert notes["corpus_digest"] == "d" * 64


def test_bfloat16_trains_on_the_cpu_too(tmp_path, latent_store, preset_file):
    result = train(preset_file(), latent_store, tmp_path / "run", Settings(dtype="bfloat16"))
    assert result.finished
    assert Path(result.checkpoint).stat().st_size > 1000
