#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pilot receiver as a block: exactness, splitting, gaps, bad frames, tags, reports."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

N_CHAINS, N_NOISE, N_SLOTS, N_USERS, N_DATA = 3, 5, 7, 4, 6
LENGTH = N_NOISE + N_SLOTS * N_USERS + N_DATA
SEQUENCES = np.fft.fft(np.eye(N_USERS)).astype(np.complex64)


def complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


class Frame:
    """Samples [S, length] of one frame with known observations y [K, S, Q] and data [n_data, S]."""

    def __init__(self, rng, noise_std=0.0, sequences=SEQUENCES, n_noise=N_NOISE, n_slots=N_SLOTS):
        self.y = complex_normal(rng, len(sequences), N_CHAINS, n_slots)
        self.data = complex_normal(rng, N_DATA, N_CHAINS)
        pilots = np.einsum("ksq,kp->sqp", self.y, sequences.astype(complex)).reshape(N_CHAINS, -1)
        self.samples = np.concatenate([np.zeros((N_CHAINS, n_noise)), pilots, self.data.T], axis=1)
        head = slice(0, self.samples.shape[1] - N_DATA)
        self.samples[:, head] += noise_std * complex_normal(rng, *self.samples[:, head].shape)


class Reception:
    """What a receiver makes of ``samples`` [S, n] with frames at ``starts``."""

    def __init__(
        self, samples, starts, numbers=None, extra_tags=(), max_items=None, with_data=True, receiver=None
    ):
        sizes = (N_CHAINS, N_NOISE, N_SLOTS, N_USERS, N_DATA)
        self.receiver = receiver or thzum.pilot_receiver(*sizes, SEQUENCES)
        numbers = range(len(starts)) if numbers is None else numbers
        tags = [(at, "thzum_frame", pmt.from_long(int(n))) for at, n in zip(starts, numbers)]
        tags += extra_tags
        top = gr.top_block()
        y = blocks.vector_sink_c(N_CHAINS * N_SLOTS)
        data = blocks.vector_sink_c(N_CHAINS)
        report = blocks.message_debug()
        for s in range(N_CHAINS):
            # Tags on the other chains must not matter.
            own = [self.tag(*t) for t in tags] if s == 0 else [self.tag(3, "thzum_frame", pmt.from_long(99))]
            source = blocks.vector_source_c(samples[s].astype(np.complex64).tolist(), False, 1, own)
            top.connect(source, (self.receiver, s))
        top.connect((self.receiver, 0), y)
        if with_data:
            top.connect((self.receiver, 1), data)
        top.msg_connect(self.receiver, "report", report, "store")
        if max_items:
            top.run(max_items)
        else:
            top.run()
        self.y = np.array(y.data()).reshape(-1, N_USERS, N_CHAINS, N_SLOTS)
        self.data = np.array(data.data()).reshape(-1, N_DATA, N_CHAINS)
        self.y_tags, self.data_tags = self.by_item(y.tags()), self.by_item(data.tags())
        self.reports = self.messages(report)

    @staticmethod
    def tag(offset, key, value):
        tag = gr.tag_t()
        tag.offset, tag.key, tag.value = int(offset), pmt.intern(key), value
        return tag

    @staticmethod
    def by_item(tags):
        items = {}
        for tag in tags:
            items.setdefault(tag.offset, {})[pmt.symbol_to_string(tag.key)] = pmt.to_python(tag.value)
        return items

    def messages(self, debug):
        deadline = time.time() + 60
        while debug.num_messages() < self.receiver.frames() and time.time() < deadline:
            time.sleep(0.01)
        return [pmt.to_python(debug.get_message(i)) for i in range(debug.num_messages())]


