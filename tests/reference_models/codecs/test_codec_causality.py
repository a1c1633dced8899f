from __future__ import annotations

import pytest
import torch
from codec_builders import FORMS, KINDS, codec, frames, noise

CUT = 4


@pytest.mark.parametrize("form", FORMS)
def test_later_samples_change_no_earlier_latent(form: str) -> None:
    model = codec(form)
    audio = 0.3 * noise(1, 1, 8 * model.frame_size)
    changed = audio.clone()
    changed[..., CUT * model.frame_size :] += 0.3 * noise(1, 1, 4 * model.frame_size, seed=9)
    before, after = model.encode(audio), model.encode(changed)
    torch.testing.assert_close(after[:, :CUT], before[:, :CUT], atol=1e-5, rtol=0)
    assert float((after[:, CUT] - before[:, CUT]).abs().max()) > 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_the_last_samples_of_a_frame_do_reach_it(form: str) -> None:
    model = codec(form)
    audio = 0.3 * noise(1, 1, 8 * model.frame_size)
    changed = audio.clone()
    changed[..., CUT * model.frame_size - 40 : CUT * model.frame_size] += 1.0
    moved = (model.encode(changed) - model.encode(audio)).abs().amax(dim=(0, 2))
    assert float(moved[: CUT - 1].max()) < 1e-5
    # A Hann window gives a frame's last samples little weight, but some.
    assert float(moved[CUT - 1]) > 1e-3


@pytest.mark.parametrize("form", FORMS)
def test_later_frames_change_no_audio_that_a_stream_has_sent(form: str) -> None:
    model = codec(form)
    given = frames("vae", 1, 8)
    changed = given.clone()
    changed[:, CUT:] += 1.0
    sent = CUT * model.frame_size - model.latency
    before, after = model.decode(given), model.decode(changed)
    torch.testing.assert_close(after[..., :sent], before[..., :sent], atol=1e-5, rtol=0)
    assert (
        float((after[..., sent : sent + model.frame_size] - before[..., sent : sent + model.frame_size]).abs().max())
        > 1e-3
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_the_right_is_padded_with_zeros_to_whole_frames(form: str, kind: str) -> None:
    model = codec(form, kind)
    audio = 0.3 * noise(2, 1, 2 * model.frame_size + 1)
    padded = torch.nn.functional.pad(audio, (0, model.frame_size - 1))
    assert model.encode(audio).shape[1] == 3
    torch.testing.assert_close(model.encode(audio), model.encode(padded))
    assert model.frame_rate == pytest.approx(16_000 / model.frame_size)
