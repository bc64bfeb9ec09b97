# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input from end to end: one clear message or one skipped item, and the next frame as if nothing had been."""

import threading
from types import SimpleNamespace

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr

from gnuradio import thzum
from gnuradio.thzum.frame import PilotPlan
from gnuradio.thzum.frame.recording import Recording
from gnuradio.thzum.model import Model

from tiny_models import save

ESTIMATOR = "fpn_oamp"
N_FRAMES, BAD = 4, 1  # frames of a run, and the position of the one that is spoilt
TIME_LIMIT = 90  # seconds, for a machine that is busy with other things


@pytest.fixture(scope="module")
def recording():
    return Recording()


@pytest.fixture(scope="module")
def frames(recording):
    """The first frames in which all users send: samples complex64 [chains, samples] without gaps, their annotations."""
    full = [f for f in recording.frames if len(f.users) == recording.plan.n_users][:N_FRAMES]
    return np.concatenate([recording.samples(f.start, f.length) for f in full]).T.copy(), full


@pytest.fixture(scope="module")
def clean(recording, frames):
    """What comes out when nothing is wrong."""
    out = receive(recording.plan, *frames)
    assert out.skipped_y == {} and out.lost == 0
    return out


def tag(offset, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = int(offset), pmt.intern(key), value
    return made


def frame_tags(plan, annotations, **changes):
    """The tags of chain 0; ``changes`` {key: value} replace those of the bad frame."""
    tags = []
    for position, frame in enumerate(annotations):
        values = {
            "frame": pmt.from_long(frame.frame),
            "users": pmt.from_long(frame.user_mask),
            "beams": pmt.init_s32vector(len(frame.beams), list(frame.beams)),
        }
        if position == BAD:
            values |= changes
        tags += [tag(position * plan.frame_length, f"thzum_{key}", value) for key, value in values.items()]
    return tags


def run(graph):
    """Run to the end; a graph that hangs is stopped and fails."""
    waiter = threading.Thread(target=graph.run, daemon=True)
    waiter.start()
    waiter.join(TIME_LIMIT)
    if waiter.is_alive():
        graph.stop()
        pytest.fail(f"the flowgraph did not end within {TIME_LIMIT} s")


def tagged(sink, key):
    return {t.offset: pmt.to_python(t.value) for t in sink.tags() if pmt.symbol_to_string(t.key) == key}


def receive(plan, samples, annotations, tags=None, estimator_options=None, noise_var=0.0, on_start=None):
    """Everything that comes out of the receiver for ``samples``."""
    graph = gr.top_block()
    sources = [blocks.vector_source_c(chain, False, 1, []) for chain in samples]
    sources[0] = blocks.vector_source_c(samples[0], False, 1, tags or frame_tags(plan, annotations))
    pilots = thzum.pilot_receiver(
        plan.n_subarrays, plan.n_noise, plan.n_slots, plan.n_users, plan.n_data, plan.user_sequences
    )
    estimator = thzum.channel_estimator(plan.operator, ESTIMATOR, estimator_options or {}, noise_var)
    effective = thzum.effective_channel(plan.n_subarrays, plan.n_elements, plan.n_users, plan.codebook.ravel())
    h_hat, H = (blocks.vector_sink_c(n) for n in (plan.n_antennas, plan.n_subarrays * plan.n_users))
    for chain, source in enumerate(sources):
        graph.connect(source, (pilots, chain))
    graph.connect((pilots, 0), estimator, effective, H)
    graph.connect(estimator, h_hat)
    detectors, symbols, bits = [], [], []
    for modulation, first, count in plan.data_sections:
        detector = thzum.mimo_detector(
            "lmmse", plan.n_subarrays, plan.n_users, modulation, count, offset=first, block_length=plan.n_data
        )
        n_bits = {"qpsk": 2, "16qam": 4}[modulation]
        symbols.append(blocks.vector_sink_i(plan.n_users))
        bits.append(blocks.vector_sink_f(plan.n_users * n_bits))
        graph.connect(effective, (detector, 0))
        graph.connect((pilots, 1), (detector, 1))
        graph.connect((detector, 0), symbols[-1])
        graph.connect((detector, 1), bits[-1])
        detectors.append(detector)
    if on_start:
        on_start(SimpleNamespace(graph=graph, estimator=estimator, detectors=detectors, effective=effective))
    run(graph)
    h = np.array(h_hat.data(), np.complex64).reshape(-1, plan.n_users, plan.n_antennas)
    decided = [
        np.array(sink.data(), int).reshape(-1, section[2], plan.n_users)
        for sink, section in zip(symbols, plan.data_sections)
    ]
    llr = [np.array(sink.data(), np.float32).reshape(len(part), part.shape[1], -1) for sink, part in zip(bits, decided)]
    return SimpleNamespace(
        h=h,
        symbols=np.concatenate(decided, axis=1),
        llr=llr,
        skipped_y=tagged(h_hat, "thzum_skipped"),
        frames=[number for _, number in sorted(tagged(h_hat, "thzum_frame").items())][:: plan.n_users],
        noise_var=tagged(h_hat, "thzum_noise_var"),
        lost=pilots.lost_frames(),
        estimator=estimator,
        detectors=detectors,
    )


def assert_frames_equal(out, clean, positions, gain=1.0):
    """Channels, symbols and soft bits at ``positions`` are those of the clean run."""
    for position in positions:
        expected = gain * clean.h[position]
        error = np.linalg.norm(out.h[position] - expected) / np.linalg.norm(expected)
        assert error < 1e-3, f"frame {position}"
        np.testing.assert_array_equal(out.symbols[position], clean.symbols[position])
        for got, wanted in zip(out.llr, clean.llr):
            np.testing.assert_allclose(got[position], wanted[position], rtol=0.02, atol=0.02 * np.abs(wanted).max())


def others(count=N_FRAMES):
    return [k for k in range(count) if k != BAD]


def assert_frame_skipped(out, plan, position=BAD):
    users = range(position * plan.n_users, (position + 1) * plan.n_users)
    assert set(out.skipped_y) == set(users)
    assert not out.h[position].any()
    assert (out.symbols[position] == -1).all()
    assert not any(part[position].any() for part in out.llr)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, complex(0, np.nan)])
