# SPDX-License-Identifier: GPL-3.0-or-later
"""A PyTorch rendering of the published FPN-OAMP estimator, untrained, for comparing speed.

Architecture as described by Yu et al., IEEE JSTSP 2023: dense real-valued linear step, and a residual
network on the four 16x16 subarrays stacked as eight channels. Weights are random: they cost the same.
"""

import torch
import torch.nn as nn

PUBLISHED_WEIGHTS = 361_992


class PublishedDenoiser(nn.Module):
    """3x3 convolution to 64 maps, three residual blocks with layer normalisation, 1x1 output stage."""

    def __init__(self, maps=64, size=16, channels=8):
        super().__init__()
        self.head = nn.Conv2d(channels, maps, 3, padding=1)
        self.head_norm = nn.LayerNorm([maps, size, size])
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(maps, maps, 3, padding=1), nn.ReLU(), nn.Conv2d(maps, maps, 3, padding=1), nn.ReLU()
            )
            for _ in range(3)
        )
        self.norms = nn.ModuleList(nn.LayerNorm([maps, size, size]) for _ in range(3))
        self.tail = nn.Sequential(nn.Conv2d(maps, maps, 1), nn.LeakyReLU(0.05), nn.Conv2d(maps, channels, 1))

    def forward(self, image):
        features = self.head_norm(torch.nn.functional.leaky_relu(self.head(image), 0.05))
        for block, norm in zip(self.blocks, self.norms):
            features = norm(features + block(features))
        return 0.99 * self.tail(features)


class PublishedEstimator:
    """The fixed-point iteration with its dense real-valued matrix pair, batch one."""

    def __init__(self, n_observations=512, n_antennas=1024):
        torch.manual_seed(0)
        self.network = PublishedDenoiser().eval()
        self.forward_matrix = torch.randn(2 * n_observations, 2 * n_antennas) / 45
        self.inverse_matrix = torch.linalg.pinv(self.forward_matrix)

    def linear_step(self, estimate, observation):
        """r = x + W (y - A x) with the matrix pair."""
        return estimate + self.inverse_matrix @ (observation - self.forward_matrix @ estimate)

    @torch.no_grad()
    def estimate(self, observation, iterations=15):
        """One estimate from a real-valued observation of 2 M entries."""
        estimate = self.inverse_matrix @ observation
        for _ in range(iterations):
            extrinsic = self.linear_step(estimate, observation)
            estimate = self.network(extrinsic.reshape(1, 8, 16, 16)).reshape(-1)
        return estimate
