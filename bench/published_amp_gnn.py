# SPDX-License-Identifier: GPL-3.0-or-later
"""PyTorch rendering of the published AMP-GNN detector, for its cost: a network on every pair of amplitudes.

After He et al., "Message passing meets graph neural networks: a new paradigm for massive MIMO systems", IEEE Trans.
Wireless Commun. 2024, with the settings of the authors' released code. It is not trained here: its weights are random,
only its time says something.
"""

import torch
from torch import nn


class PublishedAmpGnn(nn.Module):
    """Ten iterations of AMP, two rounds of the graph network in each; 16-QAM by default.

    Args:
        levels: amplitudes of an axis, a tensor.
    """

    def __init__(self, levels, width=8, state=64, iterations=10, rounds=2, damping=0.7):
        super().__init__()
        self.levels, self.iterations, self.rounds, self.damping = levels, iterations, rounds, damping
        self.start = nn.Linear(3, width)
        self.message = nn.Sequential(
            nn.Linear(2 * width + 2, state), nn.ReLU(), nn.Linear(state, 32), nn.ReLU(), nn.Linear(32, width)
        )
        self.update = nn.GRUCell(width + 2, state)
        self.shorten = nn.Linear(state, width)
        self.readout = nn.Sequential(
            nn.Linear(width, state), nn.ReLU(), nn.Linear(state, 32), nn.ReLU(), nn.Linear(32, len(levels))
        )
        self.width, self.state = width, state

    @torch.inference_mode()
    def forward(self, H, y, noise_var):
        """Probabilities of the levels [B, n, L] from real-valued H [B, m, n], y [B, m] and the variance of a row."""
        batch, rows, n = H.shape
        gram, energy = H.transpose(1, 2) @ H, H * H
        pairs = -gram[..., None]
        others = (1 - torch.eye(n))[..., None]
        noise = torch.full((batch, n, 1), noise_var)
        matched = (H.transpose(1, 2) @ y[..., None])[..., 0]
        node = self.start(torch.cat([matched[..., None], -torch.diagonal(gram, dim1=1, dim2=2)[..., None], noise], -1))
        hidden = torch.zeros(batch * n, self.state)
        x, v = torch.zeros(batch, n), torch.ones(batch, n)
        W, V = torch.zeros(batch, rows), torch.ones(batch, rows)
        for _ in range(self.iterations):
            new_V = (energy @ v[..., None])[..., 0]
            new_W = (H @ x[..., None])[..., 0] - new_V * (y - W) / (noise_var + V)
            V = self.damping * new_V + (1 - self.damping) * V
            W = self.damping * new_W + (1 - self.damping) * W
            precision = 1 / (noise_var + V)
            s = 1 / (energy.transpose(1, 2) @ precision[..., None])[..., 0]
            r = x + s * (H.transpose(1, 2) @ ((y - W) * precision)[..., None])[..., 0]
            for _ in range(self.rounds):
                node, hidden = self._round(node, hidden, pairs, others, noise_var, r, s)
            p = torch.softmax(self.readout(node), -1)
            x = p @ self.levels
            v = (p * (self.levels - x[..., None]) ** 2).sum(-1)
        return p

    def _round(self, node, hidden, pairs, others, noise_var, r, s):
        batch, n, _ = node.shape
        edge = torch.cat(
            [
                node[:, :, None].expand(-1, -1, n, -1),
                node[:, None].expand(-1, n, -1, -1),
                pairs,
                torch.full((batch, n, n, 1), noise_var),
            ],
            -1,
        )
        sums = (self.message(edge) * others).sum(2)
        inputs = torch.cat([sums, r[..., None], s[..., None]], -1).reshape(batch * n, -1)
        hidden = self.update(inputs, hidden)
        return self.shorten(hidden).reshape(batch, n, -1), hidden
