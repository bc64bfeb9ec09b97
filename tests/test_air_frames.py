# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes through frames, channel, synchronisation, estimation and detection to bytes; and what goes wrong on the way."""

import threading
from types import SimpleNamespace

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr

from gnuradio import thzum
from gnuradio.thzum.channel import UplinkChannel, draw_users, preset
from gnuradio.thzum.channel.hardware import Hardware
from gnuradio.thzum.frame import PilotPlan, ldpc_codes, ldpc_file, serving_beams

ARRAY = "thz300_aosa4x256"
RATE = 10e6  # samples per second; delays stay within a tenth of a sample
SNR_DB = 15.0  # of the pilots per antenna, after despreading
TIME_LIMIT = 300  # seconds, for a machine that is busy with other things
IMPAIRED = {
    "frequency_offset": {"offset": 0.15 * RATE / 2},  # 15 % of the symbol rate
    "sampling_offset": {"ppm": 3.0},
    "phase_noise": {"k2": 5.0, "shared": True},
}


@pytest.fixture(scope="module")
def plan():
    return PilotPlan(ARRAY, n_slots=96, n_data=704, modulations="qpsk", samples_per_symbol=2)


@pytest.fixture(scope="module")
def paths():
    return draw_users(preset(ARRAY), 4, 1, seed=3)


def code(plan):
    return thzum.payload_code(plan.n_data, "qpsk", ldpc_file())


#: Frequency offsets of the users in Hz: up to 2e-4 of the symbol rate.
OWN_OFFSETS = (1000.0, -400.0, 150.0, -1000.0)


def uplink(plan, paths, hardware=None):
    options = dict(noise_var=plan.n_users * 10 ** (-SNR_DB / 10), normalise="each", seed=5)
    hardware = None if hardware is None else Hardware.from_dict(hardware, RATE)
    ideal = UplinkChannel.from_plan(plan, paths, RATE, **options)
    beams = serving_beams(plan, ideal.true_channel(0)).tolist()
    return UplinkChannel.from_plan(plan, paths, RATE, beams=beams, hardware=hardware, **options), beams


def payloads(n_bytes, seed=1):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, n_bytes, dtype=np.uint8).tobytes() for _ in range(4)]


def run(top):
    """Run to the end, or fail when that takes too long."""
    top.start()
    waiting = threading.Thread(target=top.wait, daemon=True)
    waiting.start()
    waiting.join(TIME_LIMIT)
    alive = waiting.is_alive()
    if alive:
        top.stop()
    assert not alive, "the flowgraph did not end"


def transmit(plan, paths, sent, hardware=None, users=-1):
    """Samples [S, n] of the RF chains for the bytes ``sent`` by each user, and the data beams."""
    top = gr.top_block()
    source = thzum.uplink_frame_source(plan.air, code(plan), users=users)
    model, beams = uplink(plan, paths, hardware)
    channel = thzum.thz_uplink_channel(model.parameters())
    sinks = [blocks.vector_sink_c() for _ in range(plan.n_subarrays)]
    for k, content in enumerate(sent):
        top.connect(blocks.vector_source_b(list(content)), (source, k))
        top.connect((source, k), (channel, k))
    for s, sink in enumerate(sinks):
        top.connect((channel, s), sink)
    run(top)
    assert source.dropped() == 0
    return np.array([sink.data() for sink in sinks], np.complex64), beams


def receive(plan, samples, beams, estimator="omp", **options):
    """Everything behind the RF chains; what came out and the blocks that count."""
    top = gr.top_block()
    made = SimpleNamespace(
        sync=thzum.frame_sync(plan.air, plan.n_subarrays, beams=beams, **options),
        receiver=thzum.pilot_receiver(
            plan.n_subarrays, plan.n_noise, plan.n_slots, plan.n_users, plan.n_data, plan.user_sequences
        ),
        payload=thzum.uplink_payload(plan.n_users, code(plan)),
        debug=blocks.message_debug(),
        reports=blocks.message_debug(),
    )
    channel = thzum.channel_estimator(plan.operator, estimator, {}, 0.0, 8, plan.array_options)
    effective = thzum.effective_channel(plan.n_subarrays, plan.n_elements, plan.n_users, plan.codebook)
    detector = thzum.mimo_detector("lmmse", plan.n_subarrays, plan.n_users, "qpsk", plan.n_data)
    for s, row in enumerate(samples):
        top.connect(blocks.vector_source_c(row.tolist()), (made.sync, s))
        top.connect((made.sync, s), (made.receiver, s))
    top.connect(made.receiver, channel, effective, (detector, 0))
    top.connect((made.receiver, 1), (detector, 1))
    top.connect((detector, 0), blocks.null_sink(4 * plan.n_users))
    top.connect((detector, 1), made.payload)
    top.msg_connect(made.payload, "pdus", made.debug, "store")
    top.msg_connect(made.sync, "report", made.reports, "store")
    run(top)
    made.bytes = [b"" for _ in range(plan.n_users)]
    made.frames = [[] for _ in range(plan.n_users)]
    for i in range(made.debug.num_messages()):
        meta, content = pmt.car(made.debug.get_message(i)), pmt.cdr(made.debug.get_message(i))
        user = pmt.to_long(pmt.dict_ref(meta, pmt.intern("user"), pmt.PMT_NIL))
        made.bytes[user] += bytes(pmt.u8vector_elements(content))
        made.frames[user].append(pmt.to_long(pmt.dict_ref(meta, pmt.intern("frame"), pmt.PMT_NIL)))
    made.reported = [pmt.to_python(made.reports.get_message(i)) for i in range(made.reports.num_messages())]
    return made


