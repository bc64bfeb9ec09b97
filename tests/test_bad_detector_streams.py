# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad channels, noise levels and vectors in a stream, for every detector: what is lost, and that the rest is not."""

import threading

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr

from gnuradio import thzum

N_VECTORS, NOISE_VAR = 12, 0.05
TIME_LIMIT = 60
#: What is done to the coherence block of each name; "clean" ones stand between.
CASES = (
    "clean", "twin users", "clean", "rank one", "clean", "zero", "clean", "tiny noise_var", "clean", "huge noise_var",
    "clean", "nan vector", "clean", "nan channel", "clean", "infinite channel", "clean", "bad noise_var", "clean",
    "overflow", "clean", "tiny channel", "clean",
)  # fmt: skip
#: Those that are skipped as a whole, and the reason that their tag gives.
SKIPPED = {"nan channel": "nan", "infinite channel": "nan", "bad noise_var": "noise_var", "overflow": "nan"}


def normal(rng, *shape):
    return ((rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / 2**0.5).astype(np.complex64)


def tag(offset, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = int(offset), pmt.intern(key), value
    return made


def spoilt_stream(n_rx, n_tx, constellation):
    """H [blocks, n_rx, n_tx], y [blocks, vectors, n_rx], noise variances and the symbols sent."""
    rng = np.random.default_rng(n_rx)
    points = thzum.constellation_points(constellation)
    H = normal(rng, len(CASES), n_rx, n_tx) / np.float32(np.sqrt(n_rx))
    sent = rng.integers(0, len(points), (len(CASES), N_VECTORS, n_tx))
    noise_var = np.full(len(CASES), NOISE_VAR)
    at = {name: k for k, name in enumerate(CASES)}
    H[at["twin users"], :, 1] = H[at["twin users"], :, 0]
    H[at["rank one"]] = normal(rng, n_rx, 1) * normal(rng, 1, n_tx)
    H[at["zero"]] = 0
    H[at["tiny channel"]] *= 1e-12
    y = np.einsum("brk,bnk->bnr", H, points[sent]) + np.sqrt(NOISE_VAR) * normal(rng, len(CASES), N_VECTORS, n_rx)
    noise_var[at["tiny noise_var"]], noise_var[at["huge noise_var"]] = 1e-35, 3e38
    noise_var[at["bad noise_var"]] = np.inf
    y[at["nan vector"], 4, 1] = np.nan
    H[at["nan channel"], 0, 1] = np.nan
    H[at["infinite channel"], 1, 0] = np.inf
    H[at["overflow"]] *= 1e30
    return H, y.astype(np.complex64), noise_var, sent


def run(detector, H, y, noise_var, n_bits):
    """Outputs of the block [blocks, vectors, n_tx, ...], and the reasons of what was skipped, by vector."""
    n_rx, n_tx = H.shape[1:]
    tags = [tag(k, "thzum_noise_var", pmt.from_double(value)) for k, value in enumerate(noise_var)]
    graph = gr.top_block()
    graph.connect(blocks.vector_source_c(H.ravel().tolist(), False, n_rx * n_tx, tags), (detector, 0))
    graph.connect(blocks.vector_source_c(y.ravel().tolist(), False, n_rx), (detector, 1))
    sinks = [blocks.vector_sink_i(n_tx), blocks.vector_sink_f(n_tx * n_bits)]
    sinks += [blocks.vector_sink_c(n_tx), blocks.vector_sink_f(n_tx)]
    for port, sink in enumerate(sinks):
        graph.connect((detector, port), sink)
    waiter = threading.Thread(target=graph.run, daemon=True)
    waiter.start()
    waiter.join(TIME_LIMIT)
    if waiter.is_alive():
        graph.stop()
        pytest.fail(f"the flowgraph did not end within {TIME_LIMIT} s")
    reasons = {t.offset: pmt.to_python(t.value) for t in sinks[0].tags() if str(t.key) == "thzum_skipped"}
    shape = (len(H), -1, n_tx)
    symbols, llr, x_hat, variance = (np.array(sink.data()) for sink in sinks)
    results = symbols.reshape(shape), llr.reshape(*shape, n_bits), x_hat.reshape(shape), variance.reshape(shape)
    return results, reasons


#: Every detector with fewer and with more streams than received samples, which zero forcing refuses when it is built.
SETTINGS = [
    (kind, *sizes)
    for sizes in ((6, 4, "16qam"), (4, 6, "qpsk"))
    for kind in sorted(thzum.detectors())
    if (kind, sizes[0]) != ("zf", 4)
]


@pytest.mark.parametrize("kind, n_rx, n_tx, constellation", SETTINGS)
def test_what_is_bad_is_lost_alone(kind, n_rx, n_tx, constellation):
    H, y, noise_var, sent = spoilt_stream(n_rx, n_tx, constellation)
    n_bits = {"qpsk": 2, "16qam": 4}[constellation]
    block = thzum.mimo_detector(kind, n_rx, n_tx, constellation, N_VECTORS)
    (symbols, llr, x_hat, variance), reasons = run(block, H, y, noise_var, n_bits)

    expected = {
        k * N_VECTORS + i: SKIPPED[name] for k, name in enumerate(CASES) if name in SKIPPED for i in range(N_VECTORS)
    }
    expected[CASES.index("nan vector") * N_VECTORS + 4] = "nan"
    assert reasons == expected
    assert block.skipped() == len(expected) and block.detected() + block.skipped() == len(CASES) * N_VECTORS

    for part in (llr, x_hat, variance):
        assert np.isfinite(part).all()
    lost = np.zeros(len(CASES) * N_VECTORS, bool)
    lost[list(expected)] = True
    lost = lost.reshape(len(CASES), N_VECTORS)
    assert (symbols[lost] == -1).all() and not llr[lost].any() and not x_hat[lost].any()
    zero = CASES.index("zero")
    assert (symbols[zero] == -1).all() and not llr[zero].any() and (variance[zero] == 1).all()
    found = ~lost
    found[zero] = False
    assert ((symbols[found] >= 0) & (symbols[found] < 2**n_bits)).all()

    # Vectors around the bad ones are those of a detector that never saw the bad ones.
    alone = thzum.detector(kind, n_rx, n_tx, constellation)
    for k in np.flatnonzero(np.array(CASES) == "clean"):
        wanted_symbols, wanted_llr = alone.detect(H[k], y[k], NOISE_VAR)
        np.testing.assert_array_equal(symbols[k], wanted_symbols)
        np.testing.assert_allclose(llr[k], wanted_llr, rtol=1e-4, atol=1e-4)
    k = CASES.index("nan vector")
    others = np.arange(N_VECTORS) != 4
    np.testing.assert_array_equal(symbols[k, others], alone.detect(H[k], y[k, others], NOISE_VAR)[0])


@pytest.mark.parametrize("kind", sorted(thzum.detectors()))
def test_noise_that_drowns_all_leaves_no_confidence(kind):
    H, y, noise_var, _ = spoilt_stream(6, 4, "16qam")
    k = CASES.index("huge noise_var")
    block = thzum.mimo_detector(kind, 6, 4, "16qam", N_VECTORS)
    (_, llr, _, _), _ = run(block, H[k : k + 1], y[k : k + 1], noise_var[k : k + 1], 4)
    assert np.abs(llr).max() < 1e-3


def test_noise_free_channel_is_detected_without_error_by_those_that_invert():
    """Where noise_var is said to be tiny, and is: all that solve for the symbols find them."""
    rng = np.random.default_rng(0)
    H, sent = normal(rng, 1, 6, 4), rng.integers(0, 16, (1, N_VECTORS, 4))
    y = np.einsum("brk,bnk->bnr", H, thzum.constellation_points("16qam")[sent]).astype(np.complex64)
    for kind in ("zf", "lmmse", "oamp", "ep", "k_best"):
        block = thzum.mimo_detector(kind, 6, 4, "16qam", N_VECTORS)
        (symbols, llr, _, _), reasons = run(block, H, y, np.array([1e-30]), 4)
        assert not reasons and np.isfinite(llr).all(), kind
        np.testing.assert_array_equal(symbols, sent)
