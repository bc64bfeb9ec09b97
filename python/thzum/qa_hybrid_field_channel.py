#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated channel as a block: y = A h + noise, power, noise statistics, seeds, live SNR, tags."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.channel import HybridFieldChannel, preset
from gnuradio.thzum.channel.native import native_model, parameters

ARRAY = SubarrayArray(1, 2, 4, 8, carrier_frequency=300e9, spacing=0.25, gap=30.0)
CHANNEL = HybridFieldChannel(ARRAY, 3, 12.0, (2.0, 9.0), 0.1, 2.24 - 0.025j, 88e-6)
N, S, Q = 64, 2, 12


def hadamard_operator():
    return thzum.pilot_operator.hadamard(n_subarrays=S, rows=4, cols=8, n_slots=Q, seed=3)


def random_operator(noise_model, seed=8):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((S, Q, 32)) + 1j * rng.standard_normal((S, Q, 32))
    rows *= np.linspace(0.2, 2.0, Q)[:, None] / np.linalg.norm(rows, axis=2, keepdims=True)
    return thzum.pilot_operator(rows.astype(np.complex64), rows=4, cols=8, noise_model=noise_model)


def run(source, n_antennas=N, n_observations=S * Q, max_items=None):
    top = gr.top_block()
    y, h = blocks.vector_sink_c(n_observations), blocks.vector_sink_c(n_antennas)
    top.connect((source, 0), y)
    top.connect((source, 1), h)
    top.run(*([max_items] if max_items else []))
    return np.array(y.data()).reshape(-1, n_observations), np.array(h.data()).reshape(-1, n_antennas), y, h