@pytest.fixture(scope="module")
def link(plan, paths):
    """Five frames of all users through the impaired channel."""
    sent = payloads(5 * code(plan).max_bytes - 7)
    samples, beams = transmit(plan, paths, sent, IMPAIRED)
    return SimpleNamespace(sent=sent, samples=samples, beams=beams, length=plan.air.n_samples)


def pieces(plan, sent, frames):
    """What arrives of the bytes of a user when these frames do."""
    size = code(plan).max_bytes
    return b"".join(sent[i * size : (i + 1) * size] for i in frames)


def test_bytes_arrive_through_offsets_and_phase_noise(plan, link):
    got = receive(plan, link.samples, link.beams)
    assert got.bytes == link.sent
    assert got.sync.lost_frames() == 0 and got.receiver.lost_frames() == 0
    assert [got.payload.lost(k) for k in range(4)] == [0] * 4
    assert [report["frame"] for report in got.reported] == list(range(5))
    for report in got.reported:
        # The phase noise walks 4e-5 rad^2 a symbol, so a line through T = 2000 symbols of it has the slope's
        # variance 1.2 * 4e-5 / T: 2.5e-5 cycles a symbol; five of these.
        assert abs(report["cfo"] - 0.15) < 1.3e-4
        # 64 symbols of noise behind each chain: 5 deviations of their mean power.
        expected = plan.n_users * 10 ** (-SNR_DB / 10)
        np.testing.assert_allclose(report["noise_var"], expected, rtol=5 / np.sqrt(64))


@pytest.fixture(scope="module")
def unlocked(plan, paths):
    """Three frames of users who have oscillators of their own."""
    sent = payloads(3 * code(plan).max_bytes - 7, seed=2)
    own = {"user_frequency_offset": {"offset": OWN_OFFSETS}, "user_phase_noise": {"k2": 2.0}}
    samples, beams = transmit(plan, paths, sent, IMPAIRED | own)
    return SimpleNamespace(sent=sent, samples=samples, beams=beams)


def test_bytes_arrive_from_users_with_oscillators_of_their_own(plan, unlocked):
    got = receive(plan, unlocked.samples, unlocked.beams)
    assert got.bytes == unlocked.sent
    for report in got.reported:
        # Two walks of 4e-5 and 1.6e-5 rad^2 a symbol make a slope of 3e-5 cycles; five of these. The common
        # offset lies somewhere among the users'.
        offsets = report["cfo"] + np.array(report["user_cfo"])
        np.testing.assert_allclose(offsets, 0.15 + np.array(OWN_OFFSETS) / (RATE / 2), atol=1.5e-4)
    assert [len(report["user_cfo"]) for report in got.reported] == [plan.n_users] * 3
    ignored = receive(plan, unlocked.samples, unlocked.beams, max_user_frequency=0.0)
    assert sum(map(len, ignored.frames)) <= sum(map(len, got.frames)) // 2
    assert not any(np.any(report["user_cfo"]) for report in ignored.reported)


def test_silent_users_have_no_offset(plan, paths, unlocked):
    sent = [content if k in (0, 3) else b"" for k, content in enumerate(unlocked.sent)]
    own = {"user_frequency_offset": {"offset": OWN_OFFSETS}}
    samples, beams = transmit(plan, paths, sent, IMPAIRED | own, users=0b1001)
    for users in (-1, 0b1001):
        got = receive(plan, samples, beams, users=users)
        assert [got.bytes[k] for k in (0, 3)] == [sent[k] for k in (0, 3)]
        for report in got.reported:
            assert report["user_cfo"][0] - report["user_cfo"][3] == pytest.approx(4e-4, abs=5e-5)
            assert report["user_cfo"][1] == report["user_cfo"][2] == 0


