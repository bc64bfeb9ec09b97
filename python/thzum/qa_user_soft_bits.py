#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Soft bits by user: order, sign and limits, tags, and what gr-fec's LDPC decoder makes of them."""

import numpy as np
import pmt
from gnuradio import blocks, fec, gr, gr_unittest, thzum
from gnuradio.thzum.frame import bits_to_indices, constellation, ldpc_file

K, BITS, N_SYMBOLS = 3, 4, 75
ALIST = ldpc_file("n_0300_k_0152_gap_03")
N_INFO, N_CODED = 152, 300


def tag(offset, key, value):
    t = gr.tag_t()
    t.offset, t.key, t.value, t.srcid = offset, pmt.intern(key), value, pmt.PMT_F
    return t


def run(source, *chain, sink):
    tb = gr.top_block()
    tb.connect(source, *chain, sink)
    tb.run()
    return np.array(sink.data())


def encode(bits):
    coder = fec.encoder(fec.ldpc_encoder.make(ALIST), 1, 1)
    return run(blocks.vector_source_b(bits.ravel().tolist()), coder, sink=blocks.vector_sink_b()).reshape(-1, N_CODED)


def decode(soft):
    coder = fec.decoder(thzum.frame.ldpc_decoder(ALIST), 4, 1)
    return run(blocks.vector_source_f(soft.ravel().tolist()), coder, sink=blocks.vector_sink_b()).reshape(-1, N_INFO)


class qa_user_soft_bits(gr_unittest.TestCase):
    def soft_bits(self, llr, n_symbols=N_SYMBOLS, tags=(), sink=None, **options):
        n_users, bits = llr.shape[1:]
        source = blocks.vector_source_f(llr.ravel().tolist(), False, n_users * bits, list(tags))
        block = thzum.user_soft_bits(n_users, bits, n_symbols, **options)
        return run(source, block, sink=sink or blocks.vector_sink_f())

    def test_order_sign_and_limits(self):
        rng = np.random.default_rng(0)
        llr = 10 * rng.standard_normal((4 * 5 + 2, K, BITS)).astype(np.float32)
        soft = self.soft_bits(llr, 5, limit=8.0)
        wanted = -llr[:20].reshape(4, 5, K, BITS).transpose(0, 2, 1, 3)
        np.testing.assert_allclose(soft, np.clip(wanted, -8, 8).ravel(), rtol=1e-6)

    def test_nothing_is_zero_or_nan(self):
        llr = np.zeros((2, 1, 4), np.float32)
        llr[1] = [np.nan, np.inf, -np.inf, 1e-9]
        soft = self.soft_bits(llr, 2)
        np.testing.assert_allclose(np.abs(soft), [1e-4] * 5 + [20, 20, 1e-4], rtol=1e-6)
        self.assertTrue(soft[5] < 0 < soft[6])

    def test_tags(self):
        sink = blocks.vector_sink_f()
        tags = [tag(0, "thzum_frame", pmt.from_long(7)), tag(7, "note", pmt.intern("here"))]
        self.soft_bits(np.ones((10, K, 2), np.float32), 5, tags, sink)
        got = {}
        for t in sink.tags():
            got.setdefault(pmt.symbol_to_string(t.key), {})[t.offset] = pmt.to_python(t.value)
        self.assertEqual((got["thzum_frame"], got["note"]), ({0: 7}, {30: "here"}))
        self.assertEqual(got["thzum_user"], {10 * i: i % K for i in range(2 * K)})

    def test_detected_code_words_are_decoded(self):
        """Code words of all users, sent over a random channel, detected and decoded; the other sign decodes none."""
        rng = np.random.default_rng(1)
        sent = rng.integers(0, 2, (8, K, N_INFO)).astype(np.uint8)
        words = encode(sent).reshape(8, K, N_SYMBOLS, BITS)
        indices = bits_to_indices(words.reshape(8, K, -1), BITS)
        x = constellation("16qam")[indices].transpose(0, 2, 1).reshape(-1, K)
        H = (rng.standard_normal((6, K)) + 1j * rng.standard_normal((6, K))).astype(np.complex64)
        noise = rng.standard_normal((2, len(x), 6)) * np.sqrt(0.4 / 2)
        y = (x @ H.T + noise[0] + 1j * noise[1]).astype(np.complex64)
        _, llr = thzum.detector("ep", 6, K, "16qam").detect(H, y, 0.4)
        soft = self.soft_bits(llr)
        raw_errors = np.mean((soft > 0) != words.ravel())
        self.assertTrue(0.005 < raw_errors < 0.1, raw_errors)
        np.testing.assert_array_equal(decode(soft), sent.reshape(-1, N_INFO))
        self.assertTrue((decode(-soft) != sent.reshape(-1, N_INFO)).any(axis=1).all())

    def test_lost_vectors_are_erasures(self):
        """A tenth of the soft bits is zero, as skipped vectors have it: the code word is decoded all the same."""
        rng = np.random.default_rng(2)
        sent = rng.integers(0, 2, (10, N_INFO)).astype(np.uint8)
        words = encode(sent).reshape(10, N_SYMBOLS, BITS)
        llr = 8.0 * (1 - 2.0 * words)
        llr[:, 3:10] = 0
        soft = self.soft_bits(llr.reshape(-1, 1, BITS))
        np.testing.assert_array_equal(decode(soft), sent)

    def test_sigma_makes_them_likelihood_ratios(self):
        """At sqrt(1/2) the decoder is at least as good as with soft bits half or twice as strong, over 200 words."""
        rng = np.random.default_rng(3)
        sent = rng.integers(0, 2, (200, N_INFO)).astype(np.uint8)
        received = 1 - 2.0 * encode(sent) + 0.75 * rng.standard_normal((200, N_CODED))
        llr = (2 / 0.75**2 * received).reshape(-1, 1, BITS)
        soft = self.soft_bits(llr, limit=40.0)
        lost = [np.sum((decode(scale * soft) != sent).any(axis=1)) for scale in (0.3, 1, 4)]
        self.assertLess(lost[1], min(lost[0], lost[2]), lost)

    def test_wrong_arguments(self):
        for arguments, fragment in (
            ((0, 4, 5), "n_users expects"),
            ((3, 0, 5), "bits expects"),
            ((3, 4, 0), "n_symbols expects"),
            ((3, 4, 5, 0.0), "limit expects"),
            ((3, 4, 5, float("nan")), "limit expects"),
        ):
            with self.assertRaisesRegex(ValueError, fragment):
                thzum.user_soft_bits(*arguments)


if __name__ == "__main__":
    gr_unittest.run(qa_user_soft_bits)
