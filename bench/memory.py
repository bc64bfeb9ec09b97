# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of the running receiver and size of the shipped model."""

import os
import pathlib
import subprocess
import sys

from gnuradio import thzum

_PROGRAM = """
import sys
from gnuradio import gr
baseline = [line for line in open('/proc/self/status') if line.startswith('VmRSS')][0].split()[1]
from gnuradio.thzum import demo
demo.main(['--frames', '8', '--png', sys.argv[1]])
peak = [line for line in open('/proc/self/status') if line.startswith('VmHWM')][0].split()[1]
print('MEMORY', baseline, peak)
"""


def receiver():
    """Resident memory in MB of a process that runs the demo's receiver, and bytes of the model file."""
    out = subprocess.run(
        [sys.executable, "-c", _PROGRAM, os.path.join(os.environ.get("THZUM_BUILD", "/tmp"), "bench-demo.png")],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    baseline, peak = (int(kb) / 1024 for kb in out.rsplit("MEMORY", 1)[1].split())
    model = pathlib.Path(thzum.Model("fpn_oamp").path)
    return dict(gnuradio_alone_mb=baseline, receiver_peak_mb=peak, model_bytes=model.stat().st_size)
