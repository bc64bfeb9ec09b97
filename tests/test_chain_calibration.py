# SPDX-License-Identifier: GPL-3.0-or-later
"""Gains of RF chains from a known channel: the estimate itself, and the block in a loop with frame synchronisation."""

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.frame import PilotPlan, chain_gains

ARRAY = SubarrayArray(1, 3, 4, 4, carrier_frequency=300e9, spacing=0.25, gap=30.0)
PLAN = PilotPlan(ARRAY, 12, n_users=2, n_data=8, modulations="qpsk")
S, Q = 3, 12


def complex_normal(rng, shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)


def aligned(gains, truth):
    """``gains`` times the factor that brings them to ``truth``."""
    return gains * (np.vdot(gains, truth) / np.vdot(gains, gains))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.integers(1, 8), st.sampled_from([1e-4, 1.0, 1e4]))
def test_gains_are_found_whatever_phase_and_power_the_frames_have(seed, n_frames, scale):
    rng = np.random.default_rng(seed)
    reference, truth = complex_normal(rng, S * Q), np.exp(2j * np.pi * rng.random(S)) * rng.uniform(0.5, 2, S)
    common = scale * np.exp(2j * np.pi * rng.random(n_frames))
    y = common[:, None] * np.repeat(truth, Q) * reference
    gains = chain_gains(y, reference, S)
    np.testing.assert_allclose(aligned(gains, truth), truth, rtol=1e-9)
    assert np.mean(np.abs(gains) ** 2) == pytest.approx(1) and abs(gains.sum().imag) < 1e-9


def test_errors_are_those_of_the_noise():
    rng = np.random.default_rng(1)
    reference, truth, n_frames, noise_var, trials = np.exp(2j * np.pi * rng.random(S * Q)), np.array([1, 1j, -1]), 10, 0.1, 400
    errors = []
    for _ in range(trials):
        y = np.exp(2j * np.pi * rng.random(n_frames))[:, None] * np.repeat(truth, Q) * reference
        y = y + np.sqrt(noise_var) * complex_normal(rng, y.shape)
        errors.append(np.angle(aligned(chain_gains(y, reference, S), truth) / truth))
    # Of S phases one is common and taken out, which leaves (S - 1) / S of the variance of each.
    expected = noise_var / (2 * n_frames * Q) * (S - 1) / S
    assert np.mean(np.square(errors)) == pytest.approx(expected, rel=5 * np.sqrt(2 / (trials * (S - 1))))


@pytest.mark.parametrize(
    "y, reference, text",
    [
        (np.ones((2, 5)), np.ones(6), "y"),
        (np.full((2, 6), np.nan), np.ones(6), "y"),
        (np.zeros((2, 6)), np.ones(6), "y"),
        (np.ones((2, 6)), np.ones(5), "reference"),
        (np.ones((2, 6)), np.repeat([1, 0, 1], 2), "reference"),
    ],
)
def test_wrong_arguments_are_named(y, reference, text):
    with pytest.raises(ValueError, match=text):
        chain_gains(y, reference, 3)


def pilots_source(items, users, skipped=()):
    tags = []
    for offset, user in enumerate(users):
        tags.append(gr.tag_utils.python_to_tag((offset, pmt.intern("thzum_user"), pmt.from_long(user))))
        if offset in skipped:
            tags.append(gr.tag_utils.python_to_tag((offset, pmt.intern("thzum_skipped"), pmt.intern("test"))))
    return blocks.vector_source_c(np.ravel(items).tolist(), False, PLAN.n_observations, tags)


def test_block_follows_one_user_and_sends_what_frame_sync_takes():
    rng = np.random.default_rng(2)
    h, truth = complex_normal(rng, PLAN.n_antennas).astype(np.complex64), np.array([1, 0.5j, -1.2])
    reference = PLAN.operator.measure(h)
    users = [0, 1] * 5
    items = np.array([np.repeat(truth, Q) * reference if user else complex_normal(rng, S * Q) for user in users])
    items[3] = 0
    block, sent, top = thzum.chain_calibration(PLAN, h, user=1, n_frames=2), [], gr.top_block()
    # Collected here: a message on its way when the stream ends may not reach another block any more.
    block.message_port_pub = lambda port, message: sent.append(pmt.to_python(message))
    top.connect(pilots_source(items, users, skipped=(3,)), block)
    top.run()
    assert len(sent) == 2  # of four good frames
    first = np.array(sent[0]["calibration"])
    np.testing.assert_allclose(aligned(first, truth), truth, rtol=1e-5)
    # The source goes on as if nobody divided: the second message multiplies once more.
    np.testing.assert_allclose(aligned(block.gains(), truth**2), truth**2, rtol=1e-5)
    air = PilotPlan(ARRAY, 12, n_users=2, n_data=8, modulations="qpsk", samples_per_symbol=2).air
    thzum.frame_sync(air, S).set_calibration(first.tolist())


def test_wrong_arguments_of_the_block_are_named():
    h = np.ones(PLAN.n_antennas)
    for arguments, text in ((dict(h=h[1:]), "h"), (dict(h=0 * h), "reference"), (dict(h=h, user=2), "user"),
                            (dict(h=h, n_frames=0), "n_frames")):
        with pytest.raises(ValueError, match=text):
            thzum.chain_calibration(PLAN, **arguments)
