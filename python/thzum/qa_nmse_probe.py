#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""NMSE probe: the figure, what it leaves out, messages."""

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

VLEN = 24


def complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)


def skipped_tag(item):
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = item, pmt.intern("thzum_skipped"), pmt.intern("nan")
    return tag


class qa_nmse_probe(gr_unittest.TestCase):
    def run_probe(self, estimate, truth, tags=()):
        graph = gr.top_block()
        probe = thzum.nmse_probe(VLEN)
        sink, debug = blocks.vector_sink_f(), blocks.message_debug()
        graph.connect(blocks.vector_source_c(estimate.ravel(), False, VLEN, list(tags)), (probe, 0))
        graph.connect(blocks.vector_source_c(truth.ravel(), False, VLEN), (probe, 1))
        graph.connect(probe, sink)
        graph.msg_connect(probe, "report", debug, "store")
        graph.run()
        reports = [pmt.to_python(debug.get_message(i)) for i in range(debug.num_messages())]
        return probe, np.array(sink.data()), reports

    def test_known_ratios(self):
        truth = complex_normal(np.random.default_rng(1), 3, VLEN)
        errors = np.array([0.1, 0.5, 1.0])
        probe, out, reports = self.run_probe((truth * (1 + errors[:, None])).astype(np.complex64), truth)
        np.testing.assert_allclose(out, 20 * np.log10(errors), atol=1e-4)
        self.assertAlmostEqual(probe.nmse_db(), 10 * np.log10(np.mean(errors**2)), places=4)
        self.assertEqual(probe.count(), 3)
        self.assertEqual([r["count"] for r in reports], [1, 2, 3])
        self.assertAlmostEqual(reports[-1]["mean_nmse_db"], probe.nmse_db(), places=6)

    def test_does_not_depend_on_gain(self):
        rng = np.random.default_rng(2)
        truth, estimate = complex_normal(rng, 2, VLEN), complex_normal(rng, 2, VLEN)
        reference = self.run_probe(estimate, truth)[1]
        for gain in (1e-6, 1e6):
            out = self.run_probe(estimate * np.float32(gain), truth * np.float32(gain))[1]
            np.testing.assert_allclose(out, reference, atol=1e-4)

    def test_leaves_out_what_has_no_ratio(self):
        truth = complex_normal(np.random.default_rng(3), 5, VLEN)
        estimate = 1.1 * truth
        truth[0] = 0
        estimate[1, 3] = np.nan
        truth[2, 0] = np.inf
        probe, out, reports = self.run_probe(estimate.astype(np.complex64), truth, [skipped_tag(3)])
        self.assertEqual(list(np.isnan(out)), [True, True, True, True, False])
        self.assertEqual((probe.count(), probe.ignored(), len(reports)), (1, 4, 1))
        self.assertAlmostEqual(probe.nmse_db(), -20, places=3)

    def test_perfect_estimate_is_finite(self):
        truth = complex_normal(np.random.default_rng(4), 1, VLEN)
        self.assertAlmostEqual(self.run_probe(truth, truth)[1][0], -300, places=3)

    def test_reset(self):
        truth = complex_normal(np.random.default_rng(5), 2, VLEN)
        probe = self.run_probe(truth, truth)[0]
        probe.reset()
        self.assertEqual((probe.count(), probe.ignored()), (0, 0))
        self.assertTrue(np.isnan(probe.nmse_db()))

    def test_refuses_a_length_below_one(self):
        with self.assertRaisesRegex(ValueError, "vlen.*at least 1.*0"):
            thzum.nmse_probe(0)


if __name__ == "__main__":
    gr_unittest.run(qa_nmse_probe)
