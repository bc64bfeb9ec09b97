#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The uplink as a block: the float64 model, closed forms, noise, schedules, messages, tags, bad samples."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.channel import CombinerSchedule, HybridFieldChannel, PathTable, UplinkChannel, draw_users
from gnuradio.thzum.channel.hardware import Hardware

ARRAY = SubarrayArray(1, 2, 4, 8, carrier_frequency=300e9, spacing=0.25, gap=30.0)
MODEL = HybridFieldChannel(ARRAY, 3, 12.0, (2.0, 9.0), 0.1, 2.24 - 0.025j, 88e-6)
RATE = 2e9
S, N = 2, 64
HARDWARE = {
    "user_frequency_offset": {"offset": (1e4, -2e4, 5e4)},
    "user_phase_noise": {"k0": 1e-13, "k2": 10.0, "seed": 4},
    "power_amplifier": {"input_backoff_db": 6.0},
    "phase_shifter": {"bits": 4, "gain_std_db": 0.5},
    "low_noise_amplifier": {"input_backoff_db": 15.0},
    "frequency_offset": {"offset": 1e5},
    "phase_noise": {"k0": 1e-13, "k2": 10.0, "k3": 1e5, "seed": 3},
    "iq_imbalance": {"amplitude_db": 0.5, "phase_deg": 2.0},
}