@pytest.mark.parametrize("section", ["noise", "pilots"])
def test_bad_sample_costs_its_frame_alone(recording, frames, clean, value, section):
    plan, (samples, annotations) = recording.plan, frames
    spoilt = samples.copy()
    at = {"noise": 3, "pilots": plan.pilot_offset + 100}[section]
    spoilt[2, BAD * plan.frame_length + at] = value
    out = receive(plan, spoilt, annotations)
    assert out.frames == clean.frames
    assert out.lost == 1
    assert_frame_skipped(out, plan)
    assert_frames_equal(out, clean, others())


def test_bad_data_sample_costs_its_symbol_alone(recording, frames, clean):
    plan, (samples, annotations) = recording.plan, frames
    spoilt = samples.copy()
    spoilt[1, BAD * plan.frame_length + plan.data_offset + 7] = np.nan
    out = receive(plan, spoilt, annotations)
    assert (out.symbols[BAD, 7] == -1).all()
    out.symbols[BAD, 7] = clean.symbols[BAD, 7]
    out.llr[0][BAD, 7] = clean.llr[0][BAD, 7]
    assert_frames_equal(out, clean, range(N_FRAMES))


@pytest.mark.parametrize("gain", [1e-6, 1e6])
def test_results_do_not_depend_on_a_gain(recording, frames, clean, gain):
    samples, annotations = frames
    out = receive(recording.plan, np.complex64(gain) * samples, annotations)
    assert out.skipped_y == {}
    assert_frames_equal(out, clean, range(N_FRAMES), gain)


@pytest.mark.parametrize("gain", [1e-30, 1e30])
def test_power_past_the_float_range_is_skipped(recording, frames, gain):
    plan, (samples, annotations) = recording.plan, frames
    out = receive(plan, np.complex64(gain) * samples, annotations)
    assert len(out.skipped_y) == N_FRAMES * plan.n_users
    assert not out.h.any() and (out.symbols == -1).all()


def test_silence_costs_its_frame_alone(recording, frames, clean):
    plan, (samples, annotations) = recording.plan, frames
    silent = samples.copy()
    silent[:, BAD * plan.frame_length : (BAD + 1) * plan.frame_length] = 0
    out = receive(plan, silent, annotations)
    assert_frame_skipped(out, plan)
    assert_frames_equal(out, clean, others())


def test_one_dead_chain_is_survived(recording, frames, clean):
    plan, (samples, annotations) = recording.plan, frames
    dead = samples.copy()
    dead[3, BAD * plan.frame_length : (BAD + 1) * plan.frame_length] = 0
    out = receive(plan, dead, annotations)
    assert np.isfinite(out.h).all() and all(np.isfinite(part).all() for part in out.llr)
    assert_frames_equal(out, clean, others())


