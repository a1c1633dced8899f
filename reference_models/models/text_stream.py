"""The inner monologue (Moshi): a stream of text tokens, one a frame, drawn before the frame and fed back with it."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name that every reader knows

from reference_models.backbone.transformer import linear
from reference_models.heads.categorical import draw
from reference_models.heads.protocol import Sampling
from reference_models.noise import Noise


class TextStream(nn.Module):
    """Embedding and output layer of the text stream. How far text runs ahead of audio is a matter of the data."""

    def __init__(self, dim: int, tokens: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, dim)
        self.logits = linear(dim, tokens)
        nn.init.normal_(self.embedding.weight, std=dim**-0.5)

    def forward(self, words: Tensor) -> Tensor:
        """Embedded tokens, [..., dim]."""
        embedded: Tensor = self.embedding(words)
        return embedded

    def draw(self, z: Tensor, noise: Noise, temperature: float) -> Tensor:
        """One token a row from Z [batch, dim]; temperature 0 takes the likeliest."""
        return draw(self.logits(z), Sampling(temperature=temperature), noise.uniform(1)[:, 0])

    def loss(self, z: Tensor, words: Tensor) -> Tensor:
        """Mean cross-entropy in nats; `z` [batch, frames, dim], `words` [batch, frames], negative ones not counted."""
        return F.cross_entropy(self.logits(z).flatten(0, 1).float(), words.clamp(min=-1).flatten(), ignore_index=-1)
