#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bindings of the denoisers: registries, options, arguments and their errors."""

import numpy as np
from gnuradio import gr_unittest, thzum


class qa_denoiser(gr_unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(1)
        parts = rng.standard_normal((2, 3, 4 * 64))
        self.r = (parts[0] + 1j * parts[1]).astype(np.complex64)
        self.denoiser = thzum.denoiser("soft_threshold", 4, 8, 8)

    def refused(self, argument, function, *arguments, **options):
        with self.assertRaises(ValueError) as raised:
            function(*arguments, **options)
        self.assertIn(argument, str(raised.exception))

    def test_registry(self):
        self.assertEqual(list(thzum.denoisers()), ["soft_threshold", "bernoulli_gaussian", "onnx"])
        for name, description in thzum.denoisers().items():
            self.assertTrue(description and "\n" not in description)
            for option in thzum.denoiser_options(name).values():
                self.assertTrue(option["description"])
        self.assertEqual(thzum.denoiser_options("bernoulli_gaussian")["em_iterations"]["default"], 10)
        self.refused("soft_threshold", thzum.denoiser_options, "none")

    def test_shapes(self):
        for r in (self.r, self.r.astype(complex), np.asfortranarray(self.r), np.repeat(self.r, 2, 1)[:, ::2]):
            x_hat, error, divergence = self.denoiser.denoise(r, 1.0)
            self.assertEqual((x_hat.dtype, x_hat.shape), (np.complex64, (3, 256)))
            self.assertEqual((error.dtype, error.shape), (np.float32, (3,)))
            self.assertEqual((divergence.dtype, divergence.shape), (np.float32, (3,)))
            np.testing.assert_array_equal(x_hat[1], self.denoiser.denoise(self.r[1], 1.0)[0])

    def test_arguments(self):
        self.refused("r", self.denoiser.denoise, self.r[:, :-1], 1.0)
        self.refused("r", self.denoiser.denoise, self.r[None], 1.0)
        self.refused("r", self.denoiser.denoise, "text", 1.0)
        self.refused("r", self.denoiser.denoise, np.where(self.r == self.r[0, 0], np.nan, self.r), 1.0)
        self.refused("variance", self.denoiser.denoise, self.r, [1.0, 1.0])
        for bad in (0.0, -1.0, np.nan, np.inf):
            self.refused("variance", self.denoiser.denoise, self.r, bad)

    def test_options(self):
        for factor in (2, 2.0, np.float32(2), np.int64(2)):
            self.assertIn("2*sqrt", repr(thzum.denoiser("soft_threshold", 4, 8, 8, threshold_factor=factor)))
        make = thzum.denoiser
        self.refused("soft_threshold", make, "none", 4, 8, 8)
        self.refused("threshold_factor", make, "soft_threshold", 4, 8, 8, threshold_factor=-1)
        self.refused("threshold_factor", make, "soft_threshold", 4, 8, 8, threshold_factor="large")
        self.refused("threshold_factor", make, "soft_threshold", 4, 8, 8, threshold_factor=None)
        self.refused("unknown option 'factor'", make, "soft_threshold", 4, 8, 8, factor=1)
        self.refused("dictionary", make, "soft_threshold", 4, 8, 8, dictionary="none")
        self.refused("rows", make, "soft_threshold", 4, 0, 8)
        self.refused("spacing", make, "soft_threshold", 4, 8, 8, spacing=-0.1)
        self.refused("max_batch", make, "soft_threshold", 4, 8, 8, max_batch=0)

    def test_missing_model(self):
        with self.assertRaisesRegex(RuntimeError, "no such file"):
            thzum.denoiser("onnx", 4, 8, 8, model="/nowhere/model.onnx")

    def test_repr(self):
        self.assertEqual(
            repr(self.denoiser), "soft_threshold(4x8x8, dictionary=dft, max_batch=16, threshold=SURE)"
        )


if __name__ == "__main__":
    gr_unittest.run(qa_denoiser)
