# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared fixtures: data, models and examples of the repository."""

import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def root():
    """Root of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def data():
    """Folder of the test data."""
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def shipped_model():
    """Path of the shipped FPN-OAMP model."""
    return ROOT / "models" / "fpn_oamp.onnx"
