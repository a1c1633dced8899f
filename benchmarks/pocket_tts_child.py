"""Generation steps of the public pocket-tts package, timed in an interpreter of its own.

Run by `step_speed.py` with an interpreter that has pocket-tts 4.0.1. Requests and answers are JSON, one a line, on
standard input and output:

    {"do": "build", "threads": 1, "prefix": 128, "length": 400, "seed": 0}
        -> {"package": "4.0.1", "torch": "...", "threads": 1, "parameters": {"transformer": ..., "flow_net": ...}}
    {"do": "steps", "count": 20}  ->  {"nanoseconds": [...]}

The model is the package's own for its config `english.yaml`, with random weights and without its tokenizer, which would
be a download. A step is the package's own `_run_flow_lm_and_increment_step` under `no_grad`, one latent in and one out.
The rest of its loop (end of speech, the queue to the decoder, its own timer) is left out, to its advantage.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

CONFIG = "english.yaml"
TEMPERATURE = 0.7
DECODE_STEPS = 1


class PocketSteps:
    """The package's model with `prefix` positions read, ready to step."""

    def __init__(self, threads: int, prefix: int, length: int, seed: int) -> None:
        part: Callable[[str], Any] = importlib.import_module
        models, states = part("pocket_tts.models.tts_model"), part("pocket_tts.modules.stateful_module")
        configs, texts = part("pocket_tts.utils.config"), part("pocket_tts.modules.text_conditioner")
        torch.set_num_threads(threads)  # after the import, which sets it to 1
        torch.manual_seed(seed)
        texts.build_tokenizer = lambda *_: None  # it would be downloaded; the step embeds no text
        config = configs.load_config(configs.CONFIGS_DIR / CONFIG)
        flow_lm = models.FlowLMModel.from_pydantic_config(
            config.flow_lm,
            latent_dim=config.mimi.quantizer.dimension,
            insert_bos_before_voice=config.flow_lm.insert_bos_before_voice,
        )
        self.model = models.TTSModel(
            flow_lm.eval(),
            temp=TEMPERATURE,
            sampler_decode_steps=DECODE_STEPS,
            noise_clamp=None,
            eos_threshold=config.default_eos_threshold,
            config=config,
        )
        self.model.mimi = torch.nn.Identity()  # the codec is no part of a step
        models.stamp_state_names(self.model)
        self.state = states.init_states(flow_lm, batch_size=1, sequence_length=prefix + length)
        self.latent = torch.full((1, 1, flow_lm.ldim), float("nan"))  # the package's sign for the start
        with torch.no_grad():
            self.model._run_flow_lm_and_increment_step(
                model_state=self.state, audio_conditioning=torch.randn(1, prefix, flow_lm.dim)
            )

    def run(self, count: int) -> list[int]:
        """Nanoseconds of each of the next `count` steps. Raises ValueError when a latent is not finite."""
        spent: list[int] = []
        with torch.no_grad():
            for _ in range(count):
                began = time.perf_counter_ns()
                self.latent, _ = self.model._run_flow_lm_and_increment_step(
                    model_state=self.state, backbone_input_latents=self.latent
                )
                spent.append(time.perf_counter_ns() - began)
        if not bool(self.latent.isfinite().all()):
            raise ValueError("pocket-tts made a latent that is not finite; try another seed")
        return spent

    def about(self) -> dict[str, Any]:
        """What was built: versions, threads, parameters of each part."""
        parts = self.model.flow_lm.named_children()
        return {
            "package": importlib.metadata.version("pocket-tts"),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
            "parameters": {name: sum(one.numel() for one in part.parameters()) for name, part in parts},
        }


def main() -> None:
    """Answer until standard input ends. What the package prints goes to standard error."""
    answers, sys.stdout = sys.stdout, sys.stderr
    steps: PocketSteps | None = None
    for line in sys.stdin:
        request = json.loads(line)
        match request.pop("do"):
            case "build":
                steps = PocketSteps(**request)
                answer = steps.about()
            case "steps" if steps is not None:
                answer = {"nanoseconds": steps.run(request["count"])}
            case other:
                raise ValueError(f"cannot do {other!r} now")
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
