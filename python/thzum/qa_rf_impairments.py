#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block rf_impairments against the Python models of the same settings and seed, and its manners in a flowgraph."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum
from gnuradio.thzum.channel.hardware import Hardware

FS = 1e9
CHAINS = 3

#: Options of the block and the configuration of the Python models that mean the same.
MODELS = {
    "low_noise_amplifier": (
        dict(lna_smoothness=1.7, lna_input_backoff_db=1.0, lna_input_power=2.0),
        dict(smoothness=1.7, input_backoff_db=1.0, input_power=2.0),
    ),
    "frequency_offset": (
        dict(frequency_offset_hz=1.234567e6, frequency_offset_phase=0.7),
        dict(offset=1.234567e6, phase=0.7),
    ),
    "phase_noise": (
        dict(phase_noise_k0=1e-11, phase_noise_k2=1e4, phase_noise_k3=1e9, phase_noise_seed=5),
        dict(k0=1e-11, k2=1e4, k3=1e9, seed=5),
    ),
    "iq_imbalance": (dict(iq_amplitude_db=0.5, iq_phase_deg=3.0), dict(amplitude_db=0.5, phase_deg=3.0)),
    "sampling_offset": (dict(sampling_offset_ppm=-250.0), dict(ppm=-250.0)),
    "adc": (dict(adc_bits=5, adc_power=2.0, adc_agc_samples=300.0), dict(bits=5, power=2.0, agc_samples=300.0)),
}


def options_of(names):
    options = {name: True for name in names}
    for name in names:
        options.update(MODELS[name][0])
    return options


def gaussian(n, seed=0, chains=CHAINS):
    draws = np.random.default_rng(seed).standard_normal((2, chains, n))
    return (draws[0] + 1j * draws[1]).astype(np.complex64)


def run(block, x, max_items=None, tags=()):
    """Output [S, n] and the sinks of a flowgraph that sends x [S, n] through the block."""
    top = gr.top_block()
    sinks = [blocks.vector_sink_c() for _ in x]
    for s, row in enumerate(x):
        source = blocks.vector_source_c(row.tolist(), False, 1, [tag for port, tag in tags if port == s])
        top.connect(source, (block, s))
        top.connect((block, s), sinks[s])
    top.run(*([max_items] if max_items else []))
    return np.array([sink.data() for sink in sinks]), sinks


