# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared fixtures: data, models and examples of the repository."""

import gc
import importlib.util
import os
import pathlib
import re
import sys

import hypothesis
import pytest

import flowgraphs

# The same examples at every run; --hypothesis-profile=explore draws new ones.
hypothesis.settings.register_profile("repeatable", derandomize=True)
hypothesis.settings.register_profile("explore", derandomize=False)
hypothesis.settings.load_profile("repeatable")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

ROOT = pathlib.Path(__file__).resolve().parent.parent

#: Packages that a machine which only receives does not have.
OPTIONAL = ("onnx", "onnxruntime", "torch")


def pytest_addoption(parser):
    parser.addoption(
        "--leave-out-missing",
        action="store_true",
        help=f"leave out, and name, test files that import one of {', '.join(OPTIONAL)} where it is missing",
    )


def missing_packages(path, seen=()):
    """Optional packages that a test file, or a helper beside it, imports and that are not installed."""
    text = path.read_text()
    imported = re.findall(r"^(?:import|from) (\w+)", text, re.MULTILINE)
    if re.search(r"^(?:import|from) gnuradio\.thzum\.training\b", text, re.MULTILINE):
        imported += OPTIONAL  # training imports them all
    missing = {name for name in imported if name in OPTIONAL and importlib.util.find_spec(name) is None}
    for helper in {path.with_name(f"{name}.py") for name in imported} - {path, *seen}:
        if helper.is_file():
            missing |= missing_packages(helper, (path, *seen))
    return missing


def left_out(config):
    """Test files that ``--leave-out-missing`` leaves out -> the packages they lack."""
    if not config.getoption("--leave-out-missing"):
        return {}
    tests = sorted((ROOT / "tests").glob("test_*.py"))
    return {path: missing for path in tests if (missing := missing_packages(path))}


def pytest_ignore_collect(collection_path, config):
    return True if collection_path in left_out(config) else None


def pytest_report_header(config):
    return [f"left out: {path.name} (needs {', '.join(sorted(lack))})" for path, lack in left_out(config).items()]


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
