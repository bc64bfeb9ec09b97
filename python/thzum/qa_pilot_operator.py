#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bindings of the pilot operator, as a script would use them."""

import threading

import numpy as np
from gnuradio import gr_unittest, thzum


class qa_pilot_operator(gr_unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(1)
        shape = (3, 1024)
        self.h = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)
        self.signs = rng.choice([-1.0, 1.0], (4, 128, 256)).astype(np.float32) / 16

    def test_real_combiner(self):
        op = thzum.pilot_operator(self.signs, rows=16, cols=16)
        expected = np.einsum("sqn,bsn->bsq", self.signs.astype(float), self.h.reshape(3, 4, 256))
        np.testing.assert_allclose(op.measure(self.h), expected.reshape(3, 512), atol=2e-5)
        np.testing.assert_allclose(op.measure(self.h[1]), expected[1].ravel(), atol=2e-5)
        np.testing.assert_array_equal(op.combiner, self.signs)

    def test_properties(self):
        op = thzum.pilot_operator(self.signs, 16, 16, noise_model="common")
        self.assertEqual(op.shape, thzum.array_shape(4, 16, 16))
        self.assertEqual((op.shape.elements, op.shape.antennas), (256, 1024))
        self.assertEqual((op.n_slots, op.n_observations, op.n_antennas, op.rank), (128, 512, 1024, 128))
        self.assertEqual((op.noise_model, op.is_fast), ("common", False))
        self.assertEqual(
            repr(op),
            "pilot_operator(n_subarrays=4, rows=16, cols=16, n_slots=128, combiner=real, noise_model=common)",
        )
        self.assertEqual(
            repr(thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=7)),
            "pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=7)",
        )

    def test_seed_makes_the_combiner(self):
        first, again, other = (thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=s) for s in (1, 1, 2))
        np.testing.assert_array_equal(first.combiner, again.combiner)
        self.assertTrue(np.any(first.combiner != other.combiner))

    def test_operators_work_side_by_side_in_threads(self):
        operators = [thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=s) for s in range(4)]
        expected = [op.measure(self.h) for op in operators]
        results = [None] * len(operators)

        def measure(index):
            for _ in range(200):
                results[index] = operators[index].measure(self.h)

        threads = [threading.Thread(target=measure, args=(i,)) for i in range(len(operators))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result, reference in zip(results, expected):
            np.testing.assert_array_equal(result, reference)


if __name__ == "__main__":
    gr_unittest.run(qa_pilot_operator)
