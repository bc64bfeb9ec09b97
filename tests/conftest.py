# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared fixtures: data, models and examples of the repository."""

import gc
import os
import pathlib
import sys

import pytest

import flowgraphs

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

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


@pytest.fixture(scope="session")
def qt_application():
    """The one Qt application of the process; it has to outlive every widget."""
    from PyQt5 import Qt

    _alive.append(Qt.QApplication.instance() or Qt.QApplication([sys.argv[0]]))
    return _alive[-1]


_alive = []


@pytest.fixture
def qt(qt_application):
    """The Qt application; widgets are deleted in this thread, not in whichever collects garbage."""
    yield qt_application
    gc.collect()
    qt_application.processEvents()


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    """Function from an example's name to its program, compiled once by grcc."""
    folder = tmp_path_factory.mktemp("examples")
    return lambda name: flowgraphs.compile_example(name, folder)
