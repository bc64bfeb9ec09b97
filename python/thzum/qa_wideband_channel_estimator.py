#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wideband channel estimator block: results, tags, bad items, reports, control while running."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

F, SHAPE, SLOTS, CARRIER, ITEMS = 4, (2, 8, 8), 32, 300e9, 6
FREQUENCIES = CARRIER + (np.arange(F) - 2) * 5e9


def tag(offset, key, value):
    t = gr.tag_t()
    t.offset, t.key, t.value, t.srcid = offset, pmt.intern(key), value, pmt.PMT_F
    return t


def dictionary(**entries):
    d = pmt.make_dict()
    for key, value in entries.items():
        d = pmt.dict_add(d, pmt.intern(key), value)
    return d


class qa_wideband_channel_estimator(gr_unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(1)
        self.op = thzum.pilot_operator.hadamard(*SHAPE, SLOTS, seed=2)
        row, col = np.mgrid[:8, :8] * 0.2
        waves = [
            np.exp(2j * np.pi * (f / CARRIER * (ux * col + uy * row) - f * delay))
            for ux, uy, delay in ((0.3, -0.2, 3e-12), (-0.5, 0.4, 21e-12))
            for f in FREQUENCIES
        ]
        h = np.add.reduce(np.reshape(waves, (2, F, 1, 64)) * rng.uniform(0.5, 1, (ITEMS, 2, 1, 2, 1)), axis=1)
        self.h = h.reshape(ITEMS, F, -1).astype(np.complex64)
        noise = rng.standard_normal((ITEMS, F, self.op.n_observations, 2)) @ [1, 1j]
        y = self.op.measure(self.h.reshape(-1, 128)).reshape(ITEMS, F, -1) + np.sqrt(0.05) * noise
        self.y = y.astype(np.complex64)
        self.noise_var = 0.1

    def wanted(self, noise_var=0.1, name="newtonized_omp", **options):
        estimator = thzum.wideband_estimator(name, self.op, FREQUENCIES, CARRIER, **options)
        return estimator.estimate(self.y, noise_var)[0]

    def block(self, *arguments, **options):
        return thzum.wideband_channel_estimator(self.op, FREQUENCIES, CARRIER, *arguments, **options)

    def run_through(self, block, tags=(), y=None):
        graph = gr.top_block()
        data = (self.y if y is None else y).ravel().tolist()
        source = blocks.vector_source_c(data, False, F * self.op.n_observations, list(tags))
        sink, messages = blocks.vector_sink_c(F * self.op.n_antennas), blocks.message_debug()
        graph.connect(source, block, sink)
        graph.msg_connect(block, "report", messages, "store")
        graph.run()
        deadline = time.monotonic() + 60
        while messages.num_messages() < ITEMS and time.monotonic() < deadline:
            time.sleep(0.01)
        reports = [pmt.to_python(messages.get_message(i)) for i in range(messages.num_messages())]
        return np.reshape(sink.data(), (-1, F, self.op.n_antennas)), sink.tags(), reports

    def test_estimates_are_those_of_the_object(self):
        h, _, _ = self.run_through(self.block(noise_var=self.noise_var))
        np.testing.assert_allclose(h, self.wanted(), atol=1e-4)
        h, _, _ = self.run_through(self.block())
        np.testing.assert_allclose(h, self.wanted(None), atol=1e-4)
        h, _, _ = self.run_through(self.block("newtonized_omp", {"gains": "free"}, self.noise_var))
        np.testing.assert_allclose(h, self.wanted(gains="free"), atol=1e-4)

    def test_tags_and_reports(self):
        tags = [tag(i, "thzum_noise_var", pmt.from_double(self.noise_var)) for i in range(ITEMS)]
        tags += [tag(i, "thzum_frame", pmt.from_long(10 + i)) for i in range(ITEMS)]
        block = self.block()
        h, out, reports = self.run_through(block, tags)
        np.testing.assert_allclose(h, self.wanted(), atol=1e-4)
        for key in ("frame", "iterations", "residual", "noise_var", "predicted_nmse_db"):
            found = [t.offset for t in out if pmt.symbol_to_string(t.key) == "thzum_" + key]
            self.assertEqual(found, list(range(ITEMS)), key)
        self.assertEqual([r["frame"] for r in reports], [10 + i for i in range(ITEMS)])
        for report in reports:
            self.assertAlmostEqual(report["noise_var"], self.noise_var, 5)
            self.assertGreater(report["latency_us"], 0)
            self.assertEqual(report["algorithm"], "newtonized_omp")
        self.assertEqual((block.estimates(), block.skipped()), (ITEMS, 0))

    def test_bad_items_are_skipped(self):
        y = self.y.copy()
        y[1], y[3, 2, 5] = 0, np.nan
        tags = [tag(4, "thzum_noise_var", pmt.from_double(-1.0))]
        tags += [tag(5, "thzum_skipped", pmt.intern("lost"))]
        block = self.block()
        h, out, reports = self.run_through(block, tags, y)
        good = [0, 2]
        np.testing.assert_allclose(h[good], self.wanted(None)[good], atol=1e-4)
        self.assertFalse(h[[1, 3, 4, 5]].any())
        reasons = {t.offset: pmt.to_python(t.value) for t in out if pmt.symbol_to_string(t.key) == "thzum_skipped"}
        self.assertEqual(reasons, {1: "zero", 3: "nan", 4: "noise_var", 5: "lost"})
        self.assertEqual([r.get("skipped") for r in reports], [None, "zero", None, "nan", "noise_var", "lost"])
        self.assertEqual((block.estimates(), block.skipped()), (2, 4))

    def test_control(self):
        block = self.block(noise_var=5.0)
        free = dictionary(
            algorithm=pmt.intern("newtonized_omp"),
            options=dictionary(gains=pmt.intern("free")),
            noise_var=pmt.from_double(self.noise_var),
        )
        for message in (free, pmt.intern("nonsense"), dictionary(algorithm=pmt.intern("none"))):
            block.to_basic_block()._post(pmt.intern("control"), message)
        h, _, _ = self.run_through(block)
        np.testing.assert_allclose(h, self.wanted(gains="free"), atol=1e-4)
        self.assertEqual(block.algorithm(), "newtonized_omp")
        self.assertIn('gains="free"', block.settings())
        self.assertAlmostEqual(block.noise_var(), self.noise_var)

    def test_array_options_go_to_those_that_take_them(self):
        centres = np.array([0, 40], complex)
        block = self.block(array_options={"spacing": 0.2, "subarray_centres": centres})
        self.assertIn("<2 values>", block.settings())

    def test_errors(self):
        for arguments, word in (
            (dict(algorithm="nothing"), "nothing"),
            (dict(options={"nothing": 1}), "nothing"),
            (dict(noise_var=-1.0), "noise_var"),
        ):
            with self.assertRaisesRegex(ValueError, word):
                self.block(**arguments)
        with self.assertRaisesRegex(ValueError, "frequencies"):
            thzum.wideband_channel_estimator(self.op, [], CARRIER)
        with self.assertRaisesRegex(ValueError, "frequencies"):
            thzum.wideband_channel_estimator(self.op, "all", CARRIER)
        block = self.block()
        with self.assertRaises(ValueError):
            block.set_algorithm("nothing")
        self.assertEqual(block.algorithm(), "newtonized_omp")


if __name__ == "__main__":
    gr_unittest.run(qa_wideband_channel_estimator)