def test_nan_in_references_of_users_with_offsets(plan, unlocked):
    length = plan.air.n_samples
    references = [block[1] for block in plan.air.blocks() if block[0] == "reference"]
    spoilt = unlocked.samples.copy()
    for first in references[2:4]:
        spoilt[1, length + 2 * first + 40 : length + 2 * first + 44] = np.nan
    plain = thzum.frame_synchronizer(plan.air, 4).process(unlocked.samples)
    got = thzum.frame_synchronizer(plan.air, 4).process(spoilt)
    assert len(got) == 3
    for a, b in zip(got, plain):
        # Two of 13 references less, among which the phase noise walks.
        np.testing.assert_allclose(a["user_cfo"], b["user_cfo"], atol=1e-4)


def test_dropped_samples_lose_their_frame_alone(plan, link):
    begin = 2 * link.length
    short = np.delete(link.samples, slice(begin + 2500, begin + 2800), axis=1)
    got = receive(plan, short, link.beams)
    kept = [0, 1, 3, 4]
    assert got.frames == [kept] * 4
    assert got.bytes == [pieces(plan, sent, kept) for sent in link.sent]
    assert [got.payload.lost(k) for k in range(4)] == [1] * 4
    assert got.sync.lost_frames() + sum(got.payload.bad_headers(k) > 0 for k in range(1)) >= 1


def test_a_stream_that_begins_within_a_frame(plan, link):
    got = receive(plan, link.samples[:, 3000:], link.beams)
    assert got.frames == [[1, 2, 3, 4]] * 4
    assert got.bytes == [pieces(plan, sent, [1, 2, 3, 4]) for sent in link.sent]


def test_header_tells_what_soft_bits_are_worth(plan):
    """Soft bits right, four times too large, and none of them: the report tells the factors, and bytes arrive."""
    coder, rng, noise_var = code(plan), np.random.default_rng(5), 0.6
    llr = np.zeros((plan.n_data, 3, 2), np.float32)
    for user, told in ((0, 1.0), (1, 4.0)):
        x = coder.encode(bytes(range(coder.max_bytes)), user, 7)
        y = x + np.sqrt(noise_var / 2) * (rng.standard_normal(x.shape) + 1j * rng.standard_normal(x.shape))
        llr[:, user] = told * np.sqrt(8) / noise_var * np.stack([y.real, y.imag], axis=1)
    tag = gr.tag_t()
    tag.offset, tag.key, tag.value = 0, pmt.intern("thzum_frame"), pmt.from_long(3)
    top, payload = gr.top_block(), thzum.uplink_payload(3, coder)
    reports, pdus = blocks.message_debug(), blocks.message_debug()
    top.connect(blocks.vector_source_f(llr.ravel().tolist(), False, 6, [tag]), payload)
    top.msg_connect(payload, "report", reports, "store")
    top.msg_connect(payload, "pdus", pdus, "store")
    run(top)
    report = pmt.to_python(reports.get_message(0))
    assert (report["good"], report["bad"], pdus.num_messages()) == (0b011, 0, 2)
    # 248 soft bits, one in fifteen of them wrong, give the factor to a third or so.
    assert np.abs(np.log(report["soft_bit_scale"] * np.array([1, 4, 1]))).max() < 0.4
    assert report["soft_bit_scale"][2] == 1 == coder.soft_bit_scale


@pytest.mark.parametrize("at, lost", [(900, False), (2600, True), (4200, False)])
def test_a_burst_of_nan(plan, link, at, lost):
    spoilt = link.samples.copy()
    spoilt[1, link.length + at : link.length + at + 20] = np.nan
    got = receive(plan, spoilt, link.beams)
    kept = [0, 2, 3, 4] if lost else [0, 1, 2, 3, 4]
    # Ten data symbols are erasures, which the code corrects; the preamble has samples enough.
    assert got.frames == [kept] * 4
    assert got.sync.bad_samples() == 20
    assert got.receiver.lost_frames() == lost


def test_a_dead_chain_and_a_gain_step_are_survived(plan, link):
    changed = link.samples.copy()
    changed[:, 2 * link.length + 40 :] *= 30
    changed[3, link.length : 2 * link.length] = 0
    got = receive(plan, changed, link.beams)
    # Without chain 3 its user may be lost; the others and the later frames are not.
    for k in range(3):
        assert set(got.frames[k]) >= {0, 2, 3, 4}
    assert got.frames[3][0] == 0 and set(got.frames[3]) >= {2, 3, 4}
    assert got.sync.frames() == 5


