#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Effective channel block: product with the combiner, tags, bad users."""

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

S, N, K, FRAMES, BEAMS = 3, 16, 4, 10, 7


def tag(offset, key, value):
    t = gr.tag_t()
    t.offset, t.key, t.value, t.srcid = offset, pmt.intern(key), value, pmt.PMT_F
    return t


class qa_effective_channel(gr_unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(4)
        real, imag = rng.standard_normal((2, FRAMES, K, S, N))
        self.h = (real + 1j * imag).astype(np.complex64)
        codebook = rng.standard_normal((BEAMS, N)) + 1j * rng.standard_normal((BEAMS, N))
        self.codebook = (codebook / np.linalg.norm(codebook, axis=1, keepdims=True)).astype(np.complex64)

    def wanted(self, beams):
        return np.einsum("sn,fksn->fsk", self.codebook[beams], self.h)

    def run_block(self, block, tags=()):
        tb = gr.top_block()
        source = blocks.vector_source_c(self.h.ravel().tolist(), False, S * N, list(tags))
        sink = blocks.vector_sink_c(S * K)
        tb.connect(source, block, sink)
        tb.run()
        out_tags = {}
        for t in sink.tags():
            out_tags.setdefault(t.offset, {})[pmt.symbol_to_string(t.key)] = pmt.to_python(t.value)
        return np.array(sink.data()).reshape(-1, S, K), out_tags

    def test_product(self):
        block = thzum.effective_channel(S, N, K, self.codebook, [6, 0, 2])
        H, tags = self.run_block(block)
        np.testing.assert_allclose(H, self.wanted([6, 0, 2]), rtol=1e-5, atol=1e-5)
        self.assertEqual(tags, {})
        self.assertEqual((block.frames(), block.skipped_users(), block.n_beams()), (FRAMES, 0, BEAMS))

    def test_default_beams_and_change(self):
        block = thzum.effective_channel(S, N, K, self.codebook)
        self.assertEqual(block.beams(), [0, 0, 0])
        block.set_beams([1, 2, 3])
        np.testing.assert_allclose(self.run_block(block)[0], self.wanted([1, 2, 3]), rtol=1e-5, atol=1e-5)
        for beams in ([1, 2], [1, 2, BEAMS], [-1, 0, 0]):
            with self.assertRaisesRegex(ValueError, "beams expects"):
                block.set_beams(beams)
        self.assertEqual(block.beams(), [1, 2, 3])

    def test_beams_from_tag(self):
        tags = [
            tag(2 * K, "thzum_beams", pmt.init_u8vector(S, [5, 4, 3])),
            tag(3 * K, "thzum_beams", pmt.init_s32vector(S, [1, 1, 6])),
            tag(4 * K, "thzum_beams", pmt.init_s32vector(S, [1, 1, BEAMS])),
            tag(5 * K, "thzum_beams", pmt.intern("left")),
        ]
        H, out_tags = self.run_block(thzum.effective_channel(S, N, K, self.codebook), tags)
        wanted = self.wanted([0, 0, 0])
        wanted[2], wanted[3], wanted[4:6] = self.wanted([5, 4, 3])[2], self.wanted([1, 1, 6])[3], 0
        np.testing.assert_allclose(H, wanted, rtol=1e-5, atol=1e-5)
        self.assertEqual(out_tags, {4: {"thzum_skipped": "beams"}, 5: {"thzum_skipped": "beams"}})

    def test_tags(self):
        tags = []
        for f in range(FRAMES):
            for k in range(K):
                tags.append(tag(f * K + k, "thzum_frame", pmt.from_long(100 + f)))
                tags.append(tag(f * K + k, "thzum_user", pmt.from_long(k)))
                tags.append(tag(f * K + k, "thzum_noise_var", pmt.from_double(0.1 * (k + 1))))
                tags.append(tag(f * K + k, "thzum_iterations", pmt.from_long(5)))
                tags.append(tag(f * K + k, "note", pmt.from_long(k)))
        for scale, factor in ((0.0, K), (1.0, 1.0)):
            _, out_tags = self.run_block(thzum.effective_channel(S, N, K, self.codebook, [], scale), tags)
            self.assertEqual(sorted(out_tags), list(range(FRAMES)))
            for f in range(FRAMES):
                self.assertEqual(sorted(out_tags[f]), ["note", "thzum_frame", "thzum_noise_var"])
                self.assertEqual(out_tags[f]["note"], 0)
                self.assertEqual(out_tags[f]["thzum_frame"], 100 + f)
                self.assertAlmostEqual(out_tags[f]["thzum_noise_var"], 0.25 * factor)

    def test_lost_users(self):
        wanted = self.wanted([0, 0, 0])
        self.h[1, 2, 0, 5] = np.nan
        self.h[3, 0] = 0
        self.h[6] = 0
        tags = [tag(3 * K, "thzum_skipped", pmt.intern("nan"))]
        tags += [tag(3 * K, "thzum_noise_var", pmt.from_double(9.0))]
        tags += [tag(3 * K + k, "thzum_noise_var", pmt.from_double(0.5)) for k in (1, 2, 3)]
        wanted[1, :, 2] = wanted[3, :, 0] = wanted[6] = 0
        block = thzum.effective_channel(S, N, K, self.codebook)
        H, out_tags = self.run_block(block, tags)
        np.testing.assert_allclose(H, wanted, rtol=1e-5, atol=1e-5)
        self.assertEqual(out_tags, {3: {"thzum_noise_var": 2.0}, 6: {"thzum_skipped": "zero"}})
        self.assertEqual(block.skipped_users(), 2 + K)

    def test_wrong_arguments(self):
        make = thzum.effective_channel
        for arguments, fragment in (
            ((0, N, K, self.codebook), "n_subarrays expects"),
            ((S, 0, K, self.codebook), "n_antennas expects"),
            ((S, N, 0, self.codebook), "n_users expects"),
            ((S, N + 1, K, self.codebook), "rows of n_antennas = 17"),
            ((S, N, K, []), "rows of n_antennas"),
            ((S, N, K, 2 * self.codebook), "unit norm"),
            ((S, N, K, np.full((1, N), np.nan)), "finite"),
            ((S, N, K, self.codebook, [0, 0]), "beams expects n_subarrays = 3"),
            ((S, N, K, self.codebook, [0, 0, 7]), "rows 0 to 6, got 7"),
            ((S, N, K, self.codebook, [], -1.0), "noise_scale expects"),
        ):
            with self.assertRaisesRegex(ValueError, fragment):
                make(*arguments)


if __name__ == "__main__":
    gr_unittest.run(qa_effective_channel)
