# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sink that shows errors, iterations and latency of channel estimates over time."""

import threading
import time

import numpy as np
import pmt
from gnuradio import gr

from ..channel.hardware.checks import integer, real
from .. import messages
from .history_chart import HistoryChart

#: Series by key of a report, with the factor to the unit shown. A detector's report has "vectors" beside its latency.
SERIES = {"nmse_db": 1.0, "predicted_nmse_db": 1.0, "iterations": 1.0, "latency_us": 1e-3, "detection_us": 1e-3}


class Ring:
    """The newest ``size`` pairs of time and value."""

    def __init__(self, size):
        self._pairs, self._count = np.empty((2, size)), 0

    def add(self, moment, value):
        """One more pair."""
        self._pairs[:, self._count % self._pairs.shape[1]] = moment, value
        self._count += 1

    def pairs(self):
        """float64 [2, n], oldest first."""
        size = self._pairs.shape[1]
        if self._count <= size:
            return self._pairs[:, : self._count].copy()
        return np.roll(self._pairs, -(self._count % size), axis=1)


class history_sink(gr.basic_block):
    """Show over time what reports say of channel estimates: three charts, time runs to the right.

    NMSE in dB (of an nmse_probe's reports: nmse_db) with the estimator's own prediction (predicted_nmse_db),
    iterations, and latency in ms of estimates and of the detection of a frame. Message port in: ``report``, the
    dictionaries of any number of channel_estimator, nmse_probe and mimo_detector blocks. Entries that are missing or
    not finite are passed over; what is no dictionary is logged once, counted and dropped.

    Args:
        duration: seconds shown, 0.1 to 3600.
        n_points: reports kept of each quantity, 2 to 1000000; more than a duration brings are not shown.
        nmse_range: [lowest, highest] of the NMSE chart in dB.
        update_time: seconds between two pictures.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(self, duration=10.0, n_points=10000, nmse_range=(-40.0, 5.0), update_time=0.05):
        gr.basic_block.__init__(self, name="thzum_history_sink", in_sig=None, out_sig=None)
        self._duration = real("duration", duration, low=0.1, high=3600)
        n_points = integer("n_points", n_points, 2, 1_000_000)
        if len(nmse_range) != 2:
            raise ValueError(f"nmse_range: expected [lowest, highest] in dB, got {nmse_range!r}")
        lowest = real("nmse_range", nmse_range[0])
        highest = real("nmse_range", nmse_range[1], above=lowest)
        self._lock, self._begin = threading.Lock(), time.monotonic()
        self._series = {name: Ring(n_points) for name in SERIES}
        self._refusals = messages.Refusals(gr.logger(self.alias()))
        self._widget = HistoryChart(self.refresh, update_time, (lowest, highest))
        port = pmt.intern("report")
        self.message_port_register_in(port)
        self.set_msg_handler(port, self.take)

    def widget(self):
        """The Qt widget."""
        return self._widget

    def set_update_time(self, update_time):
        """Seconds between two pictures."""
        self._widget.set_update_time(update_time)

    def set_duration(self, duration):
        """Seconds shown."""
        self._duration = real("duration", duration, low=0.1, high=3600)

    def refused(self):
        """Messages that were dropped."""
        return self._refusals.count

    def take(self, message):
        """Handler of the port ``report``."""
        found = self._refusals.entries(message)
        if found is None:
            return
        if "vectors" in found:
            found = {"detection_us": found.get("latency_us")}
        moment = time.monotonic() - self._begin
        with self._lock:
            for name, factor in SERIES.items():
                value = messages.number(found, name)
                if value == value:
                    self._series[name].add(moment, factor * value)

    def series(self):
        """{name: float64 [2, n] of seconds before now (negative) and values} within the duration."""
        now = time.monotonic() - self._begin
        with self._lock:
            found = {name: ring.pairs() for name, ring in self._series.items()}
        for pairs in found.values():
            pairs[0] -= now
        return {name: pairs[:, pairs[0] >= -self._duration] for name, pairs in found.items()}

    def refresh(self):
        """Draw the last ``duration`` seconds; the timer calls it."""
        self._widget.show_series(self.series(), self._duration)
