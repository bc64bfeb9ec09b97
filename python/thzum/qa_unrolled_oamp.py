#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Iterations drawn as chains of blocks give the numbers of the estimators; bad items stay alone."""

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

S, SIDE, SLOTS = 2, 8, 32
M, N = S * SLOTS, S * SIDE * SIDE
NOISE_VAR = 0.05
DENOISER = "bernoulli_gaussian"


def operator():
    return thzum.pilot_operator.hadamard(n_subarrays=S, rows=SIDE, cols=SIDE, n_slots=SLOTS, seed=1)


def pilots(count, seed=0):
    """y [count, M] of channels sparse in the angular domain, in noise."""
    rng = np.random.default_rng(seed)
    active = rng.random((count, S, SIDE, SIDE)) < 0.1
    sparse = active * (rng.standard_normal((*active.shape, 2)) @ [1, 1j])
    h = (np.fft.ifft2(sparse, norm="ortho") * np.sqrt(5)).astype(np.complex64)
    noise = rng.standard_normal((count, M, 2)) @ [1, 1j] * np.sqrt(NOISE_VAR / 2)
    return (operator().measure(h.reshape(count, N)) + noise).astype(np.complex64)


def denoiser_block(divergence_free=False, options=None):
    options = options or {"dictionary": "dft"}
    return thzum.onnx_denoiser(S, SIDE, SIDE, DENOISER, options, divergence_free=divergence_free)


