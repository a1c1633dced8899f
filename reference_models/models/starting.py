"""A model that begins with what another has learned, where both have the same parts."""

from __future__ import annotations

from reference_models.errors import ModelError
from reference_models.models.language_model import LanguageModel

PARTS = ("backbone.", "norm.", "conditioning.")


def begin_with(model: LanguageModel, other: LanguageModel) -> list[str]:
    """Copy backbone, its norm and the embedding of texts from `other`; the names of the copied tensors.

    What has another shape (embedded voice frames) keeps its own start. A model whose text nothing but its own loss
    teaches it to read takes long to find that out: one that reads hands it on.

    Raises ModelError when the backbones differ.
    """
    mine, theirs = model.state_dict(), other.state_dict()
    shared = {
        name: value
        for name, value in theirs.items()
        if name.startswith(PARTS) and name in mine and mine[name].shape == value.shape
    }
    backbone = {name for name in {**mine, **theirs} if name.startswith("backbone.")}
    if lacking := sorted(backbone - shared.keys()):
        raise ModelError(f"the two backbones differ in '{lacking[0]}': none can begin with the other's weights")
    model.load_state_dict({**mine, **shared})
    return sorted(shared)
