"""Controls: closed forms for the noise, laws for the shuffle."""

from __future__ import annotations

import numpy as np
import pytest
from tones import tone

from calm_eval.audio.clip import Clip
from calm_eval.data.item import Item
from calm_eval.systems.controls import ControlEngine, add_noise, derange


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 5.0, 20.0])
def test_noise_has_the_ratio_that_was_asked(snr_db):
    clip = Clip(0.1 * tone(2.0)[None], 16000)
    noisy = add_noise(clip, snr_db, seed=1)
    # Undo the scaling that keeps the sum within full scale: least squares of the clean signal.
    clean = clip.samples[0].astype(np.float64)
    mixed = noisy.samples[0].astype(np.float64)
    gain = (mixed @ clean) / (clean @ clean)
    noise = mixed / gain - clean
    measured = 10 * np.log10(np.mean(clean**2) / np.mean(noise**2))
    assert measured == pytest.approx(snr_db, abs=0.15)
    assert np.abs(mixed).max() <= 1.0


def test_noise_belongs_to_its_seed():
    clip = Clip(tone(0.2)[None], 16000)
    assert np.array_equal(add_noise(clip, 5, 1).samples, add_noise(clip, 5, 1).samples)
    assert not np.array_equal(add_noise(clip, 5, 1).samples, add_noise(clip, 5, 2).samples)


def items(**speakers):
    return [Item(name, text=name, speaker=speaker) for name, speaker in speakers.items()]


def test_a_shuffle_gives_everybody_another_text_in_the_same_voice():
    everybody = items(a="x", b="x", c="x", d="y", e="y", f="z", g="w")
    partner = derange(everybody)
    assert set(partner) == set("abcdefg")
    assert sorted(one.id for one in partner.values()) == sorted("abcdefg")
    for item in everybody:
        assert partner[item.id].id != item.id
        if item.speaker in "xy":
            assert partner[item.id].speaker == item.speaker
    # f and g are alone with their speakers, and change places.
    assert (partner["f"].id, partner["g"].id) == ("g", "f")


def test_a_lonely_item_fails_by_name_instead_of_getting_its_own_text():
    alone = items(a="x")
    engine = ControlEngine("shuffled_texts", {}, alone)
    [outcome] = engine.generate(alone, 0, "tts", {})
    assert outcome.failure == "no-other-text"
    assert derange(items(a="x", b="x", c="y")).keys() == {"a", "b"}
