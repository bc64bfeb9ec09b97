# SPDX-License-Identifier: GPL-3.0-or-later
"""The example flowgraphs: where they are, compiling them, their classes; waiting for a flowgraph that runs."""

import importlib.util
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / "examples"
EXAMPLES = sorted(ROOT.glob("**/*.grc"))

TIME_LIMIT = 120  # seconds, for a machine that is busy with other things


def compile_example(name, folder):
    """Path of the program that grcc makes of the example ``name`` in ``folder``."""
    path = folder / f"{name}.py"
    if not path.exists():
        source = next(example for example in EXAMPLES if example.stem == name)
        command = [shutil.which("grcc"), "-o", str(folder), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT)
        assert done.returncode == 0 and path.exists(), done.stdout + done.stderr
        assert "Error" not in done.stdout + done.stderr, done.stdout + done.stderr
    return path


def top_block(path):
    """The class that grcc generated."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, path.stem)


def wait_until(condition, qt=None, time_limit=TIME_LIMIT, state=lambda: ""):
    """Wait for ``condition()``, with events of the application ``qt``; too long is an error that tells ``state()``."""
    deadline = time.monotonic() + time_limit
    while not condition():
        assert time.monotonic() < deadline, state()
        if qt is not None:
            qt.processEvents()
        time.sleep(0.01)
