"""Stores: what a codec makes of a corpus, made once."""

import numpy as np
import pytest
import torch

from calm_eval.data.corpus import CorpusClip, write_corpus
from reference_models.build import make_codec
from reference_models.checkpoint import load_checkpoint, save_checkpoint
from reference_models.errors import ModelError
from reference_models.presets import load_codec_preset, load_model_preset
from reference_models.training.corpus import Corpus
from reference_models.training.prepare import make_store, plan_training
from reference_models.training.store import Store, audio_store, frame_store


class Clips:
    identity, terms, count = "f" * 64, ("made by a test",), 5

    def clips(self):
        for index in range(5):
            wave = 0.1 * np.random.default_rng(index).standard_normal(6400 + 700 * index)
            split = "train" if index < 3 else "valid"
            yield CorpusClip(split, f"c{index}", wave.astype(np.float32), 16000, "one two", "me", ("sentence",))


@pytest.fixture
def corpus(tmp_path):
    return Corpus(write_corpus("noise", Clips(), tmp_path / "corpus"))


@pytest.fixture
def codec_file(tmp_path):
    def write(name):
        preset = load_codec_preset(name)
        codec = make_codec(preset)
        if preset.kind == "rvq":
            codec.train()(torch.randn(4, 1, 16000, generator=torch.Generator().manual_seed(0)))
        path = tmp_path / f"{name}.safetensors"
        save_checkpoint(path, codec, preset)
        return preset, path

    return write


@pytest.mark.parametrize(("name", "kind"), [("mini-vae-speech", "latents"), ("mini-rvq-speech", "codes")])
def test_a_store_holds_what_the_codec_makes_of_each_clip(tmp_path, corpus, codec_file, name, kind):
    preset, path = codec_file(name)
    store = frame_store(corpus, "sentence", preset, path, tmp_path / "cache")
    assert store.kind == kind
    codec = make_codec(preset).eval()
    load_checkpoint(path, codec, preset)
    for clip, row in zip(corpus.clips(), store.rows, strict=True):
        expected = codec.encode(corpus.samples(clip, 16000)[None, None])[0]
        assert (row.id, row.split, row.text, row.speaker) == (clip.id, clip.split, "one two", "me")
        if kind == "codes":
            assert torch.equal(store.read(row), expected)
        else:
            torch.testing.assert_close(store.read(row), expected, rtol=1e-3, atol=1e-4)  # float16


def test_a_store_is_made_once_and_again_for_another_codec(tmp_path, corpus, codec_file):
    preset, path = codec_file("mini-vae-speech")
    told = []
    first = frame_store(corpus, "", preset, path, tmp_path / "cache", lambda done, of: told.append(done))
    again = frame_store(corpus, "", preset, path, tmp_path / "cache", lambda done, of: told.append(done))
    assert told == [1, 2, 3, 4, 5]
    assert first.folder == again.folder
    other = make_codec(preset, seed=1)
    save_checkpoint(path, other, preset)
    assert frame_store(corpus, "", preset, path, tmp_path / "cache").folder != first.folder


def test_audio_is_kept_sample_by_sample(tmp_path, corpus):
    store = audio_store(corpus, "", 16000, tmp_path / "cache")
    clip = corpus.clips()[3]
    row = store.split("valid")[0]
    assert torch.equal(store.read(row), corpus.samples(clip, 16000))
    assert torch.equal(store.read(row, 100, 50), corpus.samples(clip, 16000)[100:150])


def test_an_unfinished_store_is_no_store(tmp_path, corpus):
    store = audio_store(corpus, "", 16000, tmp_path / "cache")
    (store.folder / "about.json").unlink()
    with pytest.raises(ModelError, match="no finished store"):
        Store(store.folder)


def test_a_model_is_not_trained_on_the_frames_of_another_codec(tmp_path, corpus, codec_file):
    preset, path = codec_file("mini-vae-speech")
    store = frame_store(corpus, "", preset, path, tmp_path / "cache")
    with pytest.raises(ModelError, match="holds latents"):
        plan_training(load_model_preset("mini-rq-speech"), store, "cpu")
    with pytest.raises(ModelError, match="wanted latents"):
        plan_training(load_model_preset("mini-calm-music"), store, "cpu")
    with pytest.raises(ModelError, match="wanted audio"):
        plan_training(preset, store, "cpu")


def test_a_missing_codec_says_what_to_train_first(tmp_path, corpus):
    with pytest.raises(ModelError, match="train it first"):
        make_store(load_model_preset("mini-calm-speech"), corpus, tmp_path / "cache", tmp_path / "none.safetensors")


def test_presets_of_the_papers_have_no_recipe(tmp_path, corpus):
    with pytest.raises(ModelError, match="has no recipe"):
        make_store(load_model_preset("calm-speech"), corpus, tmp_path / "cache", None)


def test_latents_are_normalised_with_the_training_clips(tmp_path, corpus, codec_file):
    preset, path = codec_file("mini-vae-speech")
    store = frame_store(corpus, "sentence", preset, path, tmp_path / "cache")
    model = plan_training(load_model_preset("mini-calm-speech"), store, "cpu").trainee.module
    rows = np.concatenate([store.read(row).numpy() for row in store.split("train")])
    np.testing.assert_allclose(model.latent_mean, rows.mean(axis=0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(model.latent_std, rows.std(axis=0, ddof=1), rtol=1e-4)