class qa_pilot_receiver(gr_unittest.TestCase):
    def setUp(self):
        self.rng = np.random.default_rng(5)

    def frames(self, count, **settings):
        return [Frame(self.rng, **settings) for _ in range(count)]

    def assert_frame(self, got, index, frame):
        np.testing.assert_allclose(got.y[index], frame.y, atol=3e-6)
        np.testing.assert_array_equal(got.data[index], frame.data.astype(np.complex64))

    def assert_lost(self, got, index, reason):
        self.assertFalse(got.y[index].any())
        self.assertFalse(got.data[index].any())
        for tags, size in ((got.y_tags, N_USERS), (got.data_tags, N_DATA)):
            for i in range(index * size, (index + 1) * size):
                self.assertEqual(tags[i]["thzum_skipped"], reason)
                self.assertNotIn("thzum_noise_var", tags[i])

    def test_frames_back_to_back_are_separated_exactly(self):
        sent = self.frames(6)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        got = Reception(samples, LENGTH * np.arange(6), numbers=range(40, 46))
        self.assertEqual(got.y.shape[0], 6)
        self.assertEqual(got.data.shape[0], 6)
        for i, frame in enumerate(sent):
            self.assert_frame(got, i, frame)
        for item, tags in got.y_tags.items():
            self.assertEqual(tags["thzum_frame"], 40 + item // N_USERS)
            self.assertEqual(tags["thzum_user"], item % N_USERS)
            self.assertGreater(tags["thzum_noise_var"], 0)
            self.assertNotIn("thzum_skipped", tags)
        self.assertEqual(sorted(got.data_tags), [N_DATA * i for i in range(6)])
        self.assertEqual((got.receiver.frames(), got.receiver.lost_frames()), (6, 0))
        self.assertEqual(got.receiver.skipped_items(), 0)
        self.assertEqual(got.receiver.frame_length(), LENGTH)

    def test_small_work_calls_change_nothing(self):
        sent = self.frames(9, noise_std=0.1)
        gap = complex_normal(self.rng, N_CHAINS, 2)
        samples = np.concatenate([part for f in sent for part in (gap, f.samples)], axis=1)
        starts = 2 + (LENGTH + 2) * np.arange(9)
        whole = Reception(samples, starts)
        for max_items in (1, 2, 5, LENGTH - 1):
            split = Reception(samples, starts, max_items=max_items)
            np.testing.assert_array_equal(split.y, whole.y)
            np.testing.assert_array_equal(split.data, whole.data)
            self.assertEqual(split.y_tags, whole.y_tags)
            self.assertEqual(split.data_tags, whole.data_tags)

    def test_samples_between_frames_are_dropped(self):
        sent = self.frames(4)
        gaps = [0, 1, 17, 300, 11]
        parts, starts, at = [], [], 0
        for gap, frame in zip(gaps, sent):
            parts += [100 * complex_normal(self.rng, N_CHAINS, gap), frame.samples]
            starts.append(at + gap)
            at += gap + LENGTH
        parts.append(np.full((N_CHAINS, gaps[-1]), np.nan))
        got = Reception(np.concatenate(parts, axis=1), starts)
        self.assertEqual(len(got.y), 4)
        for i, frame in enumerate(sent):
            self.assert_frame(got, i, frame)
        self.assertEqual(got.receiver.lost_frames(), 0)

    def test_many_frames_pass_small_output_buffers(self):
        sent = self.frames(300)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        got = Reception(samples, LENGTH * np.arange(300))
        self.assertEqual((len(got.y), len(got.data)), (300, 300))
        np.testing.assert_allclose(got.y, np.array([f.y for f in sent]), atol=5e-6)
        self.assertEqual([r["frame"] for r in got.reports], list(range(300)))

    def test_a_frame_cut_short_is_lost_alone(self):
        sent = self.frames(4)
        for cut in (1, N_NOISE, N_NOISE + 3, LENGTH - N_DATA, LENGTH - 1):
            pieces = [sent[0].samples, sent[1].samples[:, :cut], sent[2].samples, sent[3].samples]
            starts = np.cumsum([0] + [p.shape[1] for p in pieces[:-1]])
            for max_items in (None, 3):
                got = Reception(np.concatenate(pieces, axis=1), starts, max_items=max_items)
                self.assertEqual(len(got.y), 4)
                self.assert_lost(got, 1, "cut short")
                for i in (0, 2, 3):
                    self.assert_frame(got, i, sent[i])
                self.assertEqual((got.receiver.frames(), got.receiver.lost_frames()), (4, 1))
                self.assertEqual(got.receiver.skipped_items(), N_USERS + N_DATA)
                self.assertEqual(got.reports[1], {"frame": 1, "users": 15, "skipped": "cut short"})

    def test_bad_pilot_samples_lose_the_frame_alone(self):
        sent = self.frames(3)
        for bad in (np.nan, np.inf, -1j * np.inf):
            for chain in range(N_CHAINS):
                for at in (0, N_NOISE, LENGTH - N_DATA - 1):
                    samples = np.concatenate([f.samples for f in sent], axis=1)
                    samples[chain, LENGTH + at] = bad
                    got = Reception(samples, LENGTH * np.arange(3))
                    self.assert_lost(got, 1, "bad samples")
                    self.assert_frame(got, 0, sent[0])
                    self.assert_frame(got, 2, sent[2])

    def test_a_bad_data_sample_loses_its_item_alone(self):
        sent = self.frames(2)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        samples[2, LENGTH - N_DATA + 4] = np.nan
        got = Reception(samples, LENGTH * np.arange(2))
        np.testing.assert_allclose(got.y[0], sent[0].y, atol=3e-6)
        good = [0, 1, 2, 3, 5]
        np.testing.assert_array_equal(got.data[0, good], sent[0].data[good].astype(np.complex64))
        self.assertFalse(got.data[0, 4].any())
        self.assertEqual(got.data_tags[4], {"thzum_skipped": "bad samples"})
        self.assert_frame(got, 1, sent[1])
        self.assertEqual((got.receiver.lost_frames(), got.receiver.skipped_items()), (0, 1))

    def test_a_stream_that_stops_within_a_frame_ends_cleanly(self):
        sent = self.frames(2)
        for stop in (1, N_NOISE + 2, LENGTH - 1):
            samples = np.concatenate([sent[0].samples, sent[1].samples[:, :stop]], axis=1)
            got = Reception(samples, [0, LENGTH])
            self.assertEqual((len(got.y), len(got.data)), (1, 1))
            self.assert_frame(got, 0, sent[0])
            self.assertEqual((got.receiver.frames(), got.receiver.lost_frames()), (1, 1))

    def test_stream_without_frames_gives_nothing(self):
        got = Reception(complex_normal(self.rng, N_CHAINS, 1000), [])
        self.assertEqual((len(got.y), len(got.data)), (0, 0))

    def test_unscheduled_users_and_beams(self):
        sent = self.frames(3)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        extra = [
            (LENGTH, "thzum_users", pmt.from_long(0b0101)),
            (LENGTH, "thzum_beams", pmt.init_s32vector(3, [5, 0, 9])),
        ]
        got = Reception(samples, LENGTH * np.arange(3), extra_tags=extra)
        for user in range(N_USERS):
            tags = got.y_tags[N_USERS + user]
            if user in (0, 2):
                np.testing.assert_allclose(got.y[1, user], sent[1].y[user], atol=3e-6)
                self.assertNotIn("thzum_skipped", tags)
            else:
                self.assertFalse(got.y[1, user].any())
                self.assertEqual(tags["thzum_skipped"], "unscheduled")
        np.testing.assert_array_equal(got.data[1], sent[1].data.astype(np.complex64))
        for tags in (got.y_tags[N_USERS], got.data_tags[N_DATA]):
            self.assertEqual(tags["thzum_users"], 5)
            self.assertEqual(list(tags["thzum_beams"]), [5, 0, 9])
        self.assertNotIn("thzum_beams", got.y_tags[N_USERS + 1])
        for i in (0, 2):
            self.assert_frame(got, i, sent[i])
            self.assertNotIn("thzum_users", got.y_tags[N_USERS * i])
        self.assertEqual([r["users"] for r in got.reports], [15, 5, 15])
        self.assertEqual(got.receiver.skipped_items(), 2)

    def test_user_phases_go_to_their_data_items(self):
        sent = self.frames(3)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        data = LENGTH - N_DATA
        phases = {0: [0.1, 0.2, 0.3, 0.4], N_DATA - 1: [1.0, 2.0, 3.0, 4.0]}
        extra = [(LENGTH + data + i, "thzum_user_phase", pmt.init_f64vector(4, p)) for i, p in phases.items()]
        extra += [
            (LENGTH + data, "thzum_user_reference", pmt.init_c32vector(12, [1j] * 12)),
            (LENGTH + data - 1, "thzum_user_phase", pmt.init_f64vector(4, [9.0] * 4)),  # a pilot's
        ]
        for max_items in (None, 2):
            got = Reception(samples, LENGTH * np.arange(3), extra_tags=extra, max_items=max_items)
            tagged = {item: list(tags["thzum_user_phase"]) for item, tags in got.data_tags.items()
                      if "thzum_user_phase" in tags}
            self.assertEqual(tagged, {N_DATA + i: p for i, p in phases.items()})
            references = [item for item, tags in got.data_tags.items() if "thzum_user_reference" in tags]
            self.assertEqual(references, [N_DATA])
            self.assertFalse(any("thzum_user_phase" in tags for tags in got.y_tags.values()))

    def test_malformed_tags_are_survived(self):
        sent = self.frames(3)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        extra = [
            (0, "thzum_users", pmt.intern("all")),
            (LENGTH, "thzum_frame", pmt.PMT_NIL),
        ]
        got = Reception(samples, [0, 2 * LENGTH], numbers=[7, 11], extra_tags=extra)
        self.assertEqual([r["frame"] for r in got.reports], [7, 8, 11])
        for i, frame in enumerate(sent):
            self.assert_frame(got, i, frame)

    def test_noise_variance_and_power(self):
        noise_std, n_noise, n_frames = 0.3, 400, 5
        sent = self.frames(n_frames, noise_std=noise_std, n_noise=n_noise)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        length = sent[0].samples.shape[1]
        receiver = thzum.pilot_receiver(N_CHAINS, n_noise, N_SLOTS, N_USERS, N_DATA, row_energy=2.0)
        got = Reception(samples, length * np.arange(n_frames), receiver=receiver)
        for i, frame in enumerate(sent):
            silent = np.mean(np.abs(frame.samples[:, :n_noise]) ** 2)
            self.assertAlmostEqual(got.data_tags[N_DATA * i]["thzum_noise_var"] * 2 / silent, 1, 5)
            for user in range(N_USERS):
                tag = got.y_tags[N_USERS * i + user]["thzum_noise_var"]
                self.assertAlmostEqual(tag * 2 * N_USERS / silent, 1, 5)
            # 1200 squared complex Gaussians: relative deviation 1/sqrt(1200) of their mean.
            self.assertLess(abs(silent / noise_std**2 - 1), 5 / np.sqrt(N_CHAINS * n_noise))
            pilots = frame.samples[:, n_noise : length - N_DATA]
            power_db = 10 * np.log10(np.mean(np.abs(pilots) ** 2))
            self.assertAlmostEqual(got.reports[i]["power_db"], power_db, 4)
            self.assertEqual(got.reports[i]["noise_var"], got.y_tags[N_USERS * i]["thzum_noise_var"])

    def test_silence_gives_a_positive_noise_variance(self):
        got = Reception(np.zeros((N_CHAINS, LENGTH)), [0])
        self.assertFalse(got.y.any())
        self.assertGreater(np.float32(got.y_tags[0]["thzum_noise_var"]), 0)
        self.assertTrue(np.isfinite(got.y_tags[0]["thzum_noise_var"]))

    def test_gain_in_front_scales_observations_and_noise_alike(self):
        frame = Frame(self.rng, noise_std=0.2)
        one = Reception(frame.samples, [0])
        for gain in (1e-6, 3e5):
            scaled = Reception(gain * frame.samples, [0])
            np.testing.assert_allclose(scaled.y, gain * one.y, rtol=0, atol=1e-5 * gain)
            ratio = scaled.y_tags[0]["thzum_noise_var"] / one.y_tags[0]["thzum_noise_var"]
            self.assertAlmostEqual(ratio / gain**2, 1, 4)

    def test_more_chips_than_users_measure_noise_in_the_pilots(self):
        sequences = np.fft.fft(np.eye(16))[[0, 3, 7, 12]].astype(np.complex64)
        sent = Frame(self.rng, noise_std=0.5, sequences=sequences, n_noise=0)
        receiver = thzum.pilot_receiver(N_CHAINS, 0, N_SLOTS, N_USERS, N_DATA, sequences)
        got = Reception(sent.samples, [0], receiver=receiver)
        dimensions = N_CHAINS * N_SLOTS * 12
        ratio = got.y_tags[0]["thzum_noise_var"] * 16 / 0.25
        self.assertLess(abs(ratio - 1), 4 / np.sqrt(dimensions))
        error = np.mean(np.abs(got.y[0] - sent.y) ** 2) / (0.25 / 16)
        self.assertLess(abs(error - 1), 4 / np.sqrt(N_USERS * N_CHAINS * N_SLOTS))

    def test_data_port_may_stay_unconnected(self):
        sent = self.frames(20)
        samples = np.concatenate([f.samples for f in sent], axis=1)
        got = Reception(samples, LENGTH * np.arange(20), with_data=False)
        np.testing.assert_allclose(got.y, np.array([f.y for f in sent]), atol=3e-6)

    def test_a_flowgraph_can_run_again(self):
        frame = Frame(self.rng)
        receiver = thzum.pilot_receiver(N_CHAINS, N_NOISE, N_SLOTS, N_USERS, N_DATA)
        Reception(frame.samples[:, :20], [0], receiver=receiver)
        got = Reception(frame.samples, [0], receiver=receiver)
        self.assert_frame(got, 0, frame)
        self.assertEqual((receiver.frames(), receiver.lost_frames()), (1, 1))

    def test_missing_inputs_are_refused(self):
        top = gr.top_block()
        receiver = thzum.pilot_receiver(N_CHAINS, N_NOISE, N_SLOTS, N_USERS, N_DATA)
        top.connect(blocks.null_source(gr.sizeof_gr_complex), (receiver, 0))
        top.connect(receiver, blocks.null_sink(gr.sizeof_gr_complex * N_CHAINS * N_SLOTS))
        with self.assertRaisesRegex(RuntimeError, "insufficient connected input ports"):
            top.run()

    def test_wrong_arguments_are_named(self):
        def refused(pattern, *arguments, **named):
            with self.assertRaisesRegex(ValueError, pattern):
                thzum.pilot_receiver(*arguments, **named)

        refused("n_chains.*at least 1.*got 0", 0, 5, 7, 4, 6)
        refused("n_slots.*at least 1.*got -3", 3, 5, -3, 4, 6)
        refused("n_users", 3, 5, 7, 0, 6)
        refused("n_noise", 3, 0, 7, 4, 6)
        refused("n_data", 3, 5, 7, 4, -6)
        refused("row_energy", 3, 5, 7, 4, 6, row_energy=0)
        refused("row_energy", 3, 5, 7, 4, 6, row_energy=np.nan)
        refused(r"sequences.*of shape \[4, \*\], got .*of shape \[4\]", 3, 5, 7, 4, 6, SEQUENCES[0])
        refused(r"sequences.*of shape \[3, 4\]", 3, 5, 7, 4, 6, SEQUENCES[:3])
        refused(r"sequences.*as many chips.*of shape \[4, 3\]", 3, 5, 7, 4, 6, SEQUENCES[:, :3])
        refused("sequences", 3, 5, 7, 4, 6, "dft")
        refused("sequences.*orthogonal", 3, 5, 7, 4, 6, np.ones((4, 4)))
        refused("sequences.*magnitude 1", 3, 5, 7, 4, 6, 2 * SEQUENCES)
        refused("sequences.*finite", 3, 5, 7, 4, 6, np.nan * SEQUENCES)


if __name__ == "__main__":
    gr_unittest.run(qa_pilot_receiver)