def combiners(n_entries, seed=2):
    rng = np.random.default_rng(seed)
    rows = rng.standard_normal((n_entries, S, N // S)) + 1j * rng.standard_normal((n_entries, S, N // S))
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True) * np.linspace(0.5, 1.5, n_entries)[:, None, None]


def single_path(delay=40e-9, doppler=0.0):
    """One user, one path, far away."""
    field = np.ones((1, 1, 1))
    return PathTable(
        amplitude=0.7 * field, delay=delay * field, distance=1e3 * field, elevation=0.3 * field,
        azimuth=0.5 * field, near=np.zeros((1, 1, 1), bool), doppler=doppler * field,
    )


def channel(n_users=3, n_realisations=4, **options):
    paths = draw_users(MODEL, n_users, n_realisations, max_doppler=2e6, seed=1)
    settings = dict(normalise="each", coherence_samples=217, seed=7)
    settings |= dict(schedule=CombinerSchedule((0, 2, 1), (4, 30, 9), 3)) | options
    return UplinkChannel(ARRAY, paths, combiners(3), RATE, **settings)


def samples(n_users, count, seed=3):
    rng = np.random.default_rng(seed)
    return (rng.standard_normal((n_users, count)) + 1j * rng.standard_normal((n_users, count))).astype(np.complex64)


def run(model, x, tags=(), max_items=None, block=None, with_h=True):
    block = thzum.thz_uplink_channel(model.parameters()) if block is None else block
    top = gr.top_block()
    for k, row in enumerate(x):
        source = blocks.vector_source_c(row.tolist(), False, 1, list(tags) if k == 0 else [])
        top.connect(source, (block, k))
    sinks = [blocks.vector_sink_c() for _ in range(model.n_chains)]
    for s, sink in enumerate(sinks):
        top.connect((block, s), sink)
    h = blocks.vector_sink_c(model.array.n_antennas)
    if with_h:
        top.connect((block, model.n_chains), h)
    top.run(*([max_items] if max_items else []))
    return np.array([sink.data() for sink in sinks]), h, sinks, block


def with_tail(model, x):
    """What the block gives for x: the model's output and what is due at the end."""
    return np.concatenate([model.process(x), model.process(np.zeros((len(x), model.latency)))], axis=1)


def relative_error(value, reference):
    return np.sqrt(np.mean(np.abs(value - reference) ** 2) / np.mean(np.abs(reference) ** 2))


class qa_thz_uplink_channel(gr_unittest.TestCase):
    def test_equals_the_float64_model(self):
        hardware = Hardware.from_dict(HARDWARE, RATE)
        for options in (
            dict(noise_var=0.0),
            dict(noise_var=0.3, delay_taps=24, coherence_samples=0, delay_reference="user"),
            dict(noise_var=0.1, hardware=hardware),
        ):
            model, x = channel(**options), samples(3, 1500)
            y, *_ = run(model, x)
            self.assertEqual(y.shape, (S, 1500 + model.latency))
            self.assertLess(relative_error(y, with_tail(model, x)), 1e-4)

    def test_converter_and_clock_are_the_models(self):
        config = HARDWARE | {"sampling_offset": {"ppm": 40.0}}
        model, x = channel(noise_var=0.1, hardware=Hardware.from_dict(config, RATE)), samples(3, 2000)
        y, *_ = run(model, x)
        expected = model.process(x)
        self.assertLess(relative_error(y[:, : expected.shape[1]], expected), 1e-4)
        # A converter may round a sample on the edge of two levels either way.
        config = HARDWARE | {"adc": {"bits": 6, "power": 4.0, "agc_samples": 500.0}}
        model = channel(noise_var=0.1, hardware=Hardware.from_dict(config, RATE))
        y, *_ = run(model, x)
        off = np.abs(y - with_tail(model, x)) > 1e-4
        self.assertLess(np.mean(off), 0.005)

    def test_samples_do_not_depend_on_the_pieces(self):
        model, x = channel(noise_var=0.2, hardware=Hardware.from_dict(HARDWARE, RATE)), samples(3, 3000)
        whole, *_ = run(model, x)
        for max_items in (1000, 37):
            np.testing.assert_array_equal(run(model, x, max_items=max_items, with_h=False)[0], whole)
        kernel, rng, pieces, first = thzum.uplink_channel(model.parameters()), np.random.default_rng(5), [], 0
        while first < 3000:
            count = int(rng.integers(1, 300))
            pieces.append(kernel.process(x[:, first : first + count]))
            first += count
        np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole[:, :3000])

    def test_a_path_without_delay_is_its_gain(self):
        model = UplinkChannel(ARRAY, single_path(), combiners(1), RATE)
        x = samples(1, 400)
        y, h, *_ = run(model, x)
        gain = np.einsum("sn,sn->s", combiners(1)[0], model.true_channel(0).reshape(S, -1))
        np.testing.assert_allclose(y[:, model.latency :], gain[:, None] * x, rtol=1e-5)
        np.testing.assert_allclose(np.array(h.data()), model.true_channel(0)[0], rtol=1e-5)

    def test_delays_of_whole_samples_are_exact_and_others_accurate(self):
        # Two users of one path each; the second comes 5 or 5.37 samples later.
        for extra, taps, tolerance in ((5.0, 8, 1e-5), (5.37, 16, 1.6e-3), (5.37, 24, 7e-5)):
            paths = single_path()
            two = PathTable(**{
                name: np.concatenate([getattr(paths, name)] * 2, axis=1)
                for name in ("amplitude", "delay", "distance", "elevation", "azimuth", "near")
            })
            two.delay[0, 1] += extra / RATE
            model = UplinkChannel(ARRAY, two, combiners(1), RATE, delay_taps=taps)
            n = np.arange(-100, 900)
            tone = np.exp(2j * np.pi * 0.36 * n)
            x = np.stack([np.zeros(len(n)), tone])
            y, *_ = run(model, x.astype(np.complex64))
            gain = np.einsum("sn,sn->s", combiners(1)[0], model.true_channel(0)[1].reshape(S, -1))
            expected = gain[:, None] * np.exp(2j * np.pi * 0.36 * (n - extra))
            steady = slice(100, 900)
            error = np.abs(y[:, model.latency :][:, steady] - expected[:, steady]) / np.abs(gain[:, None])
            self.assertLess(error.max(), tolerance + 1e-5)

    def test_doppler_shifts_a_carrier(self):
        shift = 3.3e6
        model = UplinkChannel(ARRAY, single_path(doppler=shift), combiners(1), RATE)
        y, *_ = run(model, np.ones((1, 20000), np.complex64))
        phase = np.unwrap(np.angle(y[0, 100:-100]))
        np.testing.assert_allclose(np.diff(phase), 2 * np.pi * shift / RATE, atol=1e-5)
        # The phase is that of the path table at the first sample of the realisation.
        now = model.true_channel(12345)[0].reshape(S, -1)
        gain = np.einsum("sn,sn->s", combiners(1)[0], now)
        np.testing.assert_allclose(y[:, 12345 + model.latency], gain, rtol=1e-4)

    def test_noise_is_white_with_the_variance_of_each_combiner(self):
        count, noise_var = 30000, 0.4
        model = channel(1, noise_var=noise_var, schedule=CombinerSchedule((0, 2), (10, 10)))
        y, *_ = run(model, np.zeros((1, count), np.complex64))
        entry = model.schedule.entry_at(np.arange(count + model.latency) - model.latency)
        for s in range(S):
            for e in (0, 2):
                power = np.abs(y[s, entry == e]) ** 2
                expected = noise_var * np.linalg.norm(combiners(3)[e, s]) ** 2
                # The mean of n exponential powers deviates by 1 / sqrt(n).
                self.assertLess(abs(power.mean() / expected - 1), 5 / np.sqrt(power.size))
        white = y / np.array([[np.linalg.norm(combiners(3)[e, s]) for e in entry] for s in range(S)])
        white /= np.sqrt(noise_var)
        bound = 5 / np.sqrt(count)
        for lag in (1, 2, 7, 64):
            self.assertLess(abs(np.mean(white[0, lag:] * white[0, :-lag].conj())), bound)
        self.assertLess(abs(np.mean(white[0] * white[1].conj())), bound)
        self.assertLess(abs(np.mean(white[0] ** 2)), np.sqrt(2) * bound)

    def test_schedule_switches_at_the_sample(self):
        schedule = CombinerSchedule((0, 2, 1), (4, 3, 9), 5)
        model = UplinkChannel(ARRAY, single_path(), combiners(3), RATE, schedule)
        y, *_ = run(model, np.ones((1, 100), np.complex64))
        gains = np.einsum("esn,sn->es", combiners(3), model.true_channel(0)[0].reshape(S, -1))
        self.assertEqual(list(schedule.entry_at(np.arange(3, 14))), [1, 1, 0, 0, 0, 0, 2, 2, 2, 1, 1])
        expected = gains[schedule.entry_at(np.arange(100))].T
        np.testing.assert_allclose(y[:, model.latency :], expected, rtol=1e-4)

    def test_messages_change_the_combiner_at_a_stated_sample(self):
        model = UplinkChannel(ARRAY, single_path(), combiners(3), RATE)
        block = thzum.thz_uplink_channel(model.parameters())

        def send(message):
            block.to_basic_block()._post(pmt.intern("control"), message)

        for bad in (
            pmt.PMT_NIL, pmt.intern("entry"), pmt.to_pmt({"entry": 3}), pmt.to_pmt({"entry": "first"}),
            pmt.to_pmt({"entries": [0, 1]}), pmt.to_pmt({"sample": 5}), pmt.to_pmt({"beam": 1}),
            pmt.to_pmt({"entries": [0, 9], "lengths": [1, 1], "sample": 3}),
            pmt.to_pmt({"entries": [0], "lengths": [0], "sample": 3}), pmt.to_pmt({"noise_var": -1.0}),
        ):
            send(bad)
        send(pmt.to_pmt({"entry": 1, "sample": 20}))
        frame = {"entries": np.array([2, 0], np.int32), "lengths": np.array([3, 4], np.int32), "sample": 50}
        send(pmt.to_pmt(frame))
        y, *_ = run(model, np.ones((1, 200), np.complex64), block=block)
        time_axis = np.arange(200)
        expected = np.where(time_axis < 20, 0, 1)
        expected[50:] = CombinerSchedule((2, 0), (3, 4), 50).entry_at(time_axis[50:])
        gains = np.einsum("esn,sn->es", combiners(3), model.true_channel(0)[0].reshape(S, -1))
        np.testing.assert_allclose(y[:, model.latency :], gains[expected].T, rtol=1e-4)
        twin = UplinkChannel(ARRAY, single_path(), combiners(3), RATE)
        twin.set_schedule(CombinerSchedule.fixed(1), 20)
        twin.set_schedule(CombinerSchedule((2, 0), (3, 4), 50), 50)
        np.testing.assert_allclose(y, with_tail(twin, np.ones((1, 200))), rtol=1e-4)

    def test_true_channels_and_their_tags(self):
        for options, instants in (
            (dict(coherence_samples=300), [0, 300, 600, 900]),
            (dict(coherence_samples=0), [0]),
            (dict(h_interval=250, h_offset=120), [120, 370, 620, 870]),
        ):
            model = channel(**options)
            _, h, *_ = run(model, samples(3, 1000))
            found = np.array(h.data()).reshape(-1, 3, N)
            self.assertEqual(len(found), len(instants))
            for channels, instant in zip(found, instants):
                np.testing.assert_allclose(channels, model.true_channel(instant), atol=1e-4)
            self.assertEqual(model.channel_samples(-5, 1000), instants)
            tags = {(t.offset, pmt.symbol_to_string(t.key)): pmt.to_python(t.value) for t in h.tags()}
            for i, instant in enumerate(instants):
                for k in range(3):
                    item = 3 * i + k
                    self.assertEqual(tags[item, "thzum_user"], k)
                    self.assertEqual(tags[item, "thzum_frame"], i)
                    self.assertEqual(tags[item, "thzum_sample"], instant + model.latency)

    def test_channels_are_scaled_as_asked(self):
        power = np.linalg.norm(channel(normalise="each").true_channel(0), axis=1) ** 2
        np.testing.assert_allclose(power, N, rtol=1e-9)
        paths = draw_users(MODEL, 3, 4, seed=1)
        mean = UplinkChannel(ARRAY, paths, combiners(1), RATE, normalise="mean", coherence_samples=1)
        power = [np.linalg.norm(mean.true_channel(b), axis=1) ** 2 for b in range(4)]
        self.assertAlmostEqual(np.mean(power), N, places=6)
        self.assertGreater(np.ptp(power), 0.01 * N)

    def test_tags_of_the_first_user_move_by_the_latency(self):
        model, tags = channel(delay_taps=12), []
        for offset in (0, 400, 999):
            tag = gr.tag_t()
            tag.offset, tag.key, tag.value = offset, pmt.intern("thzum_frame"), pmt.from_long(offset)
            tags.append(tag)
        _, _, sinks, block = run(model, samples(3, 1000), tags)
        self.assertEqual(block.latency(), 5)
        for sink in sinks:
            self.assertEqual([tag.offset for tag in sink.tags()], [5, 405, 1004])

    def test_bad_samples_count_as_zero(self):
        x = samples(3, 700)
        x[1, 100], x[2, 200], x[0, 300] = np.nan, complex(0, np.inf), 1e30
        model = channel()
        y, _, _, block = run(model, x)
        self.assertTrue(np.isfinite(y).all())
        self.assertEqual(block.bad_samples(), 3)
        x[1, 100] = x[2, 200] = x[0, 300] = 0
        np.testing.assert_array_equal(run(model, x)[0], y)

    def test_more_users_than_chains(self):
        model, x = channel(5), samples(5, 300)
        y, *_ = run(model, x)
        self.assertLess(relative_error(y, with_tail(model, x)), 1e-4)

    def test_long_streams_with_channels_do_not_stall(self):
        model = channel(h_interval=64, noise_var=0.1)
        _, h, sinks, _ = run(model, samples(3, 50000))
        self.assertEqual(len(sinks[0].data()), 50000 + model.latency)
        self.assertEqual(len(h.data()), 3 * N * len(model.channel_samples(0, 50000)))

    def test_settings_change_while_it_runs(self):
        model = channel()
        block = thzum.thz_uplink_channel(model.parameters())
        block.set_noise_var(0.5)
        self.assertEqual(block.noise_var(), 0.5)
        for wrong in (-1.0, np.nan, np.inf):
            with self.assertRaisesRegex(ValueError, "noise_var"):
                block.set_noise_var(wrong)
        with self.assertRaisesRegex(ValueError, "schedule.*0 to 2"):
            block.set_entry(3)
        top = gr.top_block()
        for k in range(3):
            top.connect(blocks.null_source(8), (block, k))
        sinks = [blocks.probe_signal_c() for _ in range(S)]
        for s, sink in enumerate(sinks):
            top.connect((block, s), sink)
        top.start()
        self.addCleanup(top.wait)
        self.addCleanup(top.stop)
        deadline = time.time() + 60
        while sinks[0].level() == 0 and time.time() < deadline:
            time.sleep(0.01)
        self.assertNotEqual(sinks[0].level(), 0)
        block.set_entry(1)
        block.set_noise_var(0.0)
        while sinks[0].level() != 0 and time.time() < deadline:
            time.sleep(0.01)
        self.assertEqual(sinks[0].level(), 0)

    def test_wrong_arguments_are_named(self):
        paths = draw_users(MODEL, 2, 2, seed=1)
        bad = PathTable(**{f: getattr(paths, f) for f in ("amplitude", "distance", "elevation", "azimuth", "near")},
                        delay=paths.delay * np.nan)
        cases = (
            (dict(paths=3), "paths.*PathTable"),
            (dict(paths=bad), "paths.*delay"),
            (dict(combiners=np.ones((2, 2, 7))), r"combiners.*\[entries, 2, 32\]"),
            (dict(combiners=np.full((1, 2, 32), np.nan)), "combiners.*finite"),
            (dict(sample_rate=0), "sample_rate"),
            (dict(sample_rate=1e15), "paths.*samples of the reference.*lower the sample_rate"),
            (dict(schedule=CombinerSchedule((0, 1), (1, 1))), "schedule.*below 1"),
            (dict(schedule=[0]), "schedule.*CombinerSchedule"),
            (dict(noise_var=-1), "noise_var"),
            (dict(normalise="all"), "normalise"),
            (dict(delay_reference="first"), "delay_reference"),
            (dict(delay_taps=7), "delay_taps.*even"),
            (dict(delay_taps=34), "delay_taps"),
            (dict(coherence_samples=-1), "coherence_samples"),
            (dict(hardware={}), "hardware.*Hardware"),
        )
        for change, pattern in cases:
            arguments = dict(array=ARRAY, paths=paths, combiners=combiners(1), sample_rate=RATE) | change
            with self.assertRaisesRegex(ValueError, pattern):
                UplinkChannel(**arguments)
        hardware = Hardware.from_dict({"frequency_offset": {"offset": 1.0}}, RATE / 2)
        with self.assertRaisesRegex(ValueError, "hardware.*sample rate"):
            channel(hardware=hardware).parameters()
        with self.assertRaisesRegex(ValueError, r"samples.*\[3, n\]"):
            channel().process(np.zeros((2, 10)))
        fast = draw_users(MODEL, 2, 1, max_doppler=2 * RATE, seed=1)
        with self.assertRaisesRegex(ValueError, "doppler.*cycles per sample"):
            thzum.uplink_channel(UplinkChannel(ARRAY, fast, combiners(1), RATE).parameters())


if __name__ == "__main__":
    gr_unittest.run(qa_thz_uplink_channel)