def test_another_plan_finds_nothing(plan, link):
    other = PilotPlan(ARRAY, n_slots=96, n_data=704, modulations="qpsk", samples_per_symbol=2,
                      air=dict(part_length=12))
    sync = thzum.frame_synchronizer(other.air, 4)
    assert sync.process(link.samples) == [] and sync.frames() == 0


def test_frames_are_the_same_in_any_pieces(plan, link):
    whole = thzum.frame_synchronizer(plan.air, 4).process(link.samples)
    sync, found, at = thzum.frame_synchronizer(plan.air, 4), [], 0
    rng = np.random.default_rng(2)
    while at < link.samples.shape[1]:
        count = int(rng.integers(1, 6000))
        found += sync.process(link.samples[:, at : at + count])
        at += count
    assert [f["frame"] for f in found] == [f["frame"] for f in whole] == list(range(5))
    for a, b in zip(found, whole):
        np.testing.assert_allclose(a["symbols"], b["symbols"], rtol=0, atol=2e-3 * np.abs(b["symbols"]).max())


def test_messages_become_payloads(plan):
    source = thzum.uplink_frame_source(plan.air, code(plan), users=0b1011, n_frames=2)
    content = payloads(60)[1]

    def post(meta, data):
        source.to_basic_block()._post(pmt.intern("pdus"), pmt.cons(pmt.to_pmt(meta), data))

    post({"user": 1}, pmt.init_u8vector(60, list(content)))
    post({"user": 2}, pmt.init_u8vector(1, [1]))  # is silent
    post({"user": 9}, pmt.init_u8vector(1, [1]))
    source.to_basic_block()._post(pmt.intern("pdus"), pmt.intern("bytes"))
    top, sinks = gr.top_block(), [blocks.vector_sink_c() for _ in range(4)]
    debug = blocks.message_debug()
    for k, sink in enumerate(sinks):
        top.connect((source, k), sink)
    top.msg_connect(source, "report", debug, "store")
    run(top)
    assert source.frames() == 2 and source.dropped() == 3
    reports = [pmt.to_python(debug.get_message(i)) for i in range(debug.num_messages())]
    room = code(plan).max_bytes
    assert [list(r["bytes"]) for r in reports] == [[0, room, 0, 0], [0, 60 - room, 0, 0]]
    power = [np.mean(np.abs(sink.data()) ** 2) for sink in sinks]
    assert power[2] == 0 and min(power[0], power[1], power[3]) > 0.1
    tags = {(t.offset, pmt.symbol_to_string(t.key)): pmt.to_python(t.value) for t in sinks[0].tags()}
    assert tags[plan.air.n_samples, "thzum_frame"] == 1 and tags[0, "thzum_users"] == 0b1011


def test_settings_are_checked(plan):
    air = plan.air
    for make, pattern in (
        (lambda: thzum.frame_sync(air, 0), "n_chains"),
        (lambda: thzum.frame_sync(air, 4, max_frequency=0.6), "max_frequency"),
        (lambda: thzum.frame_sync(air, 4, false_alarm=0.0), "false_alarm"),
        (lambda: thzum.frame_sync(air, 4, clock_offset=np.nan), "clock_offset"),
        (lambda: thzum.frame_sync(air, 4, max_user_frequency=0.1), "max_user_frequency"),
        (lambda: thzum.frame_sync(air, 4, beams=[1]), "beams"),
        (lambda: thzum.frame_sync(air, 4, calibration=[1, 1, 0, 1]), "calibration"),
        (lambda: thzum.uplink_frame_source(air, thzum.payload_code(800, "qpsk", ldpc_file())), "code.*704"),
        (lambda: thzum.uplink_frame_source(air, code(plan), users=16), "users"),
        (lambda: thzum.uplink_payload(0, code(plan)), "n_users"),
        (lambda: thzum.payload_code(704, "qpsk", "nowhere.alist"), "alist"),
        (lambda: ldpc_file("n_9_k_9"), "n_1100_k_0442_gap_24"),
        (lambda: PilotPlan(ARRAY, 8, air=dict(guard=3)), "samples_per_symbol"),
        (lambda: PilotPlan(ARRAY, 8, samples_per_symbol=2, air=dict(gard=3)), "gard"),
        (lambda: PilotPlan(ARRAY, 8, samples_per_symbol=2, air=dict(span=3)), "span.*even"),
        (lambda: PilotPlan(ARRAY, 8, samples_per_symbol=17), "samples_per_symbol"),
        (lambda: thzum.frame_synchronizer(air, 4).process(np.zeros((3, 9))), r"samples.*\[4"),
    ):
        with pytest.raises(ValueError, match=pattern):
            make()
    assert "n_1100_k_0442_gap_24" in ldpc_codes()
    assert PilotPlan(ARRAY, 8).air is None
