# SPDX-License-Identifier: GPL-3.0-or-later
"""Pilots that are left out: the operator, the estimators, a dead subarray, and a mask that changes live."""

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.array import array_preset

PRESET = "thz300_aosa4x256"
ARRAY = array_preset(PRESET)
SHAPE = (4, 16, 16)


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def nmse_db(h_hat, h):
    return 10 * np.log10(np.mean(np.linalg.norm(h_hat - h, axis=-1) ** 2) / np.mean(np.linalg.norm(h, axis=-1) ** 2))


def operators(noise_model="per_slot"):
    """A Hadamard operator and dense ones, real with unequal rows and complex with more rows than elements."""
    rng = np.random.default_rng(1)
    real = rng.choice([-1.0, 1.0], (2, 12, 16)) * rng.uniform(0.5, 2, (2, 12, 1))
    tall = complex_normal(rng, 2, 20, 16)
    return [
        thzum.pilot_operator.hadamard(2, 4, 4, 12, seed=3),
        thzum.pilot_operator(real, rows=4, cols=4, noise_model=noise_model),
        thzum.pilot_operator(tall, rows=4, cols=4, noise_model=noise_model),
    ]


@pytest.mark.parametrize("noise_model", ["per_slot", "common"])
@pytest.mark.parametrize("kind", range(3))
def test_masked_operator_is_the_one_without_those_rows(kind, noise_model):
    rng = np.random.default_rng(2)
    op = operators(noise_model)[kind]
    mask = rng.random((2, op.n_slots)) < 0.6
    masked = op.with_mask(mask)
    np.testing.assert_array_equal(masked.mask, mask)
    assert op.mask.all() and (masked.rank, masked.n_observations) == (op.rank, op.n_observations)
    h, y = complex_normal(rng, 3, 32), complex_normal(rng, 3, op.n_observations)
    np.testing.assert_allclose(masked.measure(h), op.measure(h) * mask.ravel(), atol=1e-6)
    np.testing.assert_allclose(masked.adjoint(y), op.adjoint(y * mask.ravel()), atol=1e-5)
    garbage = np.where(mask.ravel(), y, 1e9 * y)
    np.testing.assert_array_equal(masked.whiten(garbage), masked.whiten(y))
    # The pair obeys whiten(A h) = diag(gains) B h, and what noise makes of it has unit variance or none.
    seen = masked.gains.ravel() * masked.project(h)
    np.testing.assert_allclose(masked.whiten(masked.measure(h)), seen, atol=1e-5)
    if op.noise_model == "per_slot":
        norms = np.linalg.norm(op.combiner, axis=2).ravel()
        matrix = masked.whiten(np.diag(norms))
    else:
        matrix = masked.whiten(op.measure(np.eye(32)))
    covariance = matrix.T @ matrix.conj()
    np.testing.assert_allclose(covariance, np.diag(np.round(np.diag(covariance).real)), atol=1e-5)
    assert np.trace(covariance.real).round() == np.minimum(mask.sum(axis=1), 16).sum()


def test_a_mask_replaces_the_one_before_and_survives_in_estimators():
    op = thzum.pilot_operator.hadamard(2, 4, 4, 12, seed=3)
    mask = np.ones((2, 12), bool)
    mask[0, 5] = False
    once = op.with_mask(mask)
    assert "23 of 24 heard" in repr(once) and "heard" not in repr(op)
    assert once.with_mask(np.ones((2, 12))).mask.all()
    np.testing.assert_array_equal(thzum.estimator("ls", once).op.mask, mask)


def test_bad_masks():
    op = thzum.pilot_operator.hadamard(2, 4, 4, 12, seed=3)
    with pytest.raises(ValueError, match="^mask: expected"):
        op.with_mask(np.ones((2, 11), bool))
    with pytest.raises(ValueError, match="^mask: expected at least one pilot"):
        op.with_mask(np.zeros((2, 12), bool))


NAMES = ("ls", "lmmse", "omp", "amp", "oamp", "newtonized_omp", "fpn_oamp", "auto")


