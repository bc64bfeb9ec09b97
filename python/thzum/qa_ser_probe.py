#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Symbol error probe: counts, what is left out, reports."""

import math
import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

K = 3


class qa_ser_probe(gr_unittest.TestCase):
    def run_probe(self, probe, detected, truth, debug=None):
        tb = gr.top_block()
        tb.connect(blocks.vector_source_i(np.ravel(detected).tolist(), False, K), (probe, 0))
        tb.connect(blocks.vector_source_i(np.ravel(truth).tolist(), False, K), (probe, 1))
        if debug:
            tb.msg_connect(probe, "report", debug, "store")
        tb.run()

    def test_counts(self):
        probe = thzum.ser_probe(K)
        self.assertTrue(math.isnan(probe.ser()))
        truth = np.zeros((100, K), int)
        detected = truth.copy()
        detected[:10, 0] = 3
        detected[:50, 1] = -1
        detected[60:70, 1] = 1
        truth[:, 2] = -1
        self.run_probe(probe, detected, truth)
        self.assertEqual((probe.errors(), probe.count()), (20, 150))
        self.assertAlmostEqual(probe.ser(), 20 / 150)
        per_user = probe.user_ser()
        self.assertEqual(per_user[:2], [0.1, 0.2])
        self.assertTrue(math.isnan(per_user[2]))
        probe.reset()
        self.assertEqual((probe.errors(), probe.count()), (0, 0))

    def test_reports(self):
        probe, debug = thzum.ser_probe(K, 40), blocks.message_debug()
        truth = np.arange(100 * K).reshape(100, K) % 4
        detected = truth.copy()
        detected[45, 1] ^= 1
        self.run_probe(probe, detected, truth, debug)
        deadline = time.monotonic() + 60
        while debug.num_messages() < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(debug.num_messages(), 2)
        first, second = (pmt.to_python(debug.get_message(i)) for i in range(2))
        self.assertEqual((first["errors"], first["count"], first["ser"]), (0, 40 * K, 0.0))
        self.assertEqual((second["errors"], second["count"]), (1, 80 * K))
        np.testing.assert_allclose(second["user_ser"], [0, 1 / 80, 0])

    def test_wrong_arguments(self):
        for arguments, fragment in (((0,), "n_users expects"), ((2, 0), "report_interval expects")):
            with self.assertRaisesRegex(ValueError, fragment):
                thzum.ser_probe(*arguments)


if __name__ == "__main__":
    gr_unittest.run(qa_ser_probe)
