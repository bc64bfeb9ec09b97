# SPDX-License-Identifier: GPL-3.0-or-later
"""The synchroniser against frames made in float64 NumPy: places, offsets, gains, phases, and the block's tags."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.air_frame import entry_of_symbols, frame_symbols, received

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.channel import CombinerSchedule
from gnuradio.thzum.frame import PilotPlan
from gnuradio.thzum.frame.recording import plan_to_metadata

ARRAY = SubarrayArray(1, 3, 4, 4, carrier_frequency=300e9, spacing=0.25, gap=30.0)
PLAN = PilotPlan(ARRAY, 12, n_users=2, n_data=60, modulations="qpsk", samples_per_symbol=2)
AIR, S, K = PLAN.air, 3, 2


def draw(seed, plan=PLAN):
    rng = np.random.default_rng(seed)
    shape = (S, plan.n_slots + 1, K)
    gains = (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)
    data = np.exp(0.5j * np.pi * (rng.integers(0, 4, (K, plan.n_data)) + 0.5))
    return rng, gains, data


def expected(gains, data):
    """Symbols [S, n_received] without noise, offset and pulse."""
    symbols = np.array([frame_symbols(AIR, k, row) for k, row in enumerate(data)])
    at = np.asarray(AIR.received_symbols)
    return np.einsum("smk,km->sm", gains[:, entry_of_symbols(AIR)[at]], symbols[:, at])


def error_after_a_phase(got, reference):
    turn = np.vdot(got, reference)
    return np.mean(np.abs(got * turn / abs(turn) - reference) ** 2)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**16), st.floats(0, 900), st.floats(-0.2, 0.2), st.sampled_from([1e-6, 1.0, 1e6]))
def test_frames_are_found_anywhere_with_any_offset_and_gain(seed, start, cfo, scale):
    rng, gains, data = draw(seed)
    noise_var = 0.05
    y = scale * received(AIR, gains, data, noise_var, rng, start, cfo)
    (frame,) = thzum.frame_synchronizer(AIR, S).process(y)
    assert abs(frame["instant"] - start) < 0.1
    # Pairs of references 150 and 60 symbols apart with an SNR of 240 each: 1 / sqrt(2 SNR sum (t - mean)^2) is
    # 4e-4 rad or 6.4e-5 cycles a symbol with gains of one; five times that for gains 6 dB down.
    assert abs(frame["cfo"] - cfo) < 6.4e-4
    # What is left is noise (3 chains x 148 symbols: 5 deviations), the phase that such an offset makes over 250
    # symbols rms at two deviations, and interference 35 dB below the symbols.
    reference = expected(gains, data)
    error = error_after_a_phase(frame["symbols"] / scale, reference)
    bound = noise_var * (1 + 5 / np.sqrt(reference.size)) + (0.04 + 10**-3.5) * np.mean(np.abs(reference) ** 2)
    assert error < bound


def test_phase_is_followed_over_slots_and_data():
    rng, gains, data = draw(4)
    count = AIR.n_samples + 60
    # 1e-3 rad^2 a symbol: 1.1 rad rms over the 1200 symbols of the frame.
    walk = np.cumsum(rng.standard_normal(count)) * np.sqrt(1e-3 / 2)
    y = received(AIR, gains, data, 1e-3, rng, 10.0, 0.03, count, walk)
    reference = expected(gains, data)
    (frame,) = thzum.frame_synchronizer(AIR, S).process(y)
    assert frame["phase_rms"] > 0.05
    # The walk between references 30 symbols from a symbol at most, and between groups of them.
    assert error_after_a_phase(frame["symbols"], reference) < 0.1 * np.mean(np.abs(reference) ** 2)


def test_oscillators_of_their_own():
    rng, gains, data = draw(5)
    y = received(AIR, gains, data, 1e-3, rng, 10.0, 0.1)
    t = np.arange(y.shape[1])
    y = y * np.exp(1j * np.array([0.0, 1.0, -0.8])[:, None] * np.sin(2 * np.pi * t / 1500))
    reference = expected(gains, data)
    errors = []
    for per_chain in (False, True):
        (frame,) = thzum.frame_synchronizer(AIR, S, per_chain=per_chain).process(y)
        errors.append(np.mean([error_after_a_phase(a, b) for a, b in zip(frame["symbols"], reference)]))
    assert errors[1] < 0.5 * errors[0]


@pytest.mark.parametrize("own", [(5e-4, -5e-4), (0.0, 2e-4), (-1e-3, -2e-4)])
def test_users_offsets_leave_pilots_and_are_told_for_the_data(own):
    rng, gains, data = draw(11)
    y = received(AIR, gains, data, 1e-4, rng, 20.0, 0.05, user_cfo=own)
    sync = thzum.frame_synchronizer(AIR, S, max_user_frequency=2e-3)
    (frame,) = sync.process(y)
    # Interference of the pulse among the data is 35 dB below, an SNR of 3000, half of that to a user: 2.6e-5 by
    # the rule above, and four times that.
    np.testing.assert_allclose(frame["cfo"] + frame["user_cfo"], 0.05 + np.array(own), atol=1e-4)
    pilots, clean = frame["symbols"][:, PLAN.pilot_offset : PLAN.data_offset], expected(gains, data)
    # Users may keep a constant phase each, between two users the angle of one.
    slots = pilots.reshape(S, PLAN.n_slots, -1) @ PLAN.user_sequences.conj().T / 2
    turns = np.einsum("sqk,sqk->k", slots, gains[:, :-1].conj())
    turns = turns / np.abs(turns)
    # An offset's error of 2.6e-5 over slots 35 symbols rms apart; and interference.
    assert np.mean(np.abs(slots - gains[:, :-1] * turns) ** 2) < 2e-3
    # The data are turned by what the frame tells, against the pilots.
    columns = gains[:, -1] * turns * np.exp(1j * frame["user_phases"])[:, None]
    wanted = np.einsum("isk,ki->si", columns, data)
    got = frame["symbols"][:, PLAN.data_offset :]
    assert np.mean(np.abs(got - wanted) ** 2) < 1e-2 * np.mean(np.abs(clean) ** 2)
    # What pilots among the data have of each user is his column in the middle of the data.
    references = frame["user_references"]
    middle = gains[:, -1] * turns
    product = np.abs(np.sum(references.conj() * middle, axis=0)) ** 2
    energies = np.sum(np.abs(references) ** 2, axis=0) * np.sum(np.abs(middle) ** 2, axis=0)
    assert np.all(product > 0.999 * energies)


@pytest.mark.parametrize("noise_var", [0.05, 1e-6])
def test_users_without_offsets_are_left_alone(noise_var):
    rng, gains, data = draw(12)
    y = received(AIR, gains, data, noise_var, rng, 20.0, 0.05)
    (frame,) = thzum.frame_synchronizer(AIR, S).process(y)
    (plain,) = thzum.frame_synchronizer(AIR, S, max_user_frequency=0.0).process(y)
    assert frame["user_phases"] is None and not frame["user_cfo"].any() and plain["user_references"] is None
    np.testing.assert_array_equal(frame["symbols"], plain["symbols"])


def test_noise_alone_and_silence_give_nothing():
    rng = np.random.default_rng(6)
    noise = rng.standard_normal((2, S, 60000))
    sync = thzum.frame_synchronizer(AIR, S)
    assert sync.process(noise[0] + 1j * noise[1]) == [] and sync.pending() == 0
    assert sync.process(np.zeros((S, 5000))) == []
    assert sync.process(np.full((S, 5000), np.nan)) == [] and sync.bad_samples() == 5000
    tone = np.exp(0.3j * np.arange(20000)) * np.ones((S, 1))
    assert sync.process(tone + 0.01 * noise[0, :, :20000]) == [] and sync.pending() == 0


def test_calibration_is_divided_out():
    rng, gains, data = draw(7)
    y = received(AIR, gains, data, 1e-3, rng, 20.0, 0.0)
    factors = np.array([1.0, 2j, -0.5 + 0.1j])
    plain, calibrated = thzum.frame_synchronizer(AIR, S), thzum.frame_synchronizer(AIR, S)
    calibrated.set_calibration(factors.tolist())
    (a,), (b,) = plain.process(y), calibrated.process(y)
    np.testing.assert_allclose(b["symbols"] * factors[:, None], a["symbols"], rtol=1e-4, atol=1e-5)


def test_block_tags_frames_and_takes_control():
    rng, gains, data = draw(8)
    y = received(AIR, gains, data, 1e-2, rng, 50.0, 0.1, count=AIR.n_samples + 100).astype(np.complex64)
    y = np.concatenate([y, y], axis=1)
    block = thzum.frame_sync(AIR, S, users=3)
    for wrong in (pmt.PMT_T, pmt.to_pmt({"beams": 1}), pmt.to_pmt({"gain": 2.0}), pmt.to_pmt({"users": "all"})):
        block.to_basic_block()._post(pmt.intern("control"), wrong)
    beams = pmt.dict_add(pmt.make_dict(), pmt.intern("beams"), pmt.init_s32vector(3, [4, 5, 6]))
    block.to_basic_block()._post(pmt.intern("control"), beams)
    top, sinks = gr.top_block(), [blocks.vector_sink_c() for _ in range(S)]
    for s, row in enumerate(y):
        top.connect(blocks.vector_source_c(row.tolist()), (block, s))
        top.connect((block, s), sinks[s])
    top.run()
    assert len(sinks[0].data()) == 2 * AIR.n_received and block.frames() == 2 and block.lost_frames() == 0
    tags = {(t.offset, pmt.symbol_to_string(t.key)): pmt.to_python(t.value) for t in sinks[2].tags()}
    assert [tags[i * AIR.n_received, "thzum_frame"] for i in (0, 1)] == [0, 1]
    assert [tags[i * AIR.n_received, "thzum_sample"] for i in (0, 1)] == [50, 150 + AIR.n_samples]
    assert tags[0, "thzum_users"] == 3 and list(tags[0, "thzum_beams"]) == [4, 5, 6]
    assert abs(tags[0, "thzum_cfo"] - 0.1) < 1.5e-4


def through_the_block(y):
    """(symbols [S, n], the block) of a stream that ends with the samples ``y``."""
    block = thzum.frame_sync(AIR, S)
    top, sinks = gr.top_block(), [blocks.vector_sink_c() for _ in range(S)]
    for s, row in enumerate(np.asarray(y, np.complex64)):
        top.connect(blocks.vector_source_c(row.tolist()), (block, s))
        top.connect((block, s), sinks[s])
    top.run()
    return np.array([sink.data() for sink in sinks]), block


@pytest.mark.parametrize("start, missing", [(0, 0), (0.4, 0), (31.9, 0), (0, 5), (17.5, 5)])
def test_the_last_frame_comes_out_although_nothing_follows(start, missing):
    """``missing`` samples of the frame's end, half a pulse and the gap behind it, were not recorded either."""
    rng, gains, data = draw(11)
    y = received(AIR, gains, data, 1e-3, rng, start, 0.05, AIR.n_samples + int(start) - missing)
    y = np.concatenate([received(AIR, gains, data, 1e-3, rng, 0, 0.05), y], axis=1)
    symbols, block = through_the_block(y)
    assert block.frames() == 2 and block.lost_frames() == 0 and symbols.shape[1] == 2 * AIR.n_received
    # The last symbol as well; of its pulse the tail may be missing, which carries a hundredth of its energy.
    last, reference = symbols[:, -AIR.n_received :], expected(gains, data)
    assert error_after_a_phase(last, reference) < 4e-3 * np.mean(np.abs(reference) ** 2) + 2e-3
    turn = np.vdot(last, reference)
    error = np.abs(last[:, -1] * turn / abs(turn) - reference[:, -1]) ** 2
    assert error.mean() < 0.05 * np.mean(np.abs(reference) ** 2)


