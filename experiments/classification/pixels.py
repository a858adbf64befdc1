"""The first layer of every network that is trained here: from stored images to standardised channels."""

import torch
from torch import Tensor, nn


class Pixels(nn.Module):
    """Bring uint8 images (B, H, W, 3) to float32 (B, 3, H, W), standardised by the training images.

    The result keeps its channels last in memory, as the convolutions want them.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, train_images: Tensor) -> None:
        """Take mean and standard deviation of each channel over all training images, uint8 (N, H, W, 3)."""
        super().__init__()
        levels = torch.arange(256, dtype=torch.float64)
        # From histograms: exact, and without a float copy of all images.
        counts = [train_images[..., channel].flatten().bincount(minlength=256) for channel in range(3)]
        shares = torch.stack(counts).double() / train_images[..., 0].numel()
        mean = shares @ levels
        variance = (shares * (levels - mean[:, None]).square()).sum(dim=1)
        self.register_buffer("mean", mean.float())
        self.register_buffer("deviation", variance.clamp(min=1e-6).sqrt().float())

    def forward(self, images: Tensor) -> Tensor:
        """Return the standardised images."""
        return ((images - self.mean) / self.deviation).permute(0, 3, 1, 2)
