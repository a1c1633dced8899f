"""Which clips make a batch, and what a batch holds."""

import itertools
import math
from collections import Counter

import numpy as np
import torch
from toy_stores import latents, write_store

from reference_models.models.conditioning import without_text
from reference_models.text import Characters
from reference_models.training.feeds import Captioned, Spoken, Windows
from reference_models.training.order import POOL, Order
from reference_models.training.schedule import learning_rate


def test_every_epoch_holds_every_clip_once():
    order = Order([3] * 48, batch=2, seed=1)  # 48 clips are 24 batches: three pools
    epochs = [[index for step in range(24 * epoch, 24 * epoch + 24) for index in order.at(step)] for epoch in (0, 1)]
    assert all(Counter(epoch) == Counter(range(48)) for epoch in epochs)
    assert epochs[0] != epochs[1]


def test_clips_of_like_length_share_a_batch():
    lengths = [int(value) for value in np.random.default_rng(0).integers(10, 100, 64)]

    def padding(order):
        batches = [[lengths[index] for index in order.at(step)] for step in range(2 * POOL)]
        return sum(max(batch) - length for batch in batches for length in batch)

    unsorted = Order([0] * 64, batch=4, seed=3)
    assert padding(Order(lengths, batch=4, seed=3)) < 0.4 * padding(unsorted)


def test_a_step_asked_alone_gets_the_batch_that_it_gets_in_a_row():
    order = Order(list(range(20)), batch=3, seed=7)
    row = [order.at(step) for step in range(40)]
    assert [Order(list(range(20)), batch=3, seed=7).at(step) for step in reversed(range(40))] == row[::-1]
    assert [Order(list(range(20)), batch=3, seed=8).at(step) for step in range(40)] != row


def test_a_window_is_a_stretch_of_its_clip(tmp_path):
    store = write_store(tmp_path / "s", "latents", latents)
    feed = Windows(store, "train", batch=4, length=7, seed=0)
    clips = {row.id: store.read(row) for row in store.split("train")}
    starts = set()
    for step in range(20):
        given = feed.at(step)
        assert torch.equal(given.frames.frames, feed.at(step).frames.frames)
        for name, window in zip(given.ids, given.frames.frames, strict=True):
            places = [at for at in range(len(clips[name]) - 6) if torch.equal(clips[name][at : at + 7], window)]
            assert len(places) == 1
            starts.add(places[0])
    assert len(starts) > 5


def test_a_clip_shorter_than_the_window_is_padded_and_counted(tmp_path):
    store = write_store(tmp_path / "s", "latents", latents)
    batch = Windows(store, "train", batch=12, length=30, seed=0).at(0).frames
    assert sorted(batch.lengths.tolist()) == [20] * 4 + [21] * 4 + [22] * 4
    assert float(batch.frames[~batch.real()].abs().sum()) == 0.0


def test_audio_keeps_its_scale_within_sixteen_bits(tmp_path):
    wave = (np.sin(np.arange(200) / 9) * 20000).astype(np.int16)
    store = write_store(tmp_path / "s", "audio", lambda _: wave)
    segment = Windows(store, "train", batch=1, length=200, seed=0).at(0).audio
    assert segment.shape == (1, 1, 200)
    np.testing.assert_array_equal(segment[0, 0].numpy() * 32768, wave)


def test_the_first_codebooks_are_kept(tmp_path):
    store = write_store(
        tmp_path / "s",
        "codes",
        lambda index: np.tile(np.arange(16, dtype=np.uint8), (9, 1)) + np.uint8(index),
        codec="mini-rvq-speech",
    )
    frames = Windows(store, "train", 2, 5, 0, codebooks=3).at(0).frames.frames
    assert frames.shape == (2, 5, 3)
    assert frames.dtype == torch.int64
    assert bool((frames[..., 1] - frames[..., 0] == 1).all())


def test_a_sentence_brings_its_text_and_the_same_voice_from_another_sentence(tmp_path):
    store = write_store(tmp_path / "s", "latents", lambda index: np.full((10, 32), index, np.float16))
    alphabet = Characters(" abcdefghijklmnopqrstuvwxyz")
    feed = Spoken(store, "train", 4, 0, alphabet, voice=(2, 5))
    rows = {row.id: row for row in store.split("train")}
    for step in range(12):
        given = feed.at(step)
        for name, frames, condition in zip(given.ids, given.frames.frames, given.frames.conditions, strict=True):
            index, other = int(frames[0, 0]), int(condition.voice[0, 0])
            assert name == f"clip{index}"
            assert other != index
            assert other % 2 == index % 2  # voices alternate from clip to clip
            assert 2 <= len(condition.voice) <= 5
            assert condition.text.tolist() == alphabet.encode(rows[name].text)
            assert without_text(condition).text is None


def test_a_window_keeps_its_own_caption(tmp_path):
    texts = ("one two", "three", "four")
    store = write_store(tmp_path / "s", "latents", latents, texts=texts)
    alphabet = Characters(" abcdefghijklmnopqrstuvwxyz")
    given = Captioned(store, "train", 6, 5, 0, alphabet).at(3)
    for name, condition in zip(given.ids, given.frames.conditions, strict=True):
        assert condition.text.tolist() == alphabet.encode(texts[int(name[4:]) % 3])


def test_the_rate_rises_in_a_line_and_falls_with_a_cosine():
    rates = [learning_rate(step, 110, 0.4, 10, 0.1) for step in range(110)]
    assert math.isclose(rates[0], 0.04)
    assert math.isclose(rates[9], 0.4)
    assert math.isclose(rates[10], 0.4)
    assert math.isclose(rates[60], 0.4 * (0.1 + 0.9 / 2))
    assert math.isclose(learning_rate(110, 110, 0.4, 10, 0.1), 0.04)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[10:]))
