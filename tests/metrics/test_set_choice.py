"""Many choices from two rows give what the metric itself says of each chosen set."""

from __future__ import annotations

import numpy as np
import pytest

from calm_eval.metrics.frechet import frechet_distance_raw
from calm_eval.metrics.frechet_choice import FrechetChoice
from calm_eval.metrics.kernel_choice import KernelChoice
from calm_eval.metrics.kernel_distance import kernel_distance


def clips(seed, count, dims, shift=0.0, prefix="item"):
    """Clips of one to three frames, float32, correlated over dimensions."""
    generator = np.random.default_rng(seed)
    mix = generator.normal(size=(dims, dims)) / np.sqrt(dims)
    return {
        f"{prefix}-{place}": (generator.normal(size=(1 + place % 3, dims)) @ mix + shift).astype(np.float32)
        for place in range(count)
    }


def chosen(first, second, choice, kept):
    names = sorted(first)
    return {
        name: (second if there else first)[name]
        for name, there, stays in zip(names, choice, kept, strict=True)
        if stays
    }


@pytest.mark.parametrize("dims", [6, 80])
@pytest.mark.parametrize("count", [12, 60])
def test_frechet_distances_of_choices(dims, count) -> None:
    """Few dimensions go by sums over items, many by Gram matrices of frames or of dimensions."""
    first, second = clips(1, count, dims), clips(2, count, dims, shift=0.3)
    references = clips(3, 50, dims, prefix="clip")
    wanted = np.concatenate(list(references.values()))
    masks = np.random.default_rng(5).integers(0, 2, size=(4, count)).astype(bool)
    kept = np.arange(count) % 5 != 0
    found = FrechetChoice(first, second, references)(masks, kept)
    for value, mask in zip(found, masks, strict=True):
        frames = np.concatenate(list(chosen(first, second, mask, kept).values()))
        assert value == pytest.approx(frechet_distance_raw(frames, wanted), rel=1e-6)


def test_kernel_distances_of_choices() -> None:
    first, second = clips(1, 15, 6), clips(2, 15, 6, shift=0.3)
    masks = np.random.default_rng(5).integers(0, 2, size=(4, 15)).astype(bool)
    kept = np.arange(15) % 4 != 0
    for references in (clips(3, 25, 6, prefix="clip"), clips(3, 25, 6)):  # The second shares ids with the items.
        found = KernelChoice(first, second, references)(masks, kept)
        for value, mask in zip(found, masks, strict=True):
            assert value == pytest.approx(kernel_distance(references, chosen(first, second, mask, kept)), rel=1e-9)


@pytest.mark.parametrize("kind", [FrechetChoice, KernelChoice])
def test_rows_of_other_items_and_too_little(kind) -> None:
    first, references = clips(1, 6, 4), clips(3, 25, 4, prefix="clip")
    with pytest.raises(ValueError, match="two rows of the same items"):
        kind(first, clips(2, 5, 4), references)
    one = kind(first, clips(2, 6, 4), references)
    assert np.isnan(one(np.zeros((1, 6), dtype=bool), np.arange(6) == 0)).all()
