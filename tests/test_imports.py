# SPDX-License-Identifier: GPL-3.0-or-later
"""What a receiver imports: nothing that only training, sweeps or files need."""

import subprocess
import sys

# Packages of requirements*.txt, and others that a receiver's machine may lack.
OPTIONAL = ("torch", "onnx", "onnxruntime", "distributed", "dask", "threadpoolctl", "h5py", "tqdm", "yaml", "matplotlib")


def test_the_module_imports_without_optional_packages():
    program = f"""
import sys
for name in {OPTIONAL!r}:
    sys.modules[name] = None
from gnuradio import thzum
op = thzum.pilot_operator.hadamard(2, 8, 8, 32, 1)
assert thzum.estimator("newtonized_omp", op) is not None
assert thzum.detector("ep", 8, 4, "qpsk") is not None
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
