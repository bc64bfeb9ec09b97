#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel estimator block: the algorithm's own numbers, batches, tags, control, bad items."""

import time

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest, thzum

S, SIDE, SLOTS = 2, 8, 56
M, N = S * SLOTS, S * SIDE * SIDE
NOISE_VAR = 0.05


def operator(n_slots=SLOTS):
    return thzum.pilot_operator.hadamard(n_subarrays=S, rows=SIDE, cols=SIDE, n_slots=n_slots, seed=1)


def pilots(count, seed=0):
    """y [count, M] of plane waves in noise."""
    rng = np.random.default_rng(seed)
    element = np.arange(SIDE)
    h = np.zeros((count, S, SIDE, SIDE), np.complex64)
    for item in h:
        for _ in range(3):
            u, v = rng.uniform(-0.19, 0.19, 2)
            wave = np.exp(2j * np.pi * (v * element[:, None] + u * element))
            item += (rng.standard_normal(S) + 1j * rng.standard_normal(S))[:, None, None] * wave / np.sqrt(6)
    noise = rng.standard_normal((count, M, 2)) @ [1, 1j] * np.sqrt(NOISE_VAR / 2)
    return (operator().measure(h.reshape(count, N)) + noise).astype(np.complex64)


def tag(item, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = item, pmt.intern(key), pmt.to_pmt(value)
    return made


def tags_by_item(sink, count):
    """[{key: value}] of a vector sink; a key that came twice fails."""
    found = [{} for _ in range(count)]
    for t in sink.tags():
        key = pmt.symbol_to_string(t.key)
        assert key not in found[t.offset], f"{key} twice on item {t.offset}"
        found[t.offset][key] = pmt.to_python(t.value)
    return found


class Graph:
    """Vector source -> channel estimator -> vector sink, with the report messages."""

    def __init__(self, y, block, tags=(), repeat=False):
        self.top = gr.top_block()
        self.block = block
        self.sink = blocks.vector_sink_c(N)
        self.debug = blocks.message_debug()
        self.source = blocks.vector_source_c(np.asarray(y).ravel(), repeat, M, list(tags))
        self.top.connect(self.source, block, self.sink)
        self.top.msg_connect(block, "report", self.debug, "store")

    def run(self):
        self.top.run()
        return self.output()

    def output(self):
        return np.array(self.sink.data(), np.complex64).reshape(-1, N)

    def reports(self):
        return [pmt.to_python(self.debug.get_message(i)) for i in range(self.debug.num_messages())]


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    return condition()


class qa_channel_estimator(gr_unittest.TestCase):
    def test_users_are_tracked_and_told_apart(self):
        first, second = pilots(2)
        other = pilots(2, seed=1)[1]
        # Users 0 and 1 in turn; user 7 is not tracked; the last item of user 1 is another channel.
        y = np.stack([first, second, first, second, first, first, other])
        users = [0, 1, 0, 1, 7, 0, 1]
        tags = [tag(k, "thzum_user", user) for k, user in enumerate(users)]
        runs = {}
        for tracked in (0, 2):
            for batch in (1, 7):
                block = thzum.channel_estimator(
                    operator(), "newtonized_omp", {"spacing": 0.2}, NOISE_VAR, batch, tracked_users=tracked
                )
                found = blocks.message_debug()
                graph = Graph(y, block, tags)
                graph.top.msg_connect(block, "paths", found, "store")
                runs[tracked, batch] = graph.run(), graph.reports(), found.num_messages()
                self.assertEqual(block.tracked_users(), tracked)
        for tracked in (0, 2):
            np.testing.assert_allclose(runs[tracked, 1][0], runs[tracked, 7][0], rtol=1e-4, atol=1e-4)
            self.assertEqual(runs[tracked, 7][2], 7)
        apart = np.linalg.norm(runs[2, 7][0] - runs[0, 7][0], axis=1)
        self.assertTrue(np.all(apart < 0.1 * np.linalg.norm(runs[0, 7][0], axis=1)))
        self.assertNotIn("steps_saved", runs[0, 7][1][0])
        saved = [report["steps_saved"] for report in runs[2, 7][1]]
        self.assertEqual([saved[0], saved[1], saved[4]], [0, 0, 0])
        self.assertGreater(saved[2] + saved[3] + saved[5], 0, saved)
        for bad in (-1, 4097):
            with self.assertRaisesRegex(ValueError, "tracked_users"):
                thzum.channel_estimator(operator(), "ls", tracked_users=bad)

    def test_paths_are_published_for_each_estimate(self):
        y = pilots(5)
        y[2] = 0
        block = thzum.channel_estimator(operator(), "newtonized_omp", {"max_paths": 3}, NOISE_VAR, 4)
        graph = Graph(y, block, [tag(k, "thzum_user", k) for k in range(5)])
        found = blocks.message_debug()
        graph.top.msg_connect(block, "paths", found, "store")
        graph.run()
        messages = [pmt.to_python(found.get_message(i)) for i in range(found.num_messages())]
        self.assertEqual([message["user"] for message in messages], [0, 1, 3, 4])
        direct = thzum.estimator("newtonized_omp", operator(), max_paths=3)
        for message in messages:
            direct.estimate(y[message["user"]], NOISE_VAR)
            for key, value in direct.paths().items():
                if key != "coherent":
                    np.testing.assert_allclose(message[key], value, rtol=1e-4, atol=1e-5)

    def test_what_is_known_of_the_array_reaches_every_algorithm_that_asks(self):
        centres = np.array([0, 20 + 0j])
        known = {"spacing": 0.25, "subarray_centres": centres}
        block = thzum.channel_estimator(operator(), "newtonized_omp", {}, NOISE_VAR, 4, known)
        self.assertIn("spacing=0.25", block.settings())
        block.set_algorithm("ls")
        block.set_algorithm("newtonized_omp", {"spacing": 0.2})
        self.assertIn("spacing=0.2", block.settings())
        y = pilots(3)
        expected = thzum.estimator("newtonized_omp", operator(), subarray_centres=centres).estimate(y, NOISE_VAR)[0]
        np.testing.assert_allclose(Graph(y, block).run(), expected, rtol=1e-4, atol=1e-4)

    def test_equals_the_algorithm(self):
        y = pilots(9)
        for name in ("ls", "oamp"):
            graph = Graph(y, thzum.channel_estimator(operator(), name, {}, NOISE_VAR, batch=4))
            expected, report = thzum.estimator(name, operator()).estimate(y, NOISE_VAR)
            np.testing.assert_allclose(graph.run(), expected, rtol=1e-4, atol=1e-5)
            tags = tags_by_item(graph.sink, 9)
            self.assertEqual([t["thzum_iterations"] for t in tags], list(report["iterations"]))
            np.testing.assert_allclose([t["thzum_noise_var"] for t in tags], NOISE_VAR, rtol=1e-5)
            self.assertEqual(graph.block.estimates(), 9)

    def test_batches_what_is_waiting(self):
        graph = Graph(pilots(64), thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR, batch=16))
        out = graph.run()
        self.assertEqual(graph.block.largest_batch(), 16)
        self.assertEqual(len(out), 64)

    def test_batch_does_not_change_results(self):
        y = pilots(11)
        made = [thzum.channel_estimator(operator(), "oamp", {}, NOISE_VAR, batch) for batch in (1, 3, 11)]
        runs = [Graph(y, block).run() for block in made]
        for run in runs[1:]:
            np.testing.assert_allclose(run, runs[0], rtol=1e-4, atol=1e-5)

    def test_partial_batch_does_not_wait(self):
        out = Graph(pilots(3), thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR, batch=64)).run()
        self.assertEqual(len(out), 3)

    def test_noise_var_from_tag_then_pilots(self):
        y = pilots(4)
        tags = [tag(0, "thzum_noise_var", 0.02), tag(2, "thzum_noise_var", 0.3)]
        graph = Graph(y, thzum.channel_estimator(operator(), "lmmse", {}), tags)
        graph.run()
        estimator = thzum.estimator("lmmse", operator())
        expected = [estimator.estimate(y[i : i + 1], v)[0][0] for i, v in enumerate((0.02, None, 0.3, None))]
        np.testing.assert_allclose(graph.output(), expected, rtol=1e-4, atol=1e-5)
        used = [t["thzum_noise_var"] for t in tags_by_item(graph.sink, 4)]
        np.testing.assert_allclose([used[0], used[2]], [0.02, 0.3], rtol=1e-6)

    def test_few_slots_tell_the_noise_as_well(self):
        y = pilots(4)[:, : S * 16]
        top, sink = gr.top_block(), blocks.vector_sink_c(N)
        block = thzum.channel_estimator(operator(16), "lmmse")
        source = blocks.vector_source_c(y.ravel(), False, S * 16, [tag(2, "thzum_noise_var", NOISE_VAR)])
        top.connect(source, block, sink)
        top.run()
        reasons = [t.get("thzum_skipped") for t in tags_by_item(sink, 4)]
        self.assertEqual(reasons, [None] * 4)
        self.assertEqual((block.estimates(), block.skipped()), (4, 0))
        used = [t["thzum_noise_var"] for t in tags_by_item(sink, 4)]
        expected = thzum.estimator("lmmse", operator(16)).estimate(y)[1]["noise_var"]
        np.testing.assert_allclose(used, [*expected[:2], NOISE_VAR, expected[3]], rtol=1e-4)

    def test_tags_stay_on_their_item_and_reach_the_report(self):
        y = pilots(6)
        places = [(10 + i // 2, i % 2) for i in range(6)]
        tags = [tag(i, "thzum_frame", frame) for i, (frame, _) in enumerate(places)]
        tags += [tag(i, "thzum_user", user) for i, (_, user) in enumerate(places)]
        tags.append(tag(3, "other", "kept"))
        graph = Graph(y, thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR, batch=4), tags)
        graph.run()
        found = tags_by_item(graph.sink, 6)
        self.assertEqual([(t["thzum_frame"], t["thzum_user"]) for t in found], places)
        self.assertEqual(found[3]["other"], "kept")
        reports = graph.reports()
        self.assertEqual([(r["frame"], r["user"]) for r in reports], places)
        wanted = "frame user iterations residual noise_var predicted_nmse_db latency_us algorithm"
        self.assertEqual(set(reports[0]), set(wanted.split()))
        self.assertGreater(reports[0]["latency_us"], 0)

    def test_bad_items_leave_their_neighbours_alone(self):
        y = pilots(12)
        clean = Graph(y, thzum.channel_estimator(operator(), "oamp", {}, NOISE_VAR, 12)).run()
        bad = y.copy()
        bad[1, 5] = np.nan
        bad[4, 0] = np.inf
        bad[6] = 0
        bad[7] = 1e30
        graph = Graph(bad, thzum.channel_estimator(operator(), "oamp", {}, NOISE_VAR, 12))
        out = graph.run()
        reasons = {1: "nan", 4: "nan", 6: "zero", 7: "nan"}
        for i, found in enumerate(tags_by_item(graph.sink, 12)):
            self.assertEqual(found.get("thzum_skipped"), reasons.get(i))
            if i in reasons:
                self.assertFalse(out[i].any())
            else:
                np.testing.assert_allclose(out[i], clean[i], rtol=1e-4, atol=1e-5)
        self.assertEqual((graph.block.skipped(), graph.block.estimates()), (4, 8))
        self.assertEqual([r.get("skipped") for r in graph.reports()], [reasons.get(i) for i in range(12)])

    def test_absurd_noise_var_skips_the_item(self):
        y = pilots(7)
        values = [NOISE_VAR, -1.0, 0.0, float("nan"), float("inf"), "loud", NOISE_VAR]
        tags = [tag(i, "thzum_noise_var", v) for i, v in enumerate(values)]
        graph = Graph(y, thzum.channel_estimator(operator(), "lmmse"), tags)
        out = graph.run()
        self.assertEqual([bool(item.any()) for item in out], [True] + 5 * [False] + [True])
        expected = thzum.estimator("lmmse", operator()).estimate(y[[0, 6]], NOISE_VAR)[0]
        np.testing.assert_allclose(out[[0, 6]], expected, rtol=1e-4, atol=1e-5)

    def test_gain_cancels(self):
        y = pilots(3)
        expected = Graph(y, thzum.channel_estimator(operator(), "oamp", {}, NOISE_VAR)).run()
        for gain in (1e-6, 1e6):
            scaled = y.copy()
            scaled[1] *= np.float32(gain)
            tags = [tag(i, "thzum_noise_var", NOISE_VAR * (gain**2 if i == 1 else 1)) for i in range(3)]
            out = Graph(scaled, thzum.channel_estimator(operator(), "oamp"), tags).run()
            out[1] /= gain
            np.testing.assert_allclose(out, expected, rtol=1e-3, atol=1e-4)

    def test_an_item_skipped_upstream_stays_skipped(self):
        y = pilots(2)
        y[0] = 0
        block = thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR)
        graph = Graph(y, block, [tag(0, "thzum_skipped", "absent")])
        graph.run()
        found = tags_by_item(graph.sink, 2)
        self.assertEqual(found[0]["thzum_skipped"], "absent")
        self.assertNotIn("thzum_skipped", found[1])

    def test_switches_while_running_by_message(self):
        graph = Graph(pilots(4), thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR), repeat=True)
        graph.top.start()
        self.assertTrue(wait_for(lambda: graph.block.estimates() > 0))
        message = {"algorithm": "oamp", "options": {"max_iterations": 3, "tolerance": 0.0}, "noise_var": 0.1}
        graph.block.to_basic_block()._post(pmt.intern("control"), pmt.to_pmt(message))
        switched = wait_for(lambda: graph.block.algorithm() == "oamp")
        before = graph.block.estimates()
        running = wait_for(lambda: graph.block.estimates() > before + 20)
        graph.top.stop()
        graph.top.wait()
        self.assertTrue(switched and running)
        last = graph.reports()[-1]
        self.assertEqual((last["algorithm"], last["iterations"]), ("oamp", 3))
        self.assertAlmostEqual(last["noise_var"], 0.1, places=6)
        self.assertAlmostEqual(graph.block.noise_var(), 0.1, places=12)
        self.assertEqual(graph.block.skipped(), 0)

    def test_switches_while_running_by_callback(self):
        graph = Graph(pilots(4), thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR), repeat=True)
        graph.top.start()
        for name in ("lmmse", "oamp", "ls", "oamp"):
            before = graph.block.estimates()
            graph.block.set_algorithm(name)
            self.assertEqual(graph.block.algorithm(), name)
            self.assertTrue(wait_for(lambda: graph.block.estimates() > before + 4))
        with self.assertRaises(ValueError):
            graph.block.set_algorithm("nothing")
        with self.assertRaises(ValueError):
            graph.block.set_algorithm("oamp", {"max_iterations": -1})
        self.assertEqual(graph.block.algorithm(), "oamp")
        graph.top.stop()
        graph.top.wait()
        self.assertEqual(graph.block.skipped(), 0)

    def test_malformed_messages_are_dropped(self):
        graph = Graph(pilots(4), thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR), repeat=True)
        graph.top.start()
        malformed = [
            pmt.intern("oamp"),
            pmt.PMT_NIL,
            pmt.from_long(3),
            pmt.to_pmt({"algorithm": "nothing"}),
            pmt.to_pmt({"algorithm": 7}),
            pmt.to_pmt({"algorithm": "oamp", "colour": "red"}),
            pmt.to_pmt({"algorithm": "oamp", "options": "fast"}),
            pmt.to_pmt({"algorithm": "oamp", "options": {"max_iterations": "many"}}),
            pmt.to_pmt({"algorithm": "oamp", "noise_var": -1.0}),
            pmt.to_pmt({"noise_var": float("nan")}),
            pmt.dict_add(pmt.make_dict(), pmt.from_long(1), pmt.intern("oamp")),
            pmt.cons(pmt.make_dict(), pmt.make_u8vector(4, 0)),
        ]
        for message in malformed:
            graph.block.to_basic_block()._post(pmt.intern("control"), message)
        # Messages are handled in order: once this one has had its effect, all before it are through.
        last = pmt.cons(pmt.intern("noise_var"), pmt.from_double(0.2))
        graph.block.to_basic_block()._post(pmt.intern("control"), last)
        arrived = wait_for(lambda: graph.block.noise_var() == 0.2)
        before = graph.block.estimates()
        running = wait_for(lambda: graph.block.estimates() > before + 4)
        graph.top.stop()
        graph.top.wait()
        self.assertTrue(arrived and running)
        self.assertEqual(graph.block.algorithm(), "ls")

    def test_runs_again_after_a_stop(self):
        graph = Graph(pilots(40), thzum.channel_estimator(operator(), "ls", {}, NOISE_VAR, batch=8))
        first = graph.run()
        graph.source.rewind()
        graph.sink.reset()
        second = graph.run()
        np.testing.assert_array_equal(first, second)

    def test_wrong_vector_length_is_refused(self):
        top = gr.top_block()
        with self.assertRaises(ValueError):
            top.connect(blocks.vector_source_c([], False, M + 1), thzum.channel_estimator(operator(), "ls"))

    def test_wrong_arguments(self):
        cases = [
            (dict(algorithm="nothing"), "nothing"),
            (dict(algorithm="oamp", options={"speed": 1}), "speed"),
            (dict(noise_var=-1.0), "noise_var"),
            (dict(noise_var=float("nan")), "noise_var"),
            (dict(batch=0), "batch"),
            (dict(batch=5000), "batch"),
        ]
        for arguments, named in cases:
            with self.assertRaisesRegex(ValueError, named):
                thzum.channel_estimator(operator(), **{"algorithm": "ls", **arguments})

    def test_two_blocks_may_share_an_operator(self):
        op, y = operator(), pilots(200)
        top = gr.top_block()
        source = blocks.vector_source_c(y.ravel(), False, M)
        sinks = []
        for _ in range(3):
            sinks.append(blocks.vector_sink_c(N))
            block = thzum.channel_estimator(op, "oamp", {"max_iterations": 4}, NOISE_VAR)
            top.connect(source, block, sinks[-1])
        top.run()
        for sink in sinks[1:]:
            np.testing.assert_array_equal(sinks[0].data(), sink.data())


if __name__ == "__main__":
    gr_unittest.run(qa_channel_estimator)
