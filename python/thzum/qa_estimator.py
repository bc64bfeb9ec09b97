#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimator binding: arrays in and out, settings, threads."""

import threading

import numpy as np
from gnuradio import gr_unittest

from gnuradio import thzum


class qa_estimator(gr_unittest.TestCase):
    def setUp(self):
        self.op = thzum.pilot_operator.hadamard(n_subarrays=2, rows=8, cols=8, n_slots=32, seed=1)
        rng = np.random.default_rng(1)
        self.y = (rng.normal(size=(3, 64)) + 1j * rng.normal(size=(3, 64))).astype(np.complex64)

    def test_shapes_with_and_without_batch(self):
        est = thzum.estimator("oamp", self.op)
        h_hat, report = est.estimate(self.y, 0.1)
        self.assertEqual((h_hat.shape, h_hat.dtype), ((3, 128), np.complex64))
        self.assertEqual(report["residual_history"].shape, (3, report["iterations"].max()))
        for key in ("iterations", "residual", "noise_var", "predicted_nmse_db", "contraction"):
            self.assertEqual(report[key].shape, (3,))
        h_hat, report = est.estimate(self.y[0], 0.1)
        self.assertEqual(h_hat.shape, (128,))
        self.assertEqual(report["residual_history"].shape, (int(report["iterations"]),))
        for key in ("iterations", "residual", "noise_var", "predicted_nmse_db", "contraction"):
            self.assertEqual(report[key].shape, ())
        h_hat, report = est.estimate(self.y[:0], 0.1)
        self.assertEqual((h_hat.shape, report["iterations"].shape), ((0, 128), (0,)))

    def test_any_layout_and_width(self):
        est = thzum.estimator("ls", self.op)
        expected, _ = est.estimate(self.y, 0.1)
        for same in (self.y.astype(complex), np.asfortranarray(self.y), self.y.tolist()):
            np.testing.assert_array_equal(est.estimate(same, 0.1)[0], expected)
        np.testing.assert_array_equal(est.estimate(self.y, np.full(3, 0.1))[0], expected)

    def test_one_shot_report(self):
        _, report = thzum.estimator("ls", self.op).estimate(self.y, 0.1)
        np.testing.assert_array_equal(report["iterations"], 1)
        np.testing.assert_array_equal(report["residual"], 0)
        np.testing.assert_array_equal(report["residual_history"], np.zeros((3, 1)))
        self.assertTrue(np.all(np.isnan(report["contraction"])))

    def test_settings_are_readable(self):
        est = thzum.estimator("oamp", self.op, linear="matched", tolerance=0.01)
        self.assertEqual(est.options["linear"], "matched")
        self.assertEqual(est.options["divergence_free"], True)
        self.assertIn('linear="matched"', repr(est))
        self.assertEqual(est.op.n_slots, 32)
        self.assertEqual(est.name, "oamp")
        self.assertIn("default", thzum.estimator_options("oamp")["linear"])
        with self.assertRaisesRegex(ValueError, "expected one of ls"):
            thzum.estimator_options("nothing")

    def test_threads_with_an_estimator_each(self):
        operators = [
            thzum.pilot_operator.hadamard(n_subarrays=2, rows=8, cols=8, n_slots=32, seed=1) for _ in range(2)
        ]
        estimators = [thzum.estimator("oamp", op) for op in operators]
        expected, _ = estimators[0].estimate(self.y, 0.1)
        results = [None, None]

        def work(i):
            for _ in range(20):
                results[i] = estimators[i].estimate(self.y, 0.1)[0]

        threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            np.testing.assert_array_equal(result, expected)


if __name__ == "__main__":
    gr_unittest.run(qa_estimator)