@pytest.mark.parametrize("missing", [1, 150, 400, 767])
def test_stream_that_stops_within_a_frame_ends_the_flowgraph(recording, frames, clean, missing):
    plan, (samples, annotations) = recording.plan, frames
    out = receive(plan, samples[:, :-missing], annotations)
    assert out.frames == clean.frames[:-1]
    assert out.lost == 1
    assert_frames_equal(out, clean, range(N_FRAMES - 1))


def test_frame_cut_short_by_the_next_costs_that_frame_alone(recording, frames, clean):
    plan, (samples, annotations) = recording.plan, frames
    cut, begin = 300, BAD * plan.frame_length
    short = np.delete(samples, slice(begin + cut, begin + plan.frame_length), axis=1)
    tags = frame_tags(plan, annotations)
    for each in tags:
        if each.offset > begin:
            each.offset -= plan.frame_length - cut
    out = receive(plan, short, annotations, tags)
    assert out.frames == clean.frames
    assert_frame_skipped(out, plan)
    assert_frames_equal(out, clean, others())


@pytest.mark.parametrize(
    "key, value",
    [
        ("beams", pmt.init_s32vector(4, [0, 1, 2, 100000])),
        ("beams", pmt.init_s32vector(3, [0, 1, 2])),
        ("beams", pmt.intern("broadside")),
        ("users", pmt.intern("everyone")),
        ("frame", pmt.intern("first")),
        ("users", pmt.from_long(0)),
    ],
    ids=["beam out of range", "too few beams", "beams not a vector", "users not a mask", "frame not a number", "nobody"],
)
def test_malformed_tag_touches_its_frame_alone(recording, frames, clean, key, value):
    plan, (samples, annotations) = recording.plan, frames
    out = receive(plan, samples, annotations, frame_tags(plan, annotations, **{key: value}))
    assert len(out.h) == N_FRAMES and np.isfinite(out.h).all()
    assert_frames_equal(out, clean, others())
    if key == "beams":
        assert (out.symbols[BAD] == -1).all()


CONTROL_MESSAGES = [
    pmt.PMT_NIL,
    pmt.intern("faster"),
    pmt.from_long(3),
    pmt.cons(pmt.intern("algorithm"), pmt.from_double(1.0)),
    pmt.cons(pmt.intern("algorithm"), pmt.intern("oracle")),
    pmt.cons(pmt.intern("noise_var"), pmt.from_double(-1.0)),
    pmt.cons(pmt.intern("noise_var"), pmt.from_double(float("nan"))),
    pmt.cons(pmt.intern("volume"), pmt.from_long(11)),
    pmt.dict_add(pmt.make_dict(), pmt.from_long(1), pmt.from_long(2)),
    pmt.dict_add(pmt.make_dict(), pmt.intern("options"), pmt.intern("none")),
    pmt.init_u8vector(3, [1, 2, 3]),
]


def test_malformed_control_messages_are_logged_and_dropped(recording, frames, clean, capfd):
    samples, annotations = frames
    settings = []

    def send(receiver):
        for block in (receiver.estimator, *receiver.detectors):
            for message in CONTROL_MESSAGES:
                block.to_basic_block()._post(pmt.intern("control"), message)
        settings.append((receiver.estimator.settings(), receiver.detectors[0].settings()))

    out = receive(recording.plan, samples, annotations, on_start=send)
    assert_frames_equal(out, clean, range(N_FRAMES))
    assert (out.estimator.settings(), out.detectors[0].settings()) == settings[0]
    log = "".join(capfd.readouterr())
    assert log.count("control message dropped") >= 3 * (len(CONTROL_MESSAGES) - 1)
    assert "oracle" in log and "volume" in log


@pytest.mark.parametrize("noise_var", [-1.0, float("nan"), float("inf")])
def test_unusable_noise_variance_is_refused(recording, noise_var):
    plan = recording.plan
    with pytest.raises(ValueError, match="noise_var"):
        thzum.channel_estimator(plan.operator, ESTIMATOR, {}, noise_var)
    with pytest.raises(ValueError, match="noise_var"):
        thzum.mimo_detector("lmmse", plan.n_subarrays, plan.n_users, "qpsk", 96, noise_var)


