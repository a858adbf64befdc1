import torch

from experiments.models.seeding import seeded


def drawn(seed: int) -> list[float]:
    with seeded(seed):
        return torch.rand(3).tolist()


def test_a_block_draws_what_its_seed_says_and_leaves_what_is_drawn_elsewhere_as_it_is() -> None:
    torch.manual_seed(5)
    expected = torch.rand(2).tolist()
    torch.manual_seed(5)
    first = torch.rand(1).item()
    assert drawn(1) == drawn(1) != drawn(2)
    assert [first, torch.rand(1).item()] == expected
