# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of the learned estimators."""

import torch
import torch.nn as nn


class _SharedBlock(nn.Module):
    """Residual block applied to every subarray, with a view of the mean over all of them.

    The pooled map is convolved once per channel rather than once per subarray: convolution is linear, so
    this equals a convolution of the concatenated maps at a fraction of the cost.
    """

    def __init__(self, width):
        super().__init__()
        self.modulation = nn.Linear(1, 2 * width)
        self.pool = nn.Conv2d(width, width, 1)
        self.own = nn.Conv2d(width, width, 3, padding=1)
        self.shared = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.out = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features, log_noise):
        # features [B*S, width, G, G], log_noise [B, 1]
        batch = log_noise.shape[0]
        width, grid = features.shape[1], features.shape[2]
        scale, shift = self.modulation(log_noise).reshape(batch, 1, 2 * width, 1, 1).chunk(2, 2)
        per_subarray = features.reshape(batch, -1, width, grid, grid)
        modulated = (per_subarray * (1 + scale) + shift).reshape(-1, width, grid, grid)
        pooled = torch.relu(self.pool(modulated)).reshape(batch, -1, width, grid, grid).mean(1)
        own = self.own(modulated).reshape(batch, -1, width, grid, grid)
        hidden = torch.relu(own + self.shared(pooled).unsqueeze(1)).reshape(-1, width, grid, grid)
        return features + self.out(hidden)


class SubarrayDenoiser(nn.Module):
    """Noise-conditioned denoiser shared by the subarrays (permutation equivariant in them).

    A residual network on the zoom-DFT image of each subarray; mean pooling over subarrays lets them agree
    on directions while their gains stay free. One network serves any number of subarrays and, through
    feature-wise modulation by the noise level, any noise level it was trained for.

    Args:
        grid: zoom-DFT bins per axis G.
        width: feature maps.
        blocks: residual blocks.
    """

    def __init__(self, grid=12, width=32, blocks=4):
        super().__init__()
        self.settings = dict(grid=grid, width=width, blocks=blocks)
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.position = nn.Parameter(torch.zeros(1, width, grid, grid))
        self.blocks = nn.ModuleList(_SharedBlock(width) for _ in range(blocks))
        self.tail = nn.Conv2d(width, 2, 3, padding=1)

    def forward(self, z, noise_std):
        """Denoise images ``z`` float32 [B, S, 2, G, G] of noise ``noise_std`` float32 [B] per coefficient.

        The scale is that of channels with unit power per antenna. The network sees the image at unit
        scale and its output is weighted by the noise level, so the correction vanishes with the noise.
        """
        batch, grid = z.shape[0], z.shape[-1]
        noise = noise_std.reshape(batch, 1, 1, 1, 1)
        shrink = torch.rsqrt(1 + noise * noise)
        log_noise = torch.log(noise_std).reshape(batch, 1)
        level = (0.5 * log_noise).reshape(batch, 1, 1, 1, 1) + torch.zeros_like(z[:, :, :1])
        image = torch.cat([z * shrink, level], 2).reshape(-1, 3, grid, grid)
        features = self.head(image) + self.position
        for block in self.blocks:
            features = block(features, log_noise)
        correction = self.tail(torch.relu(features)).reshape(z.shape)
        return z * (shrink * shrink) + correction * (noise * shrink)
