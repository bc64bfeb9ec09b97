# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running receiver has done so far: counters of its blocks and means of their reports."""

import threading

import numpy as np
import pmt
from gnuradio import gr

from .. import messages

_MOST_LATENCIES = 100_000


class Means:
    """Running sums of reports."""

    def __init__(self):
        self.count = {}
        self._sum = {}

    def add(self, name, value):
        """One more value, unless it is NaN."""
        if value == value:
            self.count[name] = self.count.get(name, 0) + 1
            self._sum[name] = self._sum.get(name, 0.0) + value

    def mean(self, name):
        """The mean, None before the first value."""
        return self._sum[name] / self.count[name] if name in self.count else None

    def mean_db(self, name):
        """The mean of ratios in dB, None before the first."""
        mean = self.mean(name)
        return None if mean is None else float(10 * np.log10(max(mean, 1e-30)))


class Monitor(gr.basic_block):
    """Collects reports (message port in: ``report``) of estimator, detectors and scorer.

    :meth:`since_last` gives the means since it was last asked, for a live table; :meth:`totals` those of all.
    """

    def __init__(self):
        gr.basic_block.__init__(self, name="thzum_monitor", in_sig=None, out_sig=None)
        self._lock = threading.Lock()
        self._all, self._late = Means(), Means()
        self._latencies = []
        self._refusals = messages.Refusals(gr.logger(self.alias()))
        port = pmt.intern("report")
        self.message_port_register_in(port)
        self.set_msg_handler(port, self.take)

    def take(self, message):
        """Handler of the port ``report``."""
        found = self._refusals.entries(message)
        if found is None:
            return
        if "vectors" in found:
            values = {"detection_us": messages.number(found, "latency_us")}
        else:
            values = {name: messages.number(found, name) for name in ("iterations", "latency_us")}
            for name in ("nmse_db", "predicted_nmse_db"):
                values[name] = 10 ** (messages.number(found, name) / 10)
        with self._lock:
            for name, value in values.items():
                self._all.add(name, value)
                self._late.add(name, value)
            latency = values.get("latency_us", float("nan"))
            if latency == latency and len(self._latencies) < _MOST_LATENCIES:
                self._latencies.append(latency)

    def since_last(self):
        """:class:`Means` of what was reported since the last call."""
        with self._lock:
            late, self._late = self._late, Means()
        return late

    def totals(self):
        """{name: number or None} over all reports, latencies in ms."""
        with self._lock:
            latencies = np.array(self._latencies) / 1e3
            means = self._all
            found = {
                "iterations": means.mean("iterations"),
                "predicted_nmse_db": means.mean_db("predicted_nmse_db"),
                "nmse_db": means.mean_db("nmse_db"),
            }
        p50, p99 = np.percentile(latencies, (50, 99)).tolist() if len(latencies) else (None, None)
        return {**found, "latency_p50_ms": p50, "latency_p99_ms": p99}

