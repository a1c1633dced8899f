"""The delay-pattern head: one softmax for each codebook, all at once from Z (MusicGen).

Given Z the codebooks are independent. What ties the codebooks of one frame together is that they stand in different
columns (`delays.py`), so that the backbone sees the earlier ones: the model's business, not this head's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.errors import ModelError
from reference_models.heads.categorical import check_request, code_loss, draw, guided_logits
from reference_models.heads.protocol import Sampling
from reference_models.noise import Noise


class DelayHead(nn.Module):
    """One linear map for each of `codebooks`, from `condition` to `cardinality` logits; no norm, no bias (MusicGen).

    Raises ModelError on a size below 1.
    """

    def __init__(self, condition: int, codebooks: int, cardinality: int) -> None:
        super().__init__()
        if min(condition, codebooks, cardinality) < 1:
            raise ModelError("condition, codebooks and cardinality must be at least 1")
        self.codebooks, self.cardinality = codebooks, cardinality
        self.weight = nn.Parameter(torch.empty(codebooks, cardinality, condition))
        nn.init.normal_(self.weight, std=condition**-0.5)

    def logits(self, z: Tensor, codes: Tensor | None = None) -> Tensor:
        """Z [N, condition] to logits [N, codebooks, cardinality], in one product; `codes` change nothing."""
        return F.linear(z, self.weight.flatten(0, 1)).view(z.shape[0], self.codebooks, self.cardinality)

    def loss(self, z: Tensor, target: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Cross-entropy of each column, [N], as `code_loss`; nothing is random. `target` [N, codebooks].

        Raises ModelError when the codes do not fit.
        """
        return code_loss(self.logits(z), target)

    def sample(self, z: Tensor, sampling: Sampling, noise: Noise, null: Tensor | None = None) -> Tensor:
        """One column of codes [N, codebooks], or its first `sampling.depth` codebooks; guidance is on the logits.

        Raises ModelError on a sampling, a noise or a null Z that does not fit.
        """
        check_request(z, sampling, noise, null, self.codebooks)
        count = sampling.depth or self.codebooks
        with torch.no_grad():
            logits = guided_logits(self.logits(z), None if null is None else self.logits(null), sampling.cfg)
            codes = draw(logits[:, :count].flatten(0, 1), sampling, noise.uniform(count).flatten())
        return codes.view(z.shape[0], count)

    def evaluations(self, sampling: Sampling) -> int:
        """0: there is no head network."""
        return 0
