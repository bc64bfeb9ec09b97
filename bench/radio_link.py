# SPDX-License-Identifier: GPL-3.0-or-later
"""A link over the virtual radio whose ends are processes: transmitter -> driver=thzum -> receiver."""

import json
import os
import pathlib
import queue
import signal
import subprocess
import sys
import threading
import time

ENDS = pathlib.Path(__file__).resolve().parent / "radio_ends.py"
TIME_LIMIT = 120  # seconds for anything to happen on a busy machine


class End:
    """A process of ``radio_ends.py``; :meth:`result` gives what it printed last."""

    def __init__(self, kind, address, rate, options=()):
        words = [sys.executable, "-u", str(ENDS), kind, "--address", address, "--rate", str(rate), *map(str, options)]
        self.process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines, self._errors = queue.Queue(), []
        self._threads = [
            threading.Thread(target=self._read_output, daemon=True),
            threading.Thread(target=self._read_errors, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read_output(self):
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _read_errors(self):
        self._errors.extend(self.process.stderr)

    def line(self, wanted, time_limit=TIME_LIMIT):
        """Waits for a line that begins with ``wanted``; RuntimeError with the process's words if none comes."""
        deadline = time.monotonic() + time_limit
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.01))
            except queue.Empty:
                self.kill()
                raise RuntimeError(f"no {wanted!r} within {time_limit} s: {self.errors}") from None
            if line is None:
                raise RuntimeError(f"ended without {wanted!r}: {self.errors}")
            if line.startswith(wanted):
                return line

    @property
    def errors(self):
        """What the process wrote to stderr so far."""
        return "".join(self._errors)

    def started(self):
        """Waits until the flowgraph runs."""
        self.line("started")
        return self

    def ready(self):
        """Waits until a receiver that was told to hold is built."""
        self.line("ready")
        return self

    def go(self):
        """Lets a receiver that holds start."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return self.started()

    def change(self, key, value):
        """Changes a setting of the receiver's device."""
        self.process.stdin.write(f"{key}:{value}\n")
        self.process.stdin.flush()

    def send(self, number):
        """Sends a signal."""
        self.process.send_signal(number)

    def kill(self):
        """Ends it at once, as a crash would."""
        self.process.kill()
        self.process.wait()

    def result(self, stop=False, after=0.0):
        """What it counted, when it ends, or in ``after`` seconds if ``stop``."""
        if stop:
            time.sleep(after)
            self.send(signal.SIGTERM)
        result = json.loads(self.line("{"))
        self.process.wait(TIME_LIMIT)
        return result


class Link:
    """Both ends on a medium of their own; everything is ended on leaving the context.

    Args:
        arguments: of the radio, such as "cfo=1000,ppm=5".
        rate: sample rate in Hz.
        seed: of the channel.
    """

    def __init__(self, arguments="", rate=50e3, seed=3):
        name = f"link-{os.getpid()}-{time.monotonic_ns()}"
        self.address = f"driver=thzum,medium={name},seed={seed}" + ("," + arguments if arguments else "")
        self.rate = rate
        self._ends = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for end in self._ends:
            if end.process.poll() is None:
                end.kill()

    def transmitter(self, frames, *options):
        """A transmitter of ``frames`` frames."""
        return self._start("transmitter", ["--frames", frames, *options])

    def receiver(self, *options):
        """A receiver."""
        return self._start("receiver", list(options))

    def _start(self, kind, options):
        self._ends.append(End(kind, self.address, self.rate, options))
        return self._ends[-1]


def account(result, user=0):
    """Of a user's frames from the first to the last good one: how many there were, good ones, ones reported lost."""
    count = result["good"][user]
    span = count["last"] - count["first"] + 1 if count["good"] else 0
    return dict(span=span, good=count["good"], reported=result["payload_lost"][user])