def test_a_stream_that_ends_within_a_frame_loses_it():
    rng, gains, data = draw(12)
    y = received(AIR, gains, data, 1e-3, rng, 0, 0.05, AIR.n_samples)
    # The last symbol lies (span / 2 + 1) symbols, six samples, before the end.
    for missing, lost in ((7, 1), (12, 1), (AIR.n_samples - 100, 0)):
        symbols, block = through_the_block(y[:, :-missing])
        assert block.frames() == 0 and block.lost_frames() == lost and symbols.shape[1] == 0


def test_the_plan_says_all_of_it():
    entries, lengths = AIR.schedule()
    schedule = CombinerSchedule.of_plan(PLAN, start=7)
    assert (schedule.entries, schedule.lengths, schedule.start) == (entries, lengths, 7)
    assert sum(lengths) == AIR.n_samples == PLAN.air_length and max(entries) == PLAN.n_slots
    assert AIR.n_received == PLAN.frame_length
    plain = PilotPlan("thz300_aosa4x256", 8)
    assert plain.air_length == plain.frame_length and "samples_per_symbol" not in plan_to_metadata(plain, "x")
    shaped = PilotPlan("thz300_aosa4x256", 8, samples_per_symbol=4, air=dict(guard=6))
    stored = plan_to_metadata(shaped, "thz300_aosa4x256")
    again = PilotPlan(stored.pop("array"), **stored)
    assert again.air.blocks() == shaped.air.blocks() and again.air.n_samples == shaped.air.n_samples


@pytest.mark.parametrize("samples_per_symbol, rolloff", [(3, 0.5), (4, 0.25), (8, 1.0)])
def test_other_pulses(samples_per_symbol, rolloff):
    air = PilotPlan(ARRAY, 12, n_users=2, n_data=60, samples_per_symbol=samples_per_symbol,
                    air=dict(rolloff=rolloff, span=8, guard=8)).air
    rng, gains, data = draw(9)
    y = received(air, gains, data, 1e-2, rng, 33.3, -0.13)
    (frame,) = thzum.frame_synchronizer(air, S).process(y)
    assert abs(frame["instant"] - 33.3) < 0.05 * samples_per_symbol and abs(frame["cfo"] + 0.13) < 1.5e-4