def tag(offset, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = offset, pmt.intern(key), pmt.from_long(value)
    return made


class qa_rf_impairments(gr_unittest.TestCase):
    def compare(self, names, n=3001, **more):
        x = gaussian(n)
        hardware = Hardware.from_dict({name: MODELS[name][1] for name in names}, sample_rate=FS)
        for name, value in more.items():
            setattr(hardware.phase_noise, name.removeprefix("phase_noise_"), value)
        expected = hardware.receive(x.astype(complex))
        whole, _ = run(thzum.rf_impairments(CHAINS, FS, **options_of(names), **more), x)
        for pieces in (1000, 257, 19):
            cut, _ = run(thzum.rf_impairments(CHAINS, FS, **options_of(names), **more), x, pieces)
            np.testing.assert_array_equal(cut, whole)
        self.assertEqual(whole.shape, expected.shape)
        return whole, expected

    def test_each_model_is_the_python_model(self):
        for name in MODELS:
            if name != "adc":
                with self.subTest(name):
                    whole, expected = self.compare([name])
                    self.assertLess(np.abs(whole - expected).max(), 1e-4)
                    self.assertGreater(np.abs(whole - gaussian(3001)[:, : whole.shape[1]]).max(), 1e-2)

    def test_noise_of_long_streams_stays_that_of_python(self):
        whole, expected = self.compare(["phase_noise", "frequency_offset"], n=60_000)
        self.assertLess(np.abs(whole - expected).max(), 1e-4)

    def test_shared_oscillator_is_the_python_model(self):
        whole, expected = self.compare(["phase_noise"], phase_noise_shared=True)
        self.assertLess(np.abs(whole - expected).max(), 1e-4)

    def check_quantised(self, whole, expected):
        # A sample within rounding of a threshold may fall to its other side: one step, 0.2 here, in I or Q.
        # Rounding of 1e-6 steps or less makes that a matter of 1e-5 of the samples.
        error = np.maximum(np.abs((whole - expected).real), np.abs((whole - expected).imag))
        other_side = error > 1e-4
        self.assertLessEqual(other_side.sum(), 5)
        self.assertLess(error.max(), 0.4)
        self.assertGreater(len(np.unique(np.round(whole.real, 6))), 20)

    def test_converter_is_the_python_model(self):
        self.check_quantised(*self.compare(["adc"], n=20_000))

    def test_all_models_together_are_the_python_models(self):
        self.check_quantised(*self.compare(list(MODELS)))

    def test_fixed_gain_and_loading_are_the_python_models(self):
        x = gaussian(5000)
        for bits, loading in ((1, None), (3, 1.5), (12, None), (8, 4.0)):
            expected = Hardware.from_dict({"adc": dict(bits=bits, loading=loading, power=2.0)}).receive(x)
            block = thzum.rf_impairments(CHAINS, FS, adc=True, adc_bits=bits, adc_loading=loading or 0.0, adc_power=2.0)
            # Rounding reaches 2e-4 of a step at 12 bits, where full scale is 2048 steps.
            self.assertLess(np.mean(np.abs(run(block, x)[0] - expected) > 1e-4), 5e-4)

    def test_without_options_nothing_changes(self):
        x = gaussian(5000)
        np.testing.assert_array_equal(run(thzum.rf_impairments(CHAINS, FS), x)[0], x)

    def test_bad_samples_become_zero_and_are_counted(self):
        x = gaussian(4000)
        clean = x.copy()
        for chain, place, bad in ((0, 0, np.nan), (1, 777, np.inf), (2, 3999, 1e30), (0, 1, complex(0, -np.inf))):
            x[chain, place], clean[chain, place] = bad, 0
        for names in ([], list(MODELS)):
            block = thzum.rf_impairments(CHAINS, FS, **options_of(names))
            y, _ = run(block, x)
            self.assertEqual(block.replaced(), 4)
            np.testing.assert_array_equal(y, run(thzum.rf_impairments(CHAINS, FS, **options_of(names)), clean)[0])

    def test_bad_samples_are_reported(self):
        x = gaussian(500)
        x[1, 7] = np.nan
        block, top, debug = thzum.rf_impairments(CHAINS, FS), gr.top_block(), blocks.message_debug()
        for s in range(CHAINS):
            top.connect(blocks.vector_source_c(x[s].tolist()), (block, s), blocks.null_sink(8))
        top.msg_connect(block, "report", debug, "store")
        top.run()
        deadline = time.time() + 60
        while debug.num_messages() < 1 and time.time() < deadline:
            time.sleep(0.01)
        self.assertEqual(pmt.to_python(debug.get_message(0)), {"replaced": 1})

    def test_tags_keep_their_sample(self):
        places = [(0, 0), (0, 1), (1, 400), (2, 5990)]
        tags = [(port, tag(offset, "thzum_frame", offset)) for port, offset in places]
        for ppm in (0.0, 2e4, -3e4):
            options = dict(sampling_offset=True, sampling_offset_ppm=ppm) if ppm else {}
            y, sinks = run(thzum.rf_impairments(CHAINS, FS, **options), gaussian(8000), 500, tags)
            found = [(s, t.offset, pmt.to_long(t.value)) for s, sink in enumerate(sinks) for t in sink.tags()]
            expected = [(port, int(np.ceil(offset * (1 + 1e-6 * ppm))), offset) for port, offset in places]
            self.assertEqual(found, expected)

    def test_a_flowgraph_that_runs_again_gives_the_same(self):
        x = gaussian(2000)
        block = thzum.rf_impairments(CHAINS, FS, **options_of(["phase_noise", "adc"]))
        first, _ = run(block, x)
        np.testing.assert_array_equal(run(block, x)[0], first)

    def test_options_change_while_samples_run(self):
        block = thzum.rf_impairments(1, FS, adc=True, adc_bits=1)
        top, probe = gr.top_block(), blocks.probe_signal_c()
        top.connect(blocks.vector_source_c([0.9 + 0.1j], True), block, blocks.throttle(8, 1e5), probe)
        top.start()
        self.addCleanup(top.wait)
        self.addCleanup(top.stop)

        def settles(value):
            deadline = time.time() + 60
            while abs(probe.level() - value) > 1e-3 and time.time() < deadline:
                time.sleep(0.01)
            self.assertLess(abs(probe.level() - value), 1e-3)

        def send(message):
            block.to_basic_block()._post(pmt.intern("control"), message)

        half = np.sqrt(1 / np.pi)
        settles(half + 1j * half)
        for bad in (
            pmt.PMT_NIL,
            pmt.intern("adc"),
            pmt.to_pmt({"adc_bits": 13}),
            pmt.to_pmt({"adc_bits": "many"}),
            pmt.to_pmt({"adc": False, "bits": 3}),
            pmt.to_pmt({"sampling_offset": True}),
            pmt.to_pmt({"phase_noise_seed": 3}),
        ):
            send(bad)
        send(pmt.to_pmt({"adc": False}))
        settles(0.9 + 0.1j)
        self.assertEqual((block.options()["adc"], block.options()["adc_bits"]), (False, 1))
        block.set_options(iq_imbalance=True, iq_amplitude_db=20 * np.log10(2))
        settles(0.9 + 0.2j)

    def test_frequency_changes_with_continuous_phase(self):
        block = thzum.rf_impairments(1, 1e6, frequency_offset=True, frequency_offset_hz=1000.0)
        top, sink = gr.top_block(), blocks.vector_sink_c()
        top.connect(blocks.vector_source_c([1.0] * 1000, True), block, blocks.throttle(8, 1e6), sink)
        top.start()
        for options in ({}, {"frequency_offset_hz": -2000.0}):
            block.set_options(**options)
            wanted = len(sink.data()) + 50_000  # more than buffers hold
            while len(sink.data()) < wanted:
                time.sleep(0.01)
        top.stop()
        top.wait()
        cycles = np.diff(np.unwrap(np.angle(np.array(sink.data())))) / (2 * np.pi) * 1e6
        changed = np.flatnonzero(np.abs(np.diff(cycles)) > 1000)
        self.assertEqual(len(changed), 1)
        self.assertLess(np.abs(cycles[: changed[0]] - 1000).max(), 1)
        self.assertLess(np.abs(cycles[changed[0] + 1 :] + 2000).max(), 1)

    def test_errors_name_the_option(self):
        for error, options in {
            "n_chains": dict(n_chains=0),
            "n_chains: expected 1 to 64": dict(n_chains=65),
            "sample_rate": dict(sample_rate=0.0),
            "sample_rate: expected a finite": dict(sample_rate=np.nan),
            "unknown option 'adc_bit'": dict(adc_bit=3),
            "adc_bits": dict(adc_bits=0),
            "'adc_bits' expects an integer": dict(adc_bits=3.5),
            "adc_agc_samples": dict(adc_agc_samples=0.5),
            "'adc' expects a flag": dict(adc=1),
            "lna_smoothness": dict(lna_smoothness=0),
            "lna_input_power": dict(lna_input_power=-1),
            "phase_noise_k0": dict(phase_noise_k0=-1e-12),
            "phase_noise_flicker_low": dict(phase_noise_flicker_low=FS / 4),
            "phase_noise_seed": dict(phase_noise_seed=1.5),
            "sampling_offset_ppm": dict(sampling_offset_ppm=2e5),
            "iq_phase_deg": dict(iq_phase_deg=np.nan),
        }.items():
            with self.assertRaisesRegex(ValueError, error):
                thzum.rf_impairments(**{"n_chains": 2, "sample_rate": FS, **options})
        block = thzum.rf_impairments(2, FS)
        for name, value in dict(
            sampling_offset=True, phase_noise_seed=4, phase_noise_shared=True, frequency_offset=0
        ).items():
            with self.assertRaisesRegex(ValueError, name):
                block.set_options(**{name: value})

    def test_every_option_is_described(self):
        options = thzum.rf_impairments_options()
        self.assertEqual(set(thzum.rf_impairments(1, FS).options()), set(options))
        for name, entry in options.items():
            self.assertTrue(entry["description"])
            self.assertEqual(thzum.rf_impairments(1, FS).options()[name], entry["default"])
        self.assertTrue(set(MODELS) <= set(options))


if __name__ == "__main__":
    gr_unittest.run(qa_rf_impairments)
