#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Effective channel block: product with the combiner, tags, bad users."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum
from gnuradio.thzum.frame import choose_beams

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

    def run_chosen(self, block, noise_var=0.1, lost=None):
        """H and rows of each frame, the tags of H, and the messages."""
        tags = [tag(i, "thzum_noise_var", pmt.from_double(noise_var / K)) for i in range(FRAMES * K)]
        tags += [tag(f * K, "thzum_frame", pmt.from_long(100 + f)) for f in range(FRAMES)]
        if lost is not None:
            tags.append(tag(lost, "thzum_skipped", pmt.intern("nan")))
        tb = gr.top_block()
        source = blocks.vector_source_c(self.h.ravel().tolist(), False, S * N, tags)
        sinks, debug = (blocks.vector_sink_c(S * K), blocks.vector_sink_c(S * N)), blocks.message_debug()
        tb.connect(source, block)
        for output, sink in enumerate(sinks):
            tb.connect((block, output), sink)
        tb.msg_connect(block, "combiner", debug, "store")
        tb.run()
        deadline = time.monotonic() + 60
        while debug.num_messages() < FRAMES and time.monotonic() < deadline:
            time.sleep(0.01)
        messages = [pmt.to_python(debug.get_message(i)) for i in range(debug.num_messages())]
        out_tags = {}
        for t in sinks[0].tags():
            out_tags.setdefault(t.offset, {})[pmt.symbol_to_string(t.key)] = pmt.to_python(t.value)
        H, rows = (np.array(sink.data()).reshape(FRAMES, S, -1) for sink in sinks)
        return H, rows, out_tags, messages

    def rate(self, rows, frame, noise_var):
        H = np.einsum("sn,ksn->sk", rows, self.h[frame])
        return np.linalg.slogdet(np.eye(K) + H.conj().T @ H / noise_var)[1]

    def test_chosen_beams(self):
        codebook = self.codebook * np.linspace(0.5, 2, BEAMS)[:, None].astype(np.float32)
        block = thzum.effective_channel(S, N, K, codebook, combiner="dft")
        H, rows, tags, messages = self.run_chosen(block)
        norms = np.sum(np.abs(codebook) ** 2, axis=1)
        for f in range(FRAMES):
            beams = choose_beams(self.h[f].reshape(K, -1), codebook / np.sqrt(norms)[:, None], 0.1)
            self.assertEqual(list(tags[f]["thzum_beams"]), beams)
            self.assertEqual(list(messages[f]["beams"]), beams)
            self.assertEqual((messages[f]["frame"], messages[f]["combiner"]), (100 + f, "dft"))
            np.testing.assert_allclose(rows[f], codebook[beams], rtol=1e-6)
            np.testing.assert_allclose(tags[f]["thzum_noise_scale"], norms[beams], rtol=1e-5)
            np.testing.assert_allclose(np.reshape(messages[f]["rows"], (S, N)), rows[f], rtol=1e-6)
        np.testing.assert_allclose(H, np.einsum("fsn,fksn->fsk", rows, self.h), rtol=1e-4, atol=1e-5)

    def test_matched_and_singular_rows(self):
        """Unit norm; a matched row is some user's filter; every singular row is the best there is, given those
        before it, so that no small change of the last one raises the sum rate."""
        found = {}
        for name in ("matched", "svd"):
            H, rows, tags, messages = self.run_chosen(thzum.effective_channel(S, N, K, self.codebook, combiner=name))
            np.testing.assert_allclose(np.linalg.norm(rows, axis=2), 1, rtol=1e-5)
            np.testing.assert_allclose(H, np.einsum("fsn,fksn->fsk", rows, self.h), rtol=1e-4, atol=1e-5)
            self.assertFalse(any({"thzum_noise_scale", "thzum_beams"} & set(t) for t in tags.values()))
            self.assertEqual(len(messages), FRAMES)
            found[name] = rows
        filters = self.h.conj() / np.linalg.norm(self.h, axis=3, keepdims=True)
        match = np.abs(np.einsum("fsn,fksn->fsk", found["matched"], filters.conj()))
        np.testing.assert_allclose(match.max(axis=2), 1, rtol=1e-5)
        rng = np.random.default_rng(0)
        for f in range(FRAMES):
            best = self.rate(found["svd"][f], f, 0.1)
            self.assertGreater(best, self.rate(found["matched"][f], f, 0.1))
            for scale in (0.01, 0.1, 1.0):
                other = found["svd"][f].copy()
                other[-1] += scale * (rng.standard_normal(N) + 1j * rng.standard_normal(N)) / np.sqrt(N)
                other[-1] /= np.linalg.norm(other[-1])
                self.assertGreater(best, self.rate(other, f, 0.1))

    def test_lost_users_have_no_say(self):
        for name in ("dft", "matched", "svd"):
            block = thzum.effective_channel(S, N, K, self.codebook, combiner=name)
            clean = self.run_chosen(block, lost=2)[1]
            kept = self.h[0, 2].copy()
            self.h[0, 2] = np.nan
            block = thzum.effective_channel(S, N, K, self.codebook, combiner=name)
            H, rows, _, _ = self.run_chosen(block)
            np.testing.assert_allclose(rows, clean, rtol=1e-5, atol=1e-6)
            self.assertFalse(H[0, :, 2].any())
            self.h[0, 2] = kept

    def test_degenerate_channels_are_combined(self):
        """All users alike, an unknown and a vanishing noise variance: finite rows of unit norm."""
        self.h[1] = self.h[1, 0]
        self.h[2, 1:] = 0
        self.h[3] *= 1e8
        self.h[4] *= 1e-8
        for name in ("dft", "matched", "svd"):
            for noise_var in (0.0, 1e-30):
                rows = self.run_chosen(thzum.effective_channel(S, N, K, self.codebook, combiner=name), noise_var)[1]
                np.testing.assert_allclose(np.linalg.norm(rows, axis=2), 1, rtol=1e-4)

    def test_combiner_changes(self):
        block = thzum.effective_channel(S, N, K, self.codebook)
        self.assertEqual(block.combiner(), "codebook")
        block.set_combiner("svd")
        with self.assertRaisesRegex(ValueError, "combiner expects"):
            block.set_combiner("mrc")
        self.assertEqual(block.combiner(), "svd")
        self.assertEqual(len(self.run_chosen(block)[3]), FRAMES)

    def test_wrong_arguments(self):
        make = thzum.effective_channel
        for arguments, fragment in (
            ((0, N, K, self.codebook), "n_subarrays expects"),
            ((S, 0, K, self.codebook), "n_antennas expects"),
            ((S, N, 0, self.codebook), "n_users expects"),
            ((S, N + 1, K, self.codebook), "rows of n_antennas = 17"),
            ((S, N, K, []), "rows of n_antennas"),
            ((S, N, K, 0 * self.codebook), "rows other than zero"),
            ((S, N, K, np.full((1, N), np.nan)), "finite"),
            ((S, N, K, self.codebook, [0, 0]), "beams expects n_subarrays = 3"),
            ((S, N, K, self.codebook, [0, 0, 7]), "rows 0 to 6, got 7"),
            ((S, N, K, self.codebook, [], -1.0), "noise_scale expects"),
            ((S, N, K, self.codebook, [], 0.0, "best"), "combiner expects 'codebook', 'dft'"),
        ):
            with self.assertRaisesRegex(ValueError, fragment):
                make(*arguments)


if __name__ == "__main__":
    gr_unittest.run(qa_effective_channel)