@pytest.mark.parametrize("noise_var", [0.0, -1.0, float("nan"), float("inf")])
def test_unusable_noise_variance_in_a_tag_costs_its_item_alone(recording, frames, noise_var):
    plan, (samples, annotations) = recording.plan, frames
    rng = np.random.default_rng(1)
    y = (rng.standard_normal((4, plan.n_observations, 2)) @ [1, 1j]).astype(np.complex64)
    good = [tag(k, "thzum_noise_var", pmt.from_double(0.1)) for k in range(4)]
    bad = good[:1] + [tag(1, "thzum_noise_var", pmt.from_double(noise_var))] + good[2:]
    results = []
    for tags in (good, bad):
        graph = gr.top_block()
        estimator = thzum.channel_estimator(plan.operator, ESTIMATOR)
        sink = blocks.vector_sink_c(plan.n_antennas)
        graph.connect(blocks.vector_source_c(y.ravel(), False, plan.n_observations, tags), estimator, sink)
        run(graph)
        results.append((np.array(sink.data()).reshape(4, -1), tagged(sink, "thzum_skipped")))
    (expected, none), (h, skipped) = results
    assert none == {} and skipped == {1: "noise_var"}
    assert not h[1].any()
    np.testing.assert_allclose(h[[0, 2, 3]], expected[[0, 2, 3]], rtol=1e-3, atol=1e-3)


def test_wrong_vector_length_is_refused_when_connecting(recording):
    plan = recording.plan
    graph = gr.top_block()
    source = blocks.vector_source_c([0] * 3 * 100, False, 100)
    with pytest.raises(ValueError, match="itemsize mismatch.*channel_estimator"):
        graph.connect(source, thzum.channel_estimator(plan.operator, "ls"))
        graph.run()


def test_plan_of_another_array_is_refused_when_connecting(recording):
    smaller = PilotPlan("thz300_aosa4x256", n_slots=64)
    plan, graph = recording.plan, gr.top_block()
    pilots = thzum.pilot_receiver(plan.n_subarrays, plan.n_noise, plan.n_slots, plan.n_users, plan.n_data)
    with pytest.raises(ValueError, match="itemsize mismatch"):
        graph.connect((pilots, 0), thzum.channel_estimator(smaller.operator, "ls"))
        graph.run()


def test_model_for_another_array_is_refused(tmp_path):
    eight = thzum.pilot_operator.hadamard(n_subarrays=2, rows=8, cols=8, n_slots=32, seed=1)
    model = save(tmp_path / "other.onnx")
    with pytest.raises(ValueError, match=r"other\.onnx.*16.*8"):
        thzum.channel_estimator(eight, "fpn_oamp", {"model": str(model)})


def bad_model_files(folder, shipped):
    whole = shipped.read_bytes()
    files = {"missing": folder / "missing.onnx", "folder": folder}
    contents = {"truncated": whole[: len(whole) // 2], "empty": b"", "text": b"not a network\n", "zeros": bytes(4096)}
    for name, content in contents.items():
        files[name] = folder / f"{name}.onnx"
        files[name].write_bytes(content)
    files["task"] = save(folder / "task.onnx", task="amp_gnn_detector")
    files["card"] = save(folder / "card.onnx", card={})
    return files


@pytest.mark.parametrize("kind", ["missing", "folder", "truncated", "empty", "text", "zeros", "task", "card"])
def test_unusable_model_file_is_refused_with_its_name(recording, shipped_model, tmp_path, kind):
    path = str(bad_model_files(tmp_path, shipped_model)[kind])
    plan = recording.plan
    users = {
        "estimator": lambda: thzum.channel_estimator(plan.operator, "fpn_oamp", {"model": path}),
        "denoiser": lambda: thzum.onnx_denoiser(plan.n_subarrays, 16, 16, "onnx", {"model": path}),
        "variable": lambda: Model(path),
    }
    for make in users.values():
        with pytest.raises((RuntimeError, ValueError)) as refused:
            make()
        message = str(refused.value)
        assert path in message and "\n" not in message and len(message) < 400, message


def test_unusable_model_does_not_replace_the_one_in_use(recording, frames, clean, tmp_path):
    samples, annotations = frames
    missing = str(tmp_path / "missing.onnx")

    def change(receiver):
        with pytest.raises(RuntimeError, match="missing.onnx"):
            receiver.estimator.set_algorithm("fpn_oamp", {"model": missing})
        message = pmt.dict_add(pmt.make_dict(), pmt.intern("model"), pmt.intern(missing))
        message = pmt.dict_add(pmt.make_dict(), pmt.intern("options"), message)
        receiver.estimator.to_basic_block()._post(pmt.intern("control"), message)

    out = receive(recording.plan, samples, annotations, on_start=change)
    assert_frames_equal(out, clean, range(N_FRAMES))
