#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Block error probe: counts per user, incomplete blocks, reports."""

import math
import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

SIZE, K = 11, 3


class qa_block_error_probe(gr_unittest.TestCase):
    def run_probe(self, probe, decoded, sent, debug=None):
        tb = gr.top_block()
        tb.connect(blocks.vector_source_b(np.ravel(decoded).tolist()), (probe, 0))
        tb.connect(blocks.vector_source_b(np.ravel(sent).tolist()), (probe, 1))
        if debug:
            tb.msg_connect(probe, "report", debug, "store")
        tb.run()

    def test_counts(self):
        probe = thzum.block_error_probe(SIZE, K)
        self.assertTrue(math.isnan(probe.bler()) and math.isnan(probe.ber()))
        sent = np.random.default_rng(0).integers(0, 2, (1000, K, SIZE))
        decoded = sent.copy()
        decoded[10, 0, :] ^= 1
        decoded[20:25, 2, 4] ^= 1
        self.run_probe(probe, decoded.ravel()[:-1], sent)  # the last block is not whole
        self.assertEqual((probe.block_errors(), probe.bit_errors(), probe.count()), (6, SIZE + 5, 1000 * K - 1))
        self.assertAlmostEqual(probe.bler(), 6 / (1000 * K - 1))
        self.assertAlmostEqual(probe.ber(), (SIZE + 5) / (1000 * K - 1) / SIZE)
        np.testing.assert_allclose(probe.user_bler(), [1 / 1000, 0, 5 / 999])
        probe.reset()
        self.assertEqual((probe.block_errors(), probe.bit_errors(), probe.count()), (0, 0, 0))

    def test_reports(self):
        probe, debug = thzum.block_error_probe(SIZE, K, 40), blocks.message_debug()
        sent = np.zeros((100, SIZE), int)
        decoded = sent.copy()
        decoded[45, :2] = 1
        self.run_probe(probe, decoded, sent, debug)
        deadline = time.monotonic() + 60
        while debug.num_messages() < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertEqual(debug.num_messages(), 2)
        first, second = (pmt.to_python(debug.get_message(i)) for i in range(2))
        self.assertEqual((first["block_errors"], first["count"], first["bler"]), (0, 40, 0.0))
        self.assertEqual((second["block_errors"], second["bit_errors"], second["count"]), (1, 2, 80))
        np.testing.assert_allclose(second["user_bler"], [1 / 27, 0, 0])

    def test_wrong_arguments(self):
        for arguments, fragment in (
            ((0,), "block_size expects"),
            ((2, 0), "n_users expects"),
            ((2, 1, 0), "report_interval expects"),
        ):
            with self.assertRaisesRegex(ValueError, fragment):
                thzum.block_error_probe(*arguments)


if __name__ == "__main__":
    gr_unittest.run(qa_block_error_probe)
