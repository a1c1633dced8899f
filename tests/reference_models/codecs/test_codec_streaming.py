from __future__ import annotations

import pytest
import torch
from codec_builders import FORMS, KINDS, codec, frames

from reference_models.errors import ModelError

COUNT = 11


@pytest.mark.parametrize("chunk", [1, 2, 5])
@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_decoding_in_pieces_equals_decoding_at_once(form: str, kind: str, batch: int, chunk: int) -> None:
    model = codec(form, kind)
    given = frames(kind, batch, COUNT)
    whole = model.decode(given)
    state = model.start(batch)
    pieces = [model.step(piece, state) for piece in given.split(chunk, dim=1)]
    last = model.flush(state)

    assert whole.shape == (batch, 1, COUNT * model.frame_size)
    assert pieces[0].shape[-1] == chunk * model.frame_size - model.latency
    assert all(piece.shape[-1] == chunk * model.frame_size for piece in pieces[1:-1])
    assert last.shape == (batch, 1, model.latency)
    joined = torch.cat([*pieces, last], dim=-1)
    assert joined.shape == whole.shape
    assert float(whole.std()) > 1e-3
    assert float((joined - whole).abs().max()) <= 1e-4


@pytest.mark.parametrize(("form", "latency"), [("seanet", 0), ("spectral", 480)])
def test_latency_is_declared(form: str, latency: int) -> None:
    assert codec(form).latency == latency


@pytest.mark.parametrize("form", FORMS)
def test_a_row_decodes_alike_alone_and_in_a_batch(form: str) -> None:
    model = codec(form)
    given = frames("vae", 3, 5)
    torch.testing.assert_close(model.decode(given)[1:2], model.decode(given[1:2]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("form", FORMS)
def test_streams_do_not_touch_and_keep_no_graph(form: str) -> None:
    model = codec(form)
    given = frames("vae", 2, 4)
    first, second = model.start(1), model.start(1)
    joined = []
    for number in range(4):
        joined.append(model.step(given[:1, number : number + 1], first))
        model.step(given[1:, number : number + 1], second)
    joined.append(model.flush(first))
    assert not joined[-1].requires_grad
    torch.testing.assert_close(torch.cat(joined, dim=-1), model.decode(given[:1]), atol=1e-4, rtol=0)


@pytest.mark.parametrize("form", FORMS)
def test_a_stream_without_frames_has_no_audio(form: str) -> None:
    model = codec(form)
    assert model.flush(model.start(2)).shape == (2, 1, 0)


def test_a_stream_refuses_other_rows_and_ends_once() -> None:
    model = codec("spectral")
    state = model.start(2)
    with pytest.raises(ModelError, match="3 rows into a stream of 2"):
        model.step(frames("vae", 3, 1), state)
    with pytest.raises(ModelError, match="frames"):
        model.step(frames("vae", 2, 0), state)
    model.flush(state)
    with pytest.raises(ModelError, match="flushed"):
        model.step(frames("vae", 2, 1), state)
    with pytest.raises(ModelError, match="flushed"):
        model.flush(state)
    with pytest.raises(ModelError, match="at least one"):
        model.start(0)


def test_the_memory_of_a_long_stream_does_not_grow() -> None:
    model = codec("seanet")
    state = model.start(1)

    def size() -> int:
        return sum(key.numel() for stage in state.decoder.stages if hasattr(stage, "memory") for key in stage.memory)

    before = size()
    assert before > 0
    for _ in range(60):  # 240 positions through a window of 6
        model.step(frames("vae", 1, 1), state)
    assert size() == before
