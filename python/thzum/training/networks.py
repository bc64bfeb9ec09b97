# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of the learned estimators."""

import onnx
import torch
import torch.nn as nn


class _SharedBlock(nn.Module):
    """Residual block applied to every subarray, with a view of the mean over all of them.

    The pooled map is convolved once per channel rather than once per subarray: convolution is linear, so
    this equals a convolution of the concatenated maps at a fraction of the cost.
    """

    def __init__(self, width, grid):
        super().__init__()
        self.width, self.grid = width, grid
        self.modulation = nn.Linear(1, 2 * width)
        self.pool = nn.Conv2d(width, width, 1)
        self.own = nn.Conv2d(width, width, 3, padding=1)
        self.shared = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.out = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, features, log_noise, average):
        # features [B*S, width, G, G], log_noise [B, 1], average [B, 1, S] with entries 1/S
        batch, _, subarrays = average.shape
        maps = (self.width, self.grid, self.grid)
        scale, shift = self.modulation(log_noise).reshape(-1, 1, 2 * self.width, 1, 1).split(self.width, 2)
        modulated = (features.reshape(batch, subarrays, *maps) * (1 + scale) + shift).reshape(-1, *maps)
        pooled = torch.relu(self.pool(modulated)).reshape(batch, subarrays, -1)
        shared = self.shared((average @ pooled).reshape(-1, *maps)).reshape(-1, 1, *maps)
        own = self.own(modulated).reshape(batch, subarrays, *maps)
        return features + self.out(torch.relu(own + shared).reshape(-1, *maps))


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
        self.blocks = nn.ModuleList(_SharedBlock(width, grid) for _ in range(blocks))
        self.tail = nn.Conv2d(width, 2, 3, padding=1)

    def forward(self, z, noise_std):
        """Denoise images ``z`` float32 [B, S, 2, G, G] of noise ``noise_std`` float32 [B] per coefficient.

        The scale is that of channels with unit power per antenna. The network sees the image at unit
        scale and its output is weighted by the noise level, so the correction vanishes with the noise.
        """
        grid = self.settings["grid"]
        batch, subarrays = z.shape[:2]
        noise = noise_std.reshape(-1, 1, 1, 1, 1)
        shrink = torch.rsqrt(1 + noise * noise)
        log_noise = torch.log(noise_std).reshape(-1, 1)
        level = (0.5 * log_noise).reshape(-1, 1, 1, 1, 1) + torch.zeros_like(z[:, :, :1])
        average = torch.ones_like(z[:, :, 0, 0, 0]).reshape(batch, 1, subarrays) / subarrays
        features = self.head(torch.cat([z * shrink, level], 2).reshape(-1, 3, grid, grid)) + self.position
        for block in self.blocks:
            features = block(features, log_noise, average)
        correction = self.tail(torch.relu(features)).reshape(batch, subarrays, 2, grid, grid)
        return z * (shrink * shrink) + correction * (noise * shrink)


def load_denoiser(path):
    """The :class:`SubarrayDenoiser` of an exported ``.onnx`` file, to train it further.

    Raises:
        ValueError: where the file holds another network; the message says what is missing.
    """
    weights = {
        tensor.name: torch.from_numpy(onnx.numpy_helper.to_array(tensor).copy())
        for tensor in onnx.load(path).graph.initializer
    }
    if "position" not in weights:
        raise ValueError(f"{path}: expected a network that `./run train` made, no weights 'position' in it")
    _, width, grid, _ = weights["position"].shape
    blocks = sum(name.endswith("out.weight") for name in weights)
    network = SubarrayDenoiser(grid=grid, width=width, blocks=blocks)
    missing = sorted(set(network.state_dict()) - set(weights))
    if missing:
        raise ValueError(f"{path}: expected a network that `./run train` made, no weights {missing} in it")
    network.load_state_dict({name: weights[name] for name in network.state_dict()})
    return network