class qa_hybrid_field_channel(gr_unittest.TestCase):
    def test_observations_are_those_of_the_channels(self):
        for op in (hadamard_operator(), random_operator("per_slot"), random_operator("common")):
            y, h, *_ = run(thzum.hybrid_field_channel(op, parameters(CHANNEL), 200.0, 5, 50))
            self.assertEqual((len(y), len(h)), (50, 50))
            np.testing.assert_allclose(y, op.measure(h.astype(np.complex64)), atol=2e-5)
            np.testing.assert_allclose(np.linalg.norm(h, axis=1) ** 2, N, rtol=1e-5)

    def test_channels_are_those_of_the_model(self):
        _, h, *_ = run(thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 0.0, 11, 1))
        np.testing.assert_array_equal(h[0].astype(np.complex64), native_model(CHANNEL).sample(1, seed=11)[0])

    def test_model_that_is_exact_at_every_element(self):
        near = HybridFieldChannel(ARRAY, 3, 0.2, (0.1, 0.3), 0.1, 2.24 - 0.025j, 88e-6, resolution="element")
        source = thzum.hybrid_field_channel(hadamard_operator(), parameters(near), 200.0, 11, 1)
        y, h, *_ = run(source)
        np.testing.assert_array_equal(h[0].astype(np.complex64), native_model(near).sample(1, seed=11)[0])
        np.testing.assert_allclose(y, hadamard_operator().measure(h.astype(np.complex64)), atol=2e-5)

    def test_noise_of_each_slot_follows_the_noise_model(self):
        count, snr_db = 4000, 3.0
        noise_var = 10 ** (-snr_db / 10)
        for model in ("per_slot", "common"):
            op = random_operator(model)
            y, h, *_ = run(thzum.hybrid_field_channel(op, parameters(CHANNEL), snr_db, 2, count))
            noise = (y - op.measure(h.astype(np.complex64))).reshape(count, S, Q)
            combiner = np.asarray(op.combiner).reshape(S, Q, 32)
            for s in range(S):
                covariance = np.einsum("bq,bp->qp", noise[:, s], noise[:, s].conj()) / count
                expected = noise_var * combiner[s] @ combiner[s].conj().T
                if model == "per_slot":
                    expected = np.diag(np.diag(expected))
                # Var of a sample covariance entry is C_qq C_pp / count.
                power = np.diag(expected).real
                bound = 5 * np.sqrt(np.outer(power, power) / count)
                self.assertTrue(np.all(np.abs(covariance - expected) < bound), model)
            cross = np.einsum("bq,bp->qp", noise[:, 0], noise[:, 1].conj()) / count
            self.assertTrue(np.all(np.abs(cross) < 5 * np.sqrt(np.outer(power, power) / count)))
            pseudo = np.mean(noise**2, axis=0) / power
            self.assertTrue(np.all(np.abs(pseudo) < 5 * np.sqrt(2 / count)))

    def test_seed_fixes_the_items_whatever_the_work_calls(self):
        def items(seed, max_items=None):
            source = thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 5.0, seed, 40)
            return run(source, max_items=max_items)[:2]

        first = items(1)
        for again in (items(1), items(1, 1), items(1, 7)):
            np.testing.assert_array_equal(first[0], again[0])
            np.testing.assert_array_equal(first[1], again[1])
        self.assertFalse(np.array_equal(first[1], items(2)[1]))

    def test_another_combiner_meets_the_same_channels(self):
        channels = []
        for n_slots in (4, 16):
            op = thzum.pilot_operator.hadamard(n_subarrays=S, rows=4, cols=8, n_slots=n_slots, seed=3)
            source = thzum.hybrid_field_channel(op, parameters(CHANNEL), 5.0, 7, 30)
            channels.append(run(source, n_observations=S * n_slots)[1])
        np.testing.assert_array_equal(*channels)

    def test_tags(self):
        source = thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 10.0, 1, 25)
        *_, y, h = run(source)
        for sink in (y, h):
            found = {(t.offset, pmt.symbol_to_string(t.key)): pmt.to_python(t.value) for t in sink.tags()}
            self.assertEqual(len(found), 3 * 25)
            for i in range(25):
                self.assertEqual(found[i, "thzum_frame"], i)
                self.assertEqual(found[i, "thzum_user"], 0)
                self.assertAlmostEqual(found[i, "thzum_noise_var"], 0.1)
        self.assertEqual(source.items(), 25)

    def test_channel_output_may_stay_unconnected(self):
        source = thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 10.0, 1, 30)
        top, y = gr.top_block(), blocks.vector_sink_c(S * Q)
        top.connect(source, y)
        top.run()
        with_h, *_ = run(thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 10.0, 1, 30))
        np.testing.assert_array_equal(np.array(y.data()).reshape(30, -1), with_h)

    def test_endless_source_follows_control_messages(self):
        source = thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 0.0)
        top, sink = gr.top_block(), blocks.null_sink(8 * S * Q)
        top.connect(source, sink)
        top.start()
        self.addCleanup(top.wait)
        self.addCleanup(top.stop)

        def send(message):
            source.to_basic_block()._post(pmt.intern("control"), message)

        bad = [
            pmt.PMT_NIL,
            pmt.intern("snr_db"),
            pmt.to_pmt({"snr_db": "high"}),
            pmt.to_pmt({"snr_db": 1e9}),
            pmt.to_pmt({"seed": 3}),
            pmt.to_pmt({"snr_db": float("nan")}),
        ]
        for message in bad:
            send(message)
        send(pmt.to_pmt({"snr_db": 12.5}))
        deadline = time.time() + 60
        while source.snr_db() != 12.5 and time.time() < deadline:
            time.sleep(0.01)
        self.assertEqual(source.snr_db(), 12.5)
        passed = source.items()
        while source.items() <= passed and time.time() < deadline:
            time.sleep(0.01)
        self.assertGreater(source.items(), passed)

    def test_snr_can_be_set_by_call(self):
        source = thzum.hybrid_field_channel(hadamard_operator(), parameters(CHANNEL), 0.0, 0, 5)
        source.set_snr_db(20)
        self.assertEqual(source.snr_db(), 20)
        for wrong in (np.nan, np.inf, -201):
            with self.assertRaisesRegex(ValueError, "snr_db"):
                source.set_snr_db(wrong)
        *_, y, _ = run(source)
        self.assertAlmostEqual(pmt.to_double([t for t in y.tags() if "noise" in str(t.key)][0].value), 0.01)

    def test_preset_of_1024_antennas(self):
        op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
        source = thzum.hybrid_field_channel(op, parameters("thz300_aosa4x256"), 10.0, 1, 200)
        y, h, *_ = run(source, 1024, 512)
        noise = y - op.measure(h.astype(np.complex64))
        self.assertLess(abs(np.mean(np.abs(noise) ** 2) / 0.1 - 1), 5 / np.sqrt(noise.size))

    def test_wrong_arguments_are_named(self):
        op = hadamard_operator()
        with self.assertRaisesRegex(ValueError, "snr_db.*got nan"):
            thzum.hybrid_field_channel(op, parameters(CHANNEL), np.nan)
        with self.assertRaisesRegex(ValueError, "parameters.*2 subarrays of 4x8.*4 subarrays of 16x16"):
            thzum.hybrid_field_channel(op, parameters(preset("thz300_aosa4x256")), 10.0)
        with self.assertRaisesRegex(ValueError, "op"):
            thzum.hybrid_field_channel(None, parameters(CHANNEL), 10.0)


if __name__ == "__main__":
    gr_unittest.run(qa_hybrid_field_channel)
