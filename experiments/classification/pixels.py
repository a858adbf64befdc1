"""The first layer of every network that is trained here: from stored images to standardised channels."""

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
