# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendering of the published network that the benchmark compares speed with."""

import sys

import pytest
import torch


@pytest.fixture
def published(root, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(root / "bench"), *sys.path])
    import published_network

    return published_network


def test_rendering_has_as_many_weights_as_the_published_network(published):
    network = published.PublishedDenoiser()
    assert sum(weights.numel() for weights in network.parameters()) == published.PUBLISHED_WEIGHTS


def test_rendering_estimates_all_antennas(published):
    estimator = published.PublishedEstimator(n_observations=16, n_antennas=1024)
    assert estimator.estimate(torch.ones(32), iterations=1).shape == (2048,)
