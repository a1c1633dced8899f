import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def awake():
    """A module whose zero-initialised weights are random too, so that every part has a say."""

    def wake(module, seed=1):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for weight in module.parameters():
                if not weight.any():
                    weight.copy_(torch.randn(weight.shape, generator=generator) * 0.1)
        return module.eval()

    return wake
