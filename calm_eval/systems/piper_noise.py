"""Takes the random numbers out of a Piper voice: its two noise nodes become inputs of the graph.

The exported graph draws its own noise, so that a sample depends on everything the session made before it. Fed from
outside, the same (item, seed) always gives the same audio.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calm_eval.errors import UnavailableError
from calm_eval.keys import seed_from

FRAME_CHANNELS = 192  # width of the latent of every published Piper voice
DURATION_CHANNELS = 2


@dataclass(frozen=True)
class NoiseInput:
    """One noise node of the graph, the input that replaces it and the output that tells the shape it wanted."""

    node: str
    draw: str
    wanted: str
    channels: int


DURATION_NOISE = NoiseInput("/dp/RandomNormalLike", "noise_w_draw", "noise_w_wanted", DURATION_CHANNELS)
FRAME_NOISE = NoiseInput("/RandomNormalLike", "noise_draw", "noise_wanted", FRAME_CHANNELS)


def with_noise_inputs(path: Path) -> bytes:
    """The voice at `path` as a serialised ONNX graph with inputs `noise_w_draw` and `noise_draw`.

    Each takes float32 of shape [1, channels, any length]; the graph cuts it to the shape that the node would have had,
    and fills with zeros where the draw is too short. The outputs `noise_w_wanted` and `noise_wanted` (int64, [3]) are
    that shape: a caller must compare and draw again. Raises UnavailableError when the graph has other noise nodes.
    """
    import onnx

    model = onnx.load(str(path))
    names = sorted(node.name for node in model.graph.node if node.op_type.startswith("Random"))
    if names != sorted([DURATION_NOISE.node, FRAME_NOISE.node]):
        raise UnavailableError(
            f"{path.name}: expected the noise nodes {DURATION_NOISE.node} and {FRAME_NOISE.node}, found {names}: "
            "not a Piper voice that calm-eval can seed"
        )
    for noise in (DURATION_NOISE, FRAME_NOISE):
        _replace(model.graph, noise)
    onnx.checker.check_model(model)
    serialised: bytes = model.SerializeToString()
    return serialised


def _replace(graph: Any, noise: NoiseInput) -> None:
    """Put Slice(Concat(draw, zeros)) in the place of one RandomNormalLike node."""
    from onnx import TensorProto, helper

    at, node = next((at, node) for at, node in enumerate(graph.node) if node.name == noise.node)
    like, result = node.input[0], node.output[0]
    stem = f"calm_eval/{noise.draw}"
    graph.initializer.extend(
        [
            helper.make_tensor(f"{stem}/starts", TensorProto.INT64, [3], [0, 0, 0]),
            helper.make_tensor(f"{stem}/axes", TensorProto.INT64, [3], [0, 1, 2]),
        ]
    )
    zero = helper.make_tensor(f"{stem}/zero", TensorProto.FLOAT, [1], [0.0])
    # Zeros of the wanted length behind the draw keep the graph runnable when the draw is too short.
    added = [
        helper.make_node("Shape", [like], [noise.wanted], f"{stem}/shape"),
        helper.make_node("ConstantOfShape", [noise.wanted], [f"{stem}/zeros"], f"{stem}/fill", value=zero),
        helper.make_node("Concat", [noise.draw, f"{stem}/zeros"], [f"{stem}/long"], f"{stem}/concat", axis=2),
        helper.make_node(
            "Slice", [f"{stem}/long", f"{stem}/starts", noise.wanted, f"{stem}/axes"], [result], f"{stem}/slice"
        ),
    ]
    graph.node.remove(node)
    for offset, new in enumerate(added):
        graph.node.insert(at + offset, new)
    graph.input.append(
        helper.make_tensor_value_info(noise.draw, TensorProto.FLOAT, [1, noise.channels, f"{noise.draw}_length"])
    )
    graph.output.append(helper.make_tensor_value_info(noise.wanted, TensorProto.INT64, [3]))


def draw(noise: NoiseInput, length: int, item: str, seed: int, sentence: int) -> NDArray[np.float32]:
    """Standard normal noise of shape [1, channels, length] for one sentence of one sample.

    Drawn position by position: a longer draw begins with the shorter one.
    """
    generator = np.random.Generator(np.random.PCG64(seed_from(noise.draw, item, seed, sentence)))
    values = generator.standard_normal((length, noise.channels), dtype=np.float32)
    return np.ascontiguousarray(values.T)[None]
