"""What networks that are trained from scratch see: augmented batches, and channels that are standardised."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

_CHUNK = 5_000
"""Images that are counted at once, so that images which are mapped from disk need not be in memory."""


class Pixels(nn.Module):
    """Bring uint8 images (B, H, W, 3) to float32 (B, 3, H, W), standardised by the training images.

    The result keeps its channels last in memory, as the convolutions want them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, train_images: np.ndarray) -> None:
        """Take mean and standard deviation of each channel over all training images, uint8 (N, H, W, 3)."""
        super().__init__()
        levels = torch.arange(256, dtype=torch.float64)
        # From histograms: exact, and without a float copy of all images.
        counts = np.zeros((3, 256), dtype=np.int64)
        for first in range(0, len(train_images), _CHUNK):
            chunk = np.asarray(train_images[first : first + _CHUNK])
            counts += [np.bincount(chunk[..., channel].ravel(), minlength=256) for channel in range(3)]
        shares = torch.from_numpy(counts).double() / int(counts[0].sum())
        mean = shares @ levels
        variance = (shares * (levels - mean[:, None]).square()).sum(dim=1)
        self.register_buffer("mean", mean.float())
        self.register_buffer("deviation", variance.clamp(min=1e-6).sqrt().float())

    def forward(self, images: Tensor) -> Tensor:
        """Return the standardised images."""
        return ((images - self.mean) / self.deviation).permute(0, 3, 1, 2)


def augmented_batches(
    images: np.ndarray, labels: np.ndarray, count: int, *, translate: int, seed: int, epoch: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield one epoch of `count` nearly equal batches of augmented images with their labels.

    `images` is uint8 of shape (N, H, W, 3), `labels` int64 of shape (N,); batches have the same layout.
    Images are read as they are needed.
    Every image comes once. It is mirrored in every second epoch (which half of the images starts
    mirrored is random: the alternating flip of Jordan, 2024, arXiv:2404.00498), and shifted by up to
    `translate` pixels along both axes, the edge being filled by reflection.
    """
    first_flip = torch.randint(2, (len(images),), generator=_generator(seed))
    generator = _generator(seed, epoch)
    order = torch.randperm(len(images), generator=generator)
    shifts = torch.randint(-translate, translate + 1, (2, len(images)), generator=generator)
    mirrored = (first_flip + epoch) % 2 == 1
    for chosen in order.tensor_split(count):
        rows = _shifted(images.shape[1], shifts[0, chosen])
        columns = _shifted(images.shape[2], shifts[1, chosen])
        columns = torch.where(mirrored[chosen, None], columns.flip(1), columns)
        batch = torch.from_numpy(images[chosen.numpy()])
        places = torch.arange(len(chosen))[:, None, None], rows[:, :, None], columns[:, None, :]
        yield batch[places], torch.from_numpy(labels[chosen.numpy()])


def _generator(*entropy: int) -> torch.Generator:
    """Return a generator seeded from all of `entropy`, so that neighbouring seeds are unrelated."""
    return torch.Generator().manual_seed(int(np.random.SeedSequence(entropy).generate_state(1)[0]))


def _shifted(size: int, shifts: Tensor) -> Tensor:
    """Return the source positions (B, size) of an axis moved by each shift and reflected at its ends."""
    positions = (torch.arange(size) + shifts[:, None]).abs()
    return (size - 1) - ((size - 1) - positions).abs()
