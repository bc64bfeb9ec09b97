#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history sink draws reports at their heights, keeps the last seconds, and survives any message."""

import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pmt
from gnuradio import gr_unittest
from PyQt5 import QtGui, QtWidgets

from gnuradio.thzum.display import history_sink
from gnuradio.thzum.display.history_chart import binned
from gnuradio.thzum.display.history_sink import Ring
from gnuradio.thzum.display.screen import ticks
from gnuradio.thzum.plots import COLOURS


class qa_display_history(gr_unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["qa"])

    def heights(self, sink, number, colour):
        """Pixel rows within chart ``number`` that have exactly ``colour``, in a picture of 500 x 500."""
        sink.widget().resize(500, 500)
        sink.refresh()
        pixels, place = sink.widget().pixels(), sink.widget().place(number)
        same = (pixels == QtGui.QColor(colour).getRgb()[:3]).all(axis=2)
        same = same[int(place.top()) + 1 : int(place.bottom()), int(place.left()) : int(place.right())]
        return np.flatnonzero(same.any(axis=1)) + int(place.top()) + 1, place

    def test_values_are_at_their_heights(self):
        sink = history_sink(duration=60, nmse_range=(-40, 0))
        for _ in range(3):
            sink.take(pmt.to_pmt(dict(predicted_nmse_db=-30.0, iterations=3, latency_us=1500.0, frame=1)))
            sink.take(pmt.to_pmt(dict(nmse_db=-10.0)))
        for number, colour, share in (
            (0, COLOURS[0], 30 / 40), (0, COLOURS[1], 10 / 40), (1, COLOURS[2], 3 / 4), (2, COLOURS[4], 1.5 / 2),
        ):
            rows, place = self.heights(sink, number, colour)
            self.assertGreater(len(rows), 0)
            # A dot of two pixels' radius, and a pixel for where rows begin.
            self.assertLess(abs(np.mean(rows) - (place.bottom() - share * place.height())), 2.5)

    def test_reports_of_detectors_are_another_latency(self):
        sink = history_sink()
        sink.take(pmt.to_pmt(dict(vectors=96, latency_us=250.0, noise_var=0.1)))
        series = sink.series()
        self.assertEqual(series["latency_us"].shape[1], 0)
        np.testing.assert_allclose(series["detection_us"][1], [0.25])

    def test_only_the_last_seconds_and_points_stay(self):
        sink = history_sink(duration=600, n_points=4)
        for value in range(7):
            sink.take(pmt.to_pmt(dict(iterations=value)))
        series = sink.series()["iterations"]
        np.testing.assert_array_equal(series[1], [3, 4, 5, 6])
        self.assertTrue((np.diff(series[0]) >= 0).all() and (series[0] <= 0).all())
        sink = history_sink(duration=0.1)
        sink.take(pmt.to_pmt(dict(iterations=1)))
        time.sleep(0.15)
        self.assertEqual(sink.series()["iterations"].shape[1], 0)

    def test_ring(self):
        ring = Ring(3)
        for value in range(5):
            ring.add(value, 10 * value)
        np.testing.assert_array_equal(ring.pairs(), [[2, 3, 4], [20, 30, 40]])

    def test_binned_means_and_bounds(self):
        pairs = np.array([[-9.9, -5.1, -5.05, -0.01], [1.0, 2.0, 4.0, 8.0]])
        x, mean, smallest, largest = binned(pairs, 10.0, 30.0)  # ten bins of three pixels
        np.testing.assert_allclose(x, [1.5, 13.5, 28.5])
        np.testing.assert_allclose([mean, smallest, largest], [[1, 3, 8], [1, 2, 8], [1, 4, 8]])
        self.assertEqual(len(binned(np.empty((2, 0)), 10.0, 30.0)[0]), 0)

    def test_ticks(self):
        self.assertEqual(ticks(-40, 5, 5), [-40, -30, -20, -10, 0])
        self.assertEqual(ticks(0, 1, 2), [0, 0.5, 1])
        self.assertEqual(ticks(3, 3), [3])

    def test_hostile_messages_are_dropped(self):
        sink = history_sink()
        for entry in (pmt.PMT_T, pmt.intern("report"), pmt.from_double(1.0), pmt.init_f32vector(2, [1, 2])):
            sink.take(entry)
        self.assertEqual(sink.refused(), 4)
        for value in (float("nan"), float("inf"), "many", None, [1, 2], True):
            sink.take(pmt.to_pmt(dict(iterations=value, latency_us=value, nmse_db=value, predicted_nmse_db=value)))
        self.assertTrue(all(pairs.shape[1] == 0 for pairs in sink.series().values()))
        sink.take(pmt.to_pmt(dict(iterations=1e300, latency_us=-1e300, nmse_db=1e300)))
        sink.take(pmt.to_pmt(dict(iterations=0, latency_us=0, nmse_db=-1e300)))
        sink.refresh()
        self.assertFalse(sink.widget().grab().isNull())

    def test_bad_arguments_are_refused(self):
        wrong = dict(duration=0, n_points=1, nmse_range=(1, 0), update_time=0)
        for name, value in wrong.items():
            with self.assertRaisesRegex(ValueError, name):
                history_sink(**{name: value})


if __name__ == "__main__":
    gr_unittest.run(qa_display_history)
