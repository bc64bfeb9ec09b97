#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binding of the detectors: registry, properties, shapes, errors."""

import threading
import time

import numpy as np
from gnuradio import gr_unittest, thzum


class qa_detector(gr_unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(1)
        self.H = rng.standard_normal((4, 3)) + 1j * rng.standard_normal((4, 3))
        self.y = rng.standard_normal((6, 4)) + 1j * rng.standard_normal((6, 4))
        self.detector = thzum.detector("lmmse", n_rx=4, n_tx=3, constellation="16qam")

    def refused(self, fragments, call, *args, **kwargs):
        with self.assertRaises(ValueError) as caught:
            call(*args, **kwargs)
        for fragment in fragments:
            self.assertIn(fragment, str(caught.exception))

    def test_registry(self):
        for name, description in thzum.detectors().items():
            self.assertTrue(description)
            self.assertIn("llr", thzum.detector_options(name))
            detector = thzum.detector(name, 8, 4, "qpsk")
            self.assertEqual(detector.name, name)
        self.assertEqual(thzum.constellations(), ["bpsk", "qpsk", "16qam", "64qam", "256qam"])

    def test_properties(self):
        d = self.detector
        self.assertEqual((d.n_rx, d.n_tx, d.constellation, d.bits_per_symbol), (4, 3, "16qam", 4))
        self.assertEqual(d.points.shape, (16,))
        self.assertEqual(d.points.dtype, np.complex64)
        self.assertEqual(repr(d), "detector('lmmse', n_rx=4, n_tx=3, constellation='16qam', llr='max_log')")

    def test_shapes_and_dtypes(self):
        symbols, llr = self.detector.detect(self.H, self.y, 0.1)
        self.assertEqual((symbols.shape, symbols.dtype), ((6, 3), np.int32))
        self.assertEqual((llr.shape, llr.dtype), ((6, 3, 4), np.float32))
        x_hat, variance = self.detector.equalize(self.H, self.y[0], 0.1)
        self.assertEqual((x_hat.shape, x_hat.dtype), ((3,), np.complex64))
        self.assertEqual((variance.shape, variance.dtype), ((3,), np.float32))
        symbols, llr = self.detector.detect(self.H, self.y[:0], 0.1)
        self.assertEqual((symbols.shape, llr.shape), ((0, 3), (0, 3, 4)))

    def test_layouts_agree(self):
        wanted = self.detector.detect(self.H, self.y, 0.1)[1]
        for H in (np.asfortranarray(self.H), self.H.tolist(), np.repeat(self.H, 2, 0)[::2]):
            np.testing.assert_allclose(self.detector.detect(H, self.y, 0.1)[1], wanted, rtol=1e-6)

    def test_wrong_construction(self):
        self.refused(["name", "'zf' 'lmmse'", "'mmse'"], thzum.detector, "mmse", 4, 3, "qpsk")
        self.refused(["'qpsk'", "'8psk'"], thzum.detector, "zf", 4, 3, "8psk")
        self.refused(["n_rx", "got 0"], thzum.detector, "lmmse", 0, 3, "qpsk")
        self.refused(["n_tx", "got -1"], thzum.detector, "lmmse", 4, -1, "qpsk")
        self.refused(["unknown option 'damping'", "llr"], thzum.detector, "zf", 4, 3, "qpsk", damping=1)
        self.refused(["llr", "'log_map'", "'exact'"], thzum.detector, "zf", 4, 3, "qpsk", llr="exact")

    def test_wrong_arrays(self):
        detect = self.detector.detect
        self.refused(["H", "[4, 3]", "[3, 4]"], detect, self.H.T, self.y, 0.1)
        self.refused(["y", "[4]", "[6, 3]"], detect, self.H, self.y[:, :3], 0.1)
        self.refused(["y", "[5, 4]"], detect, np.stack([self.H] * 5), self.y, 0.1)
        self.refused(["y"], detect, np.stack([self.H] * 5), self.y[0], 0.1)
        self.refused(["noise_var", "[6]"], detect, self.H, self.y, [0.1, 0.2])
        self.refused(["noise_var"], detect, self.H, self.y[0], [0.1])
        self.refused(["H"], detect, "channel", self.y, 0.1)

    def test_wrong_values(self):
        detect = self.detector.detect
        bad = self.H.copy()
        bad[1, 1] = np.nan
        self.refused(["H", "finite"], detect, bad, self.y, 0.1)
        bad = self.y.copy()
        bad[3, 0] = np.inf
        self.refused(["y", "finite"], detect, self.H, bad, 0.1)
        for noise_var in (0.0, -1.0, 1e-60, np.nan, np.inf):
            self.refused(["noise_var"], detect, self.H, self.y, noise_var)
        self.refused(["noise_var"], detect, self.H, self.y, [0.1, 0.1, 0.1, 0.0, 0.1, 0.1])
        detect(self.H, self.y, 0.1)

    def test_gil_is_released(self):
        detector = thzum.detector("lmmse", 64, 48, "256qam", llr="log_map")
        rng = np.random.default_rng(2)
        H = rng.standard_normal((400, 64, 48)).astype(np.complex64)
        y = rng.standard_normal((400, 64)).astype(np.complex64)
        is_inside, most = threading.Event(), 0

        def run():
            is_inside.set()
            detector.detect(H, y, 0.1)
            is_inside.clear()

        # A machine that is busy with other things may give this thread no time within one of the calls.
        for _ in range(100):
            thread, ticks = threading.Thread(target=run), 0
            thread.start()
            while thread.is_alive():
                ticks += is_inside.is_set()
                time.sleep(1e-3)
            most = max(most, ticks)
            if most > 3:
                break
        self.assertGreater(most, 3)


if __name__ == "__main__":
    gr_unittest.run(qa_detector)