@pytest.mark.parametrize("hadamard", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_estimates_are_those_of_an_operator_without_the_rows(name, hadamard):
    rng = np.random.default_rng(4)
    h = thzum.channel.preset(PRESET).sample(3, seed=3_000_000)
    if hadamard:
        op = thzum.pilot_operator.hadamard(*SHAPE, 128, seed=5)
    else:
        op = thzum.pilot_operator(rng.choice([-1, 1], (4, 128, 256)) / 16, rows=16, cols=16)
    mask = np.ones((4, 128), bool)
    for row in mask:
        row[rng.permutation(128)[:30]] = False
    combiner = np.stack([rows[heard] for rows, heard in zip(op.combiner, mask)])
    reduced = thzum.pilot_operator(combiner, rows=16, cols=16)
    y = (op.measure(h) + np.sqrt(0.1) * complex_normal(rng, 3, 512)).astype(np.complex64)
    heard = y[:, mask.ravel()]
    broken = np.where(mask.ravel(), y, 50 * y)
    masked_estimator = thzum.estimator(name, op.with_mask(mask))
    reduced_estimator = thzum.estimator(name, reduced)
    for noise_var in (0.1, None):
        given, report = masked_estimator.estimate(broken, noise_var)
        expected, expected_report = reduced_estimator.estimate(heard, noise_var)
        np.testing.assert_allclose(report["noise_var"], expected_report["noise_var"], rtol=1e-3)
        if name == "auto":  # its probe of the network is another one: a few per cent of the weight
            assert nmse_db(given, expected) < -25
        else:
            # Iterations stop at a relative change of 3e-2 or 1e-3 and may do so one apart.
            assert nmse_db(given, expected) < (-35 if name == "fpn_oamp" else -55)


@pytest.fixture(scope="module")
def dead():
    """Pilots of which those of subarray 2 are lost, with the channels and the operator."""
    op = thzum.pilot_operator.hadamard(*SHAPE, 128, seed=6)
    h = thzum.channel.preset(PRESET).sample(40, seed=3_000_100)
    y = op.measure(h) + np.sqrt(0.1) * complex_normal(np.random.default_rng(7), 40, 512)
    y.reshape(40, 4, 128)[:, 2] = 3
    mask = np.ones((4, 128), bool)
    mask[2] = False
    return op.with_mask(mask), h, y.astype(np.complex64)


def live_and_dead(h_hat, h):
    parts, true = h_hat.reshape(-1, 4, 256), h.reshape(-1, 4, 256)
    live = [0, 1, 3]
    return nmse_db(parts[:, live].reshape(len(h), -1), true[:, live].reshape(len(h), -1)), nmse_db(parts[:, 2], true[:, 2])


@pytest.mark.parametrize(
    "name, placed", [("newtonized_omp", False), ("fpn_oamp", False), ("oamp", False), ("ls", False), ("lmmse", False)]
)
def test_without_places_a_dead_subarray_is_zero(dead, name, placed):
    op, h, y = dead
    h_hat, report = thzum.estimator(name, op).estimate(y, 0.1)
    assert not h_hat.reshape(40, 4, 256)[:, 2].any()
    if name in ("newtonized_omp", "fpn_oamp"):
        assert live_and_dead(h_hat, h)[0] < -19
    if name == "newtonized_omp":
        # A quarter of the energy is missing: -6 dB, give or take what each channel has in that subarray.
        assert np.mean(report["predicted_nmse_db"]) == pytest.approx(-6, abs=0.5)
        true = 10 * np.log10(np.linalg.norm(h_hat - h, axis=1) ** 2 / 1024)
        assert np.mean(report["predicted_nmse_db"] - true) == pytest.approx(0, abs=0.5)
    if name in ("fpn_oamp", "oamp"):
        assert np.mean(report["predicted_nmse_db"]) == pytest.approx(-5.5, abs=1.2)


@pytest.mark.parametrize("name", ["newtonized_omp", "auto"])
def test_coherent_paths_continue_over_a_dead_subarray(dead, name):
    op, h, y = dead
    for noise_var in (0.1, None):
        h_hat, report = thzum.estimator(name, op, array=ARRAY).estimate(y, noise_var)
        live, lost = live_and_dead(h_hat, h)
        assert live < -20
        assert lost < -5
        # Most are far better than a few, so that means of energies are compared.
        predicted = 10 * np.log10(np.mean(10 ** (report["predicted_nmse_db"] / 10)))
        assert predicted == pytest.approx(nmse_db(h_hat, h), abs=2)
        np.testing.assert_allclose(report["noise_var"], 0.1, rtol=0.25)


# ---- the block ------------------------------------------------------------------------------------------


def run_block(messages, op, y):
    import pmt
    from gnuradio import blocks, gr

    graph = gr.top_block()
    source = blocks.vector_source_c(y.ravel().tolist(), False, op.n_observations)
    estimator = thzum.channel_estimator(op, "ls", noise_var=0.1)
    sink = blocks.vector_sink_c(op.n_antennas)
    graph.connect(source, estimator, sink)
    for message in messages:
        estimator.to_basic_block()._post(pmt.intern("control"), message)
    graph.run()
    return np.reshape(sink.data(), (-1, op.n_antennas)), estimator


def test_mask_by_control_message():
    import pmt

    rng = np.random.default_rng(8)
    op = thzum.pilot_operator.hadamard(2, 4, 4, 12, seed=9)
    y = complex_normal(rng, 5, 24).astype(np.complex64)
    mask = np.ones((2, 12), bool)
    mask[1] = False
    mask[0, 3] = False
    message = pmt.dict_add(pmt.make_dict(), pmt.intern("mask"), pmt.init_u8vector(24, mask.ravel().tolist()))
    expected, _ = thzum.estimator("ls", op.with_mask(mask)).estimate(y, 0.1)
    full, _ = thzum.estimator("ls", op).estimate(y, 0.1)
    given, block = run_block([message], op, y)
    np.testing.assert_allclose(given, expected, atol=1e-6)
    np.testing.assert_array_equal(block.mask(), mask.ravel())
    pair = pmt.cons(pmt.intern("mask"), pmt.PMT_NIL)
    given, block = run_block([message, pair], op, y)
    np.testing.assert_allclose(given, full, atol=1e-6)
    # With another algorithm in the same message, and kept by one that comes later.
    both = pmt.dict_add(message, pmt.intern("algorithm"), pmt.intern("oamp"))
    given, block = run_block([both], op, y)
    assert block.algorithm() == "oamp"
    expected_oamp, _ = thzum.estimator("oamp", op.with_mask(mask)).estimate(y, 0.1)
    np.testing.assert_allclose(given, expected_oamp, atol=1e-4)
    later = pmt.dict_add(pmt.make_dict(), pmt.intern("algorithm"), pmt.intern("ls"))
    given, _ = run_block([both, later], op, y)
    np.testing.assert_allclose(given, expected, atol=1e-6)


def test_bad_masks_leave_the_block_as_it_is():
    import pmt

    op = thzum.pilot_operator.hadamard(2, 4, 4, 12, seed=9)
    y = complex_normal(np.random.default_rng(8), 5, 24).astype(np.complex64)
    full, _ = thzum.estimator("ls", op).estimate(y, 0.1)
    for value in (pmt.init_u8vector(3, [1, 1, 1]), pmt.init_u8vector(24, [0] * 24), pmt.intern("none")):
        message = pmt.dict_add(pmt.make_dict(), pmt.intern("mask"), value)
        given, block = run_block([message], op, y)
        np.testing.assert_allclose(given, full, atol=1e-6)
        assert all(block.mask())
    with pytest.raises(ValueError, match="mask: expected"):
        block.set_mask(np.ones((2, 5)))
    block.set_mask([[1] * 12, [0] * 12])
    assert sum(block.mask()) == 12
    block.set_mask(None)
    assert sum(block.mask()) == 24
