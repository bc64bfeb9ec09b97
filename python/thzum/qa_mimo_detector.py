#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""MIMO detector block: results, rates, tags, bad items, control while running, GRC description."""

import pathlib
import time

import numpy as np
import pmt
import yaml
from gnuradio import blocks, gr, gr_unittest, thzum

N_RX, N_TX, N_SYMBOLS, N_BLOCKS = 6, 4, 20, 15
GRC = pathlib.Path(__file__).resolve().parents[2] / "grc" / "thzum_mimo_detector.block.yml"


def tag(offset, key, value):
    t = gr.tag_t()
    t.offset, t.key, t.value, t.srcid = offset, pmt.intern(key), value, pmt.PMT_F
    return t


def by_offset(tags, key):
    return {t.offset: pmt.to_python(t.value) for t in tags if pmt.symbol_to_string(t.key) == key}


def dictionary(**entries):
    d = pmt.make_dict()
    for key, value in entries.items():
        d = pmt.dict_add(d, pmt.intern(key), value)
    return d


class qa_mimo_detector(gr_unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(3)

        def normal(*shape):
            real, imag = rng.standard_normal((2, *shape)) / 2**0.5
            return (real + 1j * imag).astype(np.complex64)

        self.points = thzum.constellation_points("16qam")
        self.noise_var = 0.1
        self.H = normal(N_BLOCKS, N_RX, N_TX)
        self.sent = rng.integers(0, 16, (N_BLOCKS * N_SYMBOLS, N_TX))
        self.y = np.einsum("brk,bnk->bnr", self.H, self.points[self.sent].reshape(N_BLOCKS, N_SYMBOLS, N_TX))
        self.y = self.y.reshape(-1, N_RX) + self.noise_var**0.5 * normal(N_BLOCKS * N_SYMBOLS, N_RX)

    def wanted(self, algorithm="lmmse", **options):
        detector = thzum.detector(algorithm, N_RX, N_TX, "16qam", **options)
        y = self.y.reshape(N_BLOCKS, N_SYMBOLS, N_RX)
        results = [
            (*detector.detect(H, v, self.noise_var), *detector.equalize(H, v, self.noise_var))
            for H, v in zip(self.H, y)
        ]
        return [np.concatenate(parts) for parts in zip(*results)]

    def block(self, algorithm="lmmse", noise_var=None, **arguments):
        arguments.setdefault("n_symbols", N_SYMBOLS)
        noise_var = self.noise_var if noise_var is None else noise_var
        return thzum.mimo_detector(algorithm, N_RX, N_TX, "16qam", noise_var=noise_var, **arguments)

    def connect(self, block, h_tags=(), y_tags=(), outputs=4, repeat=False):
        """Sources, block and sinks in a new flowgraph."""
        self.tb = gr.top_block()
        h = blocks.vector_source_c(self.H.ravel().tolist(), repeat, N_RX * N_TX, list(h_tags))
        y = blocks.vector_source_c(self.y.ravel().tolist(), repeat, N_RX, list(y_tags))
        sinks = [
            blocks.vector_sink_i(N_TX),
            blocks.vector_sink_f(4 * N_TX),
            blocks.vector_sink_c(N_TX),
            blocks.vector_sink_f(N_TX),
        ][:outputs]
        self.sources = h, y
        self.tb.connect(h, (block, 0))
        self.tb.connect(y, (block, 1))
        for port, sink in enumerate(sinks):
            self.tb.connect((block, port), sink)
        return sinks

    def run_block(self, block, **arguments):
        sinks = self.connect(block, **arguments)
        self.tb.run()
        shapes = [(-1, N_TX), (-1, N_TX, 4), (-1, N_TX), (-1, N_TX)]
        return [np.array(s.data()).reshape(shape) for s, shape in zip(sinks, shapes)], sinks[0].tags()

    def test_matches_the_detector(self):
        for algorithm in thzum.detectors():
            block = self.block(algorithm)
            got, _ = self.run_block(block)
            for a, b in zip(got, self.wanted(algorithm)):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)
            self.assertEqual((block.detected(), block.skipped()), (N_BLOCKS * N_SYMBOLS, 0))

    def test_whole_blocks_in_one_call(self):
        block = self.block()
        self.run_block(block)
        self.assertEqual(block.largest_batch(), N_SYMBOLS)

    def test_first_output_alone(self):
        got, _ = self.run_block(self.block(), outputs=1)
        np.testing.assert_array_equal(got[0], self.wanted()[0])

    def test_noise_variance_from_tag(self):
        tags = [tag(b, "thzum_noise_var", pmt.from_double(self.noise_var)) for b in range(N_BLOCKS)]
        del tags[4]
        tags[7].value = pmt.from_double(-1.0)
        tags[9].value = pmt.intern("loud")
        (symbols, llr, x_hat, variance), out_tags = self.run_block(self.block(noise_var=0.0), h_tags=tags)
        skipped = by_offset(out_tags, "thzum_skipped")
        reasons = {4: "no_noise_var", 8: "noise_var", 10: "noise_var"}
        expected = {b * N_SYMBOLS + i: reason for b, reason in reasons.items() for i in range(N_SYMBOLS)}
        self.assertEqual(skipped, expected)
        lost = np.zeros(len(symbols), bool)
        lost[list(expected)] = True
        self.assertTrue((symbols[lost] == -1).all() and not llr[lost].any() and not x_hat[lost].any())
        np.testing.assert_allclose(llr[~lost], self.wanted()[1][~lost], rtol=1e-5, atol=1e-5)

    def test_bad_vectors_alone_are_skipped(self):
        clean = self.wanted()
        self.y[[5, 47], 2] = np.nan, np.inf
        self.y[100] = 0
        y_tags = [tag(100, "thzum_skipped", pmt.intern("zero")), tag(101, "thzum_frame", pmt.from_long(9))]
        block = self.block()
        got, tags = self.run_block(block, y_tags=y_tags)
        self.assertEqual(by_offset(tags, "thzum_skipped"), {5: "nan", 47: "nan", 100: "zero"})
        self.assertEqual(by_offset(tags, "thzum_frame"), {101: 9})
        self.assertEqual(block.skipped(), 3)
        lost = np.isin(np.arange(len(got[0])), [5, 47, 100])
        self.assertTrue((got[0][lost] == -1).all() and not got[1][lost].any() and (got[3][lost] == 1).all())
        for a, b in zip(got, clean):
            np.testing.assert_allclose(a[~lost], b[~lost], rtol=1e-5, atol=1e-5)

    def error_rate(self, algorithm="lmmse"):
        return np.mean(self.wanted(algorithm)[0] != self.sent)

    def turned(self, angles):
        """Turns what users send in each vector by ``angles`` [vectors, N_TX]."""
        sent = self.points[self.sent].reshape(N_BLOCKS, N_SYMBOLS, N_TX)
        clean = np.einsum("brk,bnk->bnr", self.H, sent)
        after = np.einsum("brk,bnk->bnr", self.H, sent * np.exp(1j * angles.reshape(sent.shape)))
        self.y += (after - clean).reshape(-1, N_RX)

    def test_users_phases_from_tags(self):
        angles = np.zeros((N_BLOCKS * N_SYMBOLS, N_TX))
        tags = []
        for offset, phases in ((5, [1, 2, -3, 0.5]), (9, [0, 9, 1, 1]), (2 * N_SYMBOLS, [3, 2, 1, 0])):
            end = (offset // N_SYMBOLS + 1) * N_SYMBOLS  # phases end with the coherence block
            angles[offset:end] = phases
            tags.append(tag(offset, "thzum_user_phase", pmt.init_f64vector(N_TX, np.array(phases, float))))
        clean = self.error_rate("lmmse"), self.error_rate("ep")
        self.turned(angles)
        self.y[7] = np.nan
        good = np.arange(len(self.y)) != 7
        for algorithm, expected in zip(("lmmse", "ep"), clean):
            (symbols, *_), out_tags = self.run_block(self.block(algorithm), y_tags=tags)
            # The same noise against turned channels decides otherwise where it was close.
            self.assertLess(np.mean(symbols[good] != self.sent[good]), expected + 0.03)
            self.assertEqual(len(by_offset(out_tags, "thzum_user_phase")), 3)
        (symbols, *_), _ = self.run_block(self.block())
        third = slice(2 * N_SYMBOLS, 3 * N_SYMBOLS)
        self.assertGreater(np.mean(symbols[third] != self.sent[third]), 0.5)

    def test_phases_among_vectors_left_out_hold_for_those_behind(self):
        phases = np.array([1.0, 2.0, -3.0, 0.5])
        clean = self.error_rate()
        self.turned(np.tile(phases, (N_BLOCKS * N_SYMBOLS, 1)))
        tags = [tag(b * N_SYMBOLS, "thzum_user_phase", pmt.init_f64vector(N_TX, phases)) for b in range(N_BLOCKS)]
        block = self.block(n_symbols=N_SYMBOLS - 4, offset=4)
        (symbols, *_), _ = self.run_block(block, y_tags=tags)
        sent = self.sent.reshape(N_BLOCKS, N_SYMBOLS, N_TX)[:, 4:].reshape(-1, N_TX)
        self.assertLess(np.mean(symbols != sent), clean + 0.03)

    def test_references_align_users_with_their_channel(self):
        phases = np.array([1.0, 2.0, -3.0, 0.5])
        clean = self.error_rate()
        self.turned(np.tile(phases, (N_BLOCKS * N_SYMBOLS, 1)))
        references = 7.0 * self.H * np.exp(1j * phases)
        tags = [tag(b * N_SYMBOLS, "thzum_user_reference", pmt.init_c32vector(N_RX * N_TX, r.ravel()))
                for b, r in enumerate(references)]
        for h_tags in ((), [tag(b, "thzum_noise_scale", pmt.init_f32vector(N_RX, [1.0] * N_RX))
                            for b in range(N_BLOCKS)]):
            (symbols, *_), _ = self.run_block(self.block(), y_tags=tags, h_tags=h_tags)
            self.assertLess(np.mean(symbols != self.sent), clean + 0.03)
        # References that drown in noise turn nothing.
        weak = [tag(b * N_SYMBOLS, "thzum_user_reference", pmt.init_c32vector(N_RX * N_TX, 0.01 * r.ravel()))
                for b, r in enumerate(references)]
        got, _ = self.run_block(self.block(), y_tags=weak)
        plain, _ = self.run_block(self.block())
        np.testing.assert_array_equal(got[0], plain[0])

    def test_malformed_phases_change_nothing(self):
        clean = self.wanted()
        tags = [
            tag(0, "thzum_user_phase", pmt.init_f64vector(N_TX - 1, [1.0] * (N_TX - 1))),
            tag(3, "thzum_user_phase", pmt.init_f64vector(N_TX, [np.nan] * N_TX)),
            tag(4, "thzum_user_phase", pmt.from_double(1.0)),
            tag(5, "thzum_user_reference", pmt.init_c32vector(3, [1j] * 3)),
            tag(6, "thzum_user_reference", pmt.init_c32vector(N_RX * N_TX, [complex(np.inf, 0)] * (N_RX * N_TX))),
        ]
        got, _ = self.run_block(self.block(), y_tags=tags)
        for a, b in zip(got, clean):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)

    def test_bad_channel_loses_its_block_only(self):
        clean = self.wanted()
        self.H[3, 1, 1] = np.nan
        self.H[6] = 0
        h_tags = [tag(6, "thzum_skipped", pmt.intern("zero")), tag(6, "thzum_frame", pmt.from_long(6))]
        got, tags = self.run_block(self.block(), h_tags=h_tags)
        skipped = by_offset(tags, "thzum_skipped")
        reasons = {3: "nan", 6: "zero"}
        expected = {b * N_SYMBOLS + i: r for b, r in reasons.items() for i in range(N_SYMBOLS)}
        self.assertEqual(skipped, expected)
        self.assertEqual(len([t for t in tags if t.offset == 6 * N_SYMBOLS]), 2)
        kept = ~np.isin(np.arange(len(got[0])), list(skipped))
        np.testing.assert_array_equal(got[0][kept], clean[0][kept])
        self.assertTrue((got[0][~kept] == -1).all())

    def test_absent_user_and_zero_channel(self):
        self.H[2] = 0
        self.H[5, :, 1] = 0
        (symbols, llr, _, _), tags = self.run_block(self.block())
        self.assertEqual(by_offset(tags, "thzum_skipped"), {})
        blocks_of = symbols.reshape(N_BLOCKS, N_SYMBOLS, N_TX)
        self.assertTrue((blocks_of[2] == -1).all())
        self.assertTrue((blocks_of[5, :, 1] == -1).all() and (blocks_of[5][:, [0, 2, 3]] >= 0).all())

    def test_tags_stay_on_their_vectors(self):
        h_tags = [tag(b, "thzum_frame", pmt.from_long(b)) for b in range(N_BLOCKS)]
        y_tags = [tag(b * N_SYMBOLS, "thzum_frame", pmt.from_long(b)) for b in range(N_BLOCKS)]
        y_tags += [tag(33, "note", pmt.intern("here"))]
        _, tags = self.run_block(self.block(), h_tags=h_tags, y_tags=y_tags)
        frames = [t for t in tags if pmt.symbol_to_string(t.key) == "thzum_frame"]
        self.assertEqual(len(frames), N_BLOCKS)
        self.assertEqual(by_offset(tags, "thzum_frame"), {b * N_SYMBOLS: b for b in range(N_BLOCKS)})
        self.assertEqual(by_offset(tags, "note"), {33: "here"})

    def test_sections_of_a_block(self):
        for offset, n_symbols in ((0, 8), (8, 12), (3, 4)):
            block = self.block(n_symbols=n_symbols, offset=offset, block_length=N_SYMBOLS)
            y_tags = [tag(2 * N_SYMBOLS + offset + 1, "note", pmt.intern("here"))]
            got, tags = self.run_block(block, y_tags=y_tags)
            for a, b in zip(got, self.wanted()):
                section = b.reshape(N_BLOCKS, N_SYMBOLS, *b.shape[1:])[:, offset : offset + n_symbols]
                np.testing.assert_allclose(a, section.reshape(-1, *b.shape[1:]), rtol=1e-5, atol=1e-5)
            self.assertEqual(by_offset(tags, "note"), {2 * n_symbols + 1: "here"})

    def test_posterior_variance(self):
        """Against the definition, 0 for an absent user, 1 for a skipped vector, for three constellations."""
        self.H[2, :, 1] = 0
        self.y[5, 0] = np.nan
        for name in ("16qam", "qpsk", "bpsk"):
            points = thzum.constellation_points(name)
            block = thzum.mimo_detector("lmmse", N_RX, N_TX, name, N_SYMBOLS, self.noise_var)
            sinks = self.connect(block, outputs=0)
            sinks = [blocks.vector_sink_i(N_TX), blocks.vector_sink_f(N_TX * len(points).bit_length() - N_TX)]
            sinks += [blocks.vector_sink_c(N_TX), blocks.vector_sink_f(N_TX), blocks.vector_sink_f(N_TX)]
            for port, sink in enumerate(sinks):
                self.tb.connect((block, port), sink)
            self.tb.run()
            symbols, _, x_hat, variance, posterior = (np.array(sink.data()) for sink in sinks)
            metric = np.abs(x_hat[:, None] - points) ** 2 / variance[:, None]
            weight = np.exp(metric.min(axis=1, keepdims=True) - metric)
            weight /= weight.sum(axis=1, keepdims=True)
            wanted = weight @ np.abs(points) ** 2 - np.abs(weight @ points) ** 2
            wanted[symbols < 0] = 0
            wanted[5 * N_TX : 6 * N_TX] = 1
            np.testing.assert_allclose(posterior, wanted, rtol=1e-3, atol=1e-5)
            self.assertFalse(posterior.reshape(-1, N_TX)[2 * N_SYMBOLS : 3 * N_SYMBOLS, 1].any())

    def test_length_of_a_block_by_tag(self):
        """Channels 2 and 5 have other numbers of vectors; a bad tag is passed over."""
        lengths = [N_SYMBOLS] * N_BLOCKS
        lengths[2], lengths[5] = 3, 2 * N_SYMBOLS + 1
        owner = np.repeat(np.arange(N_BLOCKS), lengths)
        rng = np.random.default_rng(5)
        self.y = np.resize(self.y, (len(owner), N_RX)) * np.exp(2j * np.pi * rng.random((len(owner), 1)))
        self.y = self.y.astype(np.complex64)
        h_tags = [tag(2, "thzum_vectors", pmt.from_long(3)), tag(5, "thzum_vectors", pmt.from_long(lengths[5]))]
        h_tags += [tag(1, "thzum_vectors", pmt.from_long(0)), tag(3, "thzum_vectors", pmt.intern("many"))]
        symbols = self.run_block(self.block(), h_tags=h_tags)[0][0]
        wanted = thzum.detector("lmmse", N_RX, N_TX, "16qam").detect(self.H[owner], self.y, self.noise_var)[0]
        np.testing.assert_array_equal(symbols, wanted)

    def test_coloured_noise_is_whitened(self):
        """Rows of H and y scaled at will come out as before when the tag says so, and differ when it does not."""
        scale = np.random.default_rng(6).uniform(0.05, 20, N_RX).astype(np.float32)
        clean = self.run_block(self.block())[0]
        self.H = self.H * np.sqrt(scale)[:, None]
        self.y = self.y * np.sqrt(scale)
        value = pmt.init_f32vector(N_RX, scale.tolist())
        h_tags = [tag(b, "thzum_noise_scale", value) for b in range(N_BLOCKS) if b != 3]
        got, _ = self.run_block(self.block(), h_tags=h_tags)
        coloured = np.arange(len(got[0])) // N_SYMBOLS == 3
        for a, b in zip(got, clean):
            np.testing.assert_allclose(a[~coloured], b[~coloured], rtol=2e-3, atol=2e-3)
        self.assertGreater(np.abs(got[1] - clean[1])[coloured].max(), 0.1)

    def test_bad_noise_scale_loses_its_block_only(self):
        values = [pmt.init_f32vector(N_RX, [1.0] * (N_RX - 1) + [bad]) for bad in (0.0, -1.0, float("nan"))]
        values += [pmt.init_f32vector(N_RX + 1, [1.0] * (N_RX + 1)), pmt.from_double(1.0)]
        clean = self.run_block(self.block())[0][0]
        h_tags = [tag(b, "thzum_noise_scale", value) for b, value in enumerate(values)]
        got, tags = self.run_block(self.block(), h_tags=h_tags)
        lost = np.arange(len(clean)) < len(values) * N_SYMBOLS
        self.assertEqual(by_offset(tags, "thzum_skipped"), {i: "noise_scale" for i in np.flatnonzero(lost)})
        self.assertTrue((got[0][lost] == -1).all())
        np.testing.assert_array_equal(got[0][~lost], clean[~lost])

    def test_constellation_changes_while_running(self):
        block = thzum.mimo_detector("lmmse", N_RX, N_TX, "qpsk", N_SYMBOLS, self.noise_var)
        self.tb = gr.top_block()
        h = blocks.vector_source_c(self.H.ravel().tolist(), True, N_RX * N_TX)
        y = blocks.vector_source_c(self.y.ravel().tolist(), True, N_RX)
        sink = blocks.vector_sink_i(N_TX)
        self.tb.connect(h, (block, 0))
        self.tb.connect(y, blocks.throttle(8 * N_RX, 20000), (block, 1))
        self.tb.connect((block, 0), sink)
        self.tb.start()
        try:
            self.wait(lambda: block.detected() > 100)
            block.set_constellation("16qam")
            with self.assertRaisesRegex(ValueError, "constellation"):
                block.set_constellation("8psk")
            self.assertEqual(block.constellation(), "16qam")
            changed = block.detected()
            self.wait(lambda: sink.nitems_read(0) > changed + 2 * N_SYMBOLS)
        finally:
            self.tb.stop()
            self.tb.wait()
        symbols = np.array(sink.data()).reshape(-1, N_TX)
        wanted = self.wanted()[0]
        at = np.arange(len(symbols))
        np.testing.assert_array_equal(symbols[changed:], wanted[at[changed:] % len(wanted)])
        self.assertLess(symbols[:100].max(), 4)

    def test_constellation_of_other_size_is_refused_while_soft_bits_are_connected(self):
        block = self.block()
        self.connect(block, outputs=0, repeat=True)
        sinks = [blocks.null_sink(size) for size in (4 * N_TX, 16 * N_TX)]
        for port, sink in enumerate(sinks):
            self.tb.connect((block, port), sink)
        self.tb.start()
        with self.assertRaisesRegex(ValueError, "while the soft bits are connected"):
            block.set_constellation("qpsk")
        block.set_constellation("16qam")
        self.tb.stop()
        self.tb.wait()
        block.set_constellation("qpsk")
        self.assertEqual(block.constellation(), "qpsk")
        with self.assertRaises(RuntimeError):
            self.tb.start()

    def test_stream_that_stops_within_a_block(self):
        self.y = self.y[: 4 * N_SYMBOLS + 7]
        symbols = self.run_block(self.block())[0][0]
        np.testing.assert_array_equal(symbols, self.wanted_prefix(4 * N_SYMBOLS + 7))

    def test_long_blocks(self):
        self.H = self.H[:1]
        self.y = np.tile(self.y[:N_SYMBOLS], (50, 1))
        got, _ = self.run_block(self.block(n_symbols=1000))
        wanted = thzum.detector("lmmse", N_RX, N_TX, "16qam").detect(self.H[0], self.y, self.noise_var)
        np.testing.assert_array_equal(got[0], wanted[0])

    def wanted_prefix(self, count):
        y, self.y = self.y, np.resize(self.y, (N_BLOCKS * N_SYMBOLS, N_RX))
        symbols = self.wanted()[0][:count]
        self.y = y
        return symbols

    def test_algorithm_changes_while_running(self):
        block = self.block("zf")
        self.tb = gr.top_block()
        h = blocks.vector_source_c(self.H.ravel().tolist(), True, N_RX * N_TX)
        y = blocks.vector_source_c(self.y.ravel().tolist(), True, N_RX)
        sink = blocks.vector_sink_i(N_TX)
        self.tb.connect(h, (block, 0))
        self.tb.connect(y, blocks.throttle(8 * N_RX, 20000), (block, 1))
        self.tb.connect((block, 0), sink)
        self.tb.start()
        try:
            self.wait(lambda: block.detected() > 100)
            block.set_algorithm("lmmse", {"llr": "log_map"})
            with self.assertRaisesRegex(ValueError, "'zf' 'lmmse'"):
                block.set_algorithm("nonsense")
            self.assertIn("lmmse", block.settings())
            self.assertIn("log_map", block.settings())
            self.say(block, dictionary(algorithm=pmt.intern("zf"), noise_var=pmt.from_double(0.5)))
            self.wait(lambda: block.algorithm() == "zf" and block.noise_var() == 0.5)
            self.say(block, pmt.cons(pmt.intern("algorithm"), pmt.intern("lmmse")))
            self.wait(lambda: block.algorithm() == "lmmse")
            changed = block.detected()
            self.wait(lambda: sink.nitems_read(0) > changed + 2 * N_SYMBOLS)
        finally:
            self.tb.stop()
            self.tb.wait()
        zf = self.wanted("zf")[0]
        self.noise_var = 0.5
        lmmse = self.wanted("lmmse")[0]
        symbols = np.array(sink.data()).reshape(-1, N_TX)
        at = np.arange(len(symbols)) % len(zf)
        np.testing.assert_array_equal(symbols[:100], zf[at[:100]])
        after = np.arange(len(symbols)) >= changed + N_SYMBOLS
        np.testing.assert_array_equal(symbols[after], lmmse[at[after]])
        self.assertFalse(np.array_equal(zf, lmmse))

    def test_malformed_control_is_dropped(self):
        block = self.block()
        sinks = self.connect(block)
        for message in (
            pmt.PMT_NIL,
            pmt.from_long(3),
            dictionary(algorithm=pmt.intern("nonsense")),
            dictionary(algorithm=pmt.from_double(1.0)),
            dictionary(options=pmt.intern("fast")),
            dictionary(options=dictionary(llr=pmt.intern("exact"))),
            dictionary(noise_var=pmt.intern("loud")),
            dictionary(noise_var=pmt.from_double(-2.0), algorithm=pmt.intern("zf")),
            dictionary(gain=pmt.from_double(1.0)),
        ):
            self.say(block, message)
        self.tb.run()
        self.assertEqual((block.algorithm(), block.noise_var()), ("lmmse", self.noise_var))
        self.assertEqual(len(sinks[0].data()), N_BLOCKS * N_SYMBOLS * N_TX)

    def test_reports(self):
        self.y[25, 0] = np.nan
        self.H[4, :, 2] = 0
        block = self.block()
        self.connect(block, h_tags=[tag(1, "thzum_frame", pmt.from_long(77))])
        debug = blocks.message_debug()
        self.tb.msg_connect(block, "report", debug, "store")
        self.tb.run()
        self.wait(lambda: debug.num_messages() == N_BLOCKS)
        reports = [pmt.to_python(debug.get_message(i)) for i in range(N_BLOCKS)]
        self.assertEqual([r["skipped"] for r in reports], [0, 1] + [0] * (N_BLOCKS - 2))
        self.assertEqual([r["users"] for r in reports], [4] * 4 + [3] + [4] * (N_BLOCKS - 5))
        self.assertEqual((reports[1]["frame"], reports[1]["algorithm"]), (77, "lmmse"))
        self.assertEqual(reports[0]["vectors"], N_SYMBOLS)
        self.assertTrue(all(0 < r["latency_us"] < 1e6 for r in reports))

    def test_flowgraph_runs_again(self):
        block = self.block()
        self.y = self.y[: 3 * N_SYMBOLS + 5]
        sinks = self.connect(block)
        self.tb.run()
        first = list(sinks[0].data())
        for source in self.sources:
            source.rewind()
        sinks[0].reset()
        self.tb.run()
        self.assertEqual(len(first), (3 * N_SYMBOLS + 5) * N_TX)
        self.assertEqual(list(sinks[0].data()), first)

    def test_wrong_arguments(self):
        for arguments, fragment in (
            (dict(n_symbols=0), "n_symbols expects"),
            (dict(offset=-1), "offset expects"),
            (dict(block_length=N_SYMBOLS - 1), "block_length expects at least"),
            (dict(noise_var=-0.1), "noise_var expects"),
            (dict(noise_var=float("nan")), "noise_var expects"),
            (dict(options={"speed": 1}), "unknown option 'speed'"),
        ):
            with self.assertRaisesRegex(ValueError, fragment):
                self.block(**arguments)
        with self.assertRaisesRegex(ValueError, "use 'lmmse'"):
            thzum.mimo_detector("zf", 4, 5, "qpsk", 10)

    def test_grc_lists_what_there_is(self):
        parameters = {p["id"]: p for p in yaml.safe_load(GRC.read_text())["parameters"]}
        self.assertEqual(sorted(parameters["algorithm"]["options"]), sorted(thzum.detectors()))
        constellation = parameters["constellation"]
        self.assertEqual(constellation["options"], thzum.constellations())

    def say(self, block, message):
        block._post(pmt.intern("control"), message)

    def wait(self, condition, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, "timed out")
            time.sleep(0.01)


if __name__ == "__main__":
    gr_unittest.run(qa_mimo_detector)