def tag(item, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = item, pmt.intern(key), pmt.to_pmt(value)
    return made


def tags_of(sink, key):
    """{item: value} of the tags called ``key``."""
    return {t.offset: pmt.to_python(t.value) for t in sink.tags() if pmt.eq(t.key, pmt.intern(key))}


class OampChain:
    """y -> n pairs of linear estimator and denoiser -> sink."""

    def __init__(self, y, stages, linear="lmmse", divergence_free=False, noise_var=NOISE_VAR, tags=()):
        self.top = gr.top_block()
        source = blocks.vector_source_c(y.ravel(), False, M, list(tags))
        self.linear, self.denoisers, estimate = [], [], None
        for stage in range(stages):
            le = thzum.oamp_linear_estimator(operator(), linear, "dft", 0.2, noise_var)
            nle = denoiser_block(divergence_free and stage < stages - 1)
            self.top.connect(source, (le, 0))
            if estimate:
                self.top.connect(estimate, (le, 1))
            self.top.connect((le, 0), (nle, 0))
            self.top.connect((le, 1), (nle, 1))
            self.linear.append(le)
            self.denoisers.append(nle)
            estimate = nle
        self.sink = blocks.vector_sink_c(N)
        self.top.connect(estimate, self.sink)

    def run(self):
        self.top.run()
        return np.array(self.sink.data(), np.complex64).reshape(-1, N)


def amp_chain(y, stages):
    top = gr.top_block()
    source = blocks.vector_source_c(y.ravel(), False, M)
    before = None
    for _ in range(stages):
        module, nle = thzum.amp_linear_module(operator(), "dft", 0.2, NOISE_VAR), denoiser_block()
        top.connect(source, (module, 0))
        if before:
            top.connect((before[1], 0), (module, 1))
            top.connect((before[0], 2), (module, 2))
            top.connect((before[1], 1), (module, 3))
        top.connect((module, 0), (nle, 0))
        top.connect((module, 1), (nle, 1))
        before = module, nle
    sink = blocks.vector_sink_c(N)
    top.connect((before[1], 0), sink)
    top.connect((before[0], 2), blocks.null_sink(8 * M))
    top.connect((before[1], 1), blocks.null_sink(4))
    top.run()
    return np.array(sink.data(), np.complex64).reshape(-1, N)


def relative_error(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


class qa_unrolled_oamp(gr_unittest.TestCase):
    def test_chain_equals_fixed_point_iteration(self):
        y = pilots(5)
        for linear in ("lmmse", "matched", "pinv"):
            for stages in (1, 2, 4):
                options = dict(denoiser=DENOISER, dictionary="dft", linear=linear, max_iterations=stages, tolerance=0.0)
                expected = thzum.estimator("fpn_oamp", operator(), **options).estimate(y, NOISE_VAR)[0]
                self.assertLess(relative_error(OampChain(y, stages, linear).run(), expected), 1e-4)

    def test_divergence_free_chain_equals_oamp(self):
        y = pilots(3)
        options = dict(denoiser=DENOISER, dictionary="dft", max_iterations=3, tolerance=0.0, per_subarray=False)
        expected = thzum.estimator("oamp", operator(), **options).estimate(y, NOISE_VAR)[0]
        self.assertLess(relative_error(OampChain(y, 3, divergence_free=True).run(), expected), 1e-4)

    def test_amp_chain_equals_amp(self):
        y = pilots(4)
        for stages in (1, 2, 4):
            options = dict(denoiser=DENOISER, dictionary="dft", max_iterations=stages, tolerance=0.0)
            expected = thzum.estimator("amp", operator(), **options).estimate(y, NOISE_VAR)[0]
            self.assertLess(relative_error(amp_chain(y, stages), expected), 1e-4)

    def test_gain_cancels_in_the_chain(self):
        y = pilots(3)
        expected = OampChain(y, 3).run()
        for gain in (1e-6, 1e6):
            out = OampChain((y * np.float32(gain)), 3, noise_var=NOISE_VAR * gain**2).run() / gain
            self.assertLess(relative_error(out, expected), 1e-3)

    def test_noise_var_from_tags_and_tags_travel(self):
        y = pilots(3)
        tags = [tag(i, "thzum_noise_var", NOISE_VAR) for i in range(3)] + [tag(1, "thzum_frame", 17)]
        chain = OampChain(y, 2, noise_var=0.0, tags=tags)
        self.assertLess(relative_error(chain.run(), OampChain(y, 2).run()), 1e-6)
        self.assertEqual(tags_of(chain.sink, "thzum_frame"), {1: 17})

    def test_bad_items_leave_their_neighbours_alone(self):
        y = pilots(6)
        clean = OampChain(y, 3).run()
        bad = y.copy()
        bad[1, 3] = np.nan
        bad[3] = 0
        bad[4, 0] = -np.inf
        chain = OampChain(bad, 3)
        out = chain.run()
        self.assertEqual([bool(item.any()) for item in out], [True, False, True, False, False, True])
        self.assertLess(relative_error(out[[0, 2, 5]], clean[[0, 2, 5]]), 1e-5)
        self.assertEqual(tags_of(chain.sink, "thzum_skipped"), {1: "nan", 3: "zero", 4: "nan"})
        for block in chain.linear + chain.denoisers:
            self.assertEqual((block.processed(), block.skipped()), (3, 3))

    def test_denoiser_skips_an_unusable_variance(self):
        top = gr.top_block()
        r = np.ones((4, N), np.complex64)
        variance = [0.1, 0.0, float("nan"), -1.0]
        nle, sink = denoiser_block(), blocks.vector_sink_c(N)
        top.connect(blocks.vector_source_c(r.ravel(), False, N), (nle, 0))
        top.connect(blocks.vector_source_f(variance), (nle, 1))
        top.connect(nle, sink)
        top.run()
        out = np.array(sink.data()).reshape(-1, N)
        self.assertEqual([bool(item.any()) for item in out], [True, False, False, False])
        self.assertEqual(nle.skipped(), 3)

    def test_wrong_arguments(self):
        cases = [
            (lambda: thzum.oamp_linear_estimator(operator(), "zf"), "linear.*zf"),
            (lambda: thzum.oamp_linear_estimator(operator(), "lmmse", "wavelet"), "wavelet"),
            (lambda: thzum.oamp_linear_estimator(operator(), noise_var=-2.0), "noise_var"),
            (lambda: thzum.amp_linear_module(operator(), "wavelet"), "wavelet"),
            (lambda: thzum.onnx_denoiser(S, SIDE, SIDE, "median"), "median"),
            (lambda: thzum.onnx_denoiser(S, SIDE, SIDE, DENOISER, {"speed": 1}), "speed"),
            (lambda: thzum.onnx_denoiser(S, 0, SIDE, DENOISER), "rows"),
        ]
        for make, message in cases:
            with self.assertRaisesRegex(ValueError, message):
                make()

    def test_amp_module_refuses_half_a_stage(self):
        top = gr.top_block()
        module = thzum.amp_linear_module(operator(), "dft", 0.2, NOISE_VAR)
        y = pilots(1)
        top.connect(blocks.vector_source_c(y.ravel(), False, M), (module, 0))
        top.connect(blocks.vector_source_c(np.zeros(N), False, N), (module, 1))
        top.connect(module, blocks.null_sink(8 * N))
        with self.assertRaises(RuntimeError):
            top.run()


if __name__ == "__main__":
    gr_unittest.run(qa_unrolled_oamp)
