# SPDX-License-Identifier: GPL-3.0-or-later
"""MIMO detectors: symbol error rates of i.i.d. 32x24 channels, time per detection, and cost against users."""

import json
import time

import numpy as np

from gnuradio import thzum
from gnuradio.thzum import plots

N_RX, N_TX = 32, 24
SNR_DB = {"qpsk": (6, 8, 10, 12), "16qam": (14, 16, 17, 18, 20)}
SYMBOLS = 100_800
SIZES = (16, 32, 64, 128, 256)
# The tree search holds up the largest sizes for minutes and has no business there.
LARGEST_TREE = 64


def links(name, n_rx, n_tx, snr_db, count, seed):
    """Independent uses of i.i.d. channels: H, y, noise variance, sent; SNR = E||Hx||^2 / E||n||^2."""
    rng = np.random.default_rng(seed)

    def normal(*shape):
        parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(np.sqrt(0.5))
        return parts.view(np.complex64)[..., 0]

    points = thzum.constellation_points(name)
    sent = rng.integers(0, len(points), (count, n_tx))
    H = normal(count, n_rx, n_tx) / np.float32(np.sqrt(n_rx))
    noise_var = n_tx / n_rx / 10 ** (snr_db / 10)
    y = (H @ points[sent][..., None])[..., 0] + np.float32(np.sqrt(noise_var)) * normal(count, n_rx)
    return H, y, noise_var, sent


def shared_vectors(H, name, noise_var, count, seed):
    """``count`` received vectors of the one channel H: some detectors take longer over what they cannot explain."""
    rng = np.random.default_rng(seed)
    points = thzum.constellation_points(name)
    x = points[rng.integers(0, len(points), (count, H.shape[1]))]
    noise = rng.standard_normal((count, H.shape[0], 2)) @ np.array([1, 1j]) * np.sqrt(noise_var / 2)
    return (x @ H.T + noise).astype(np.complex64)


def error_rates(symbols=SYMBOLS):
    """{constellation: {SNR: {detector: [symbol error rate, standard error over vectors]}}}."""
    results = {}
    for name, snrs in SNR_DB.items():
        detectors = {kind: thzum.detector(kind, N_RX, N_TX, name) for kind in thzum.detectors()}
        for snr_db in snrs:
            H, y, noise_var, sent = links(name, N_RX, N_TX, snr_db, symbols // N_TX, seed=snr_db)
            row = results.setdefault(name, {}).setdefault(snr_db, {})
            for kind, detector in detectors.items():
                wrong = np.mean(detector.detect(H, y, noise_var)[0] != sent, axis=1)
                row[kind] = [float(wrong.mean()), float(wrong.std() / np.sqrt(len(wrong)))]
    return results


def times(n_rx=N_RX, n_tx=N_TX, name="16qam", snr_db=17, batch=256, seconds=1.0):
    """Microseconds per detection of each detector, in turn, best of several rounds, with soft bits.

    ``single``: one vector with its channel's preparation; ``shared``: per vector of a batch on one channel, the
    preparation included; ``own``: per vector of a batch with a channel each.
    """
    H, y, noise_var, _ = links(name, n_rx, n_tx, snr_db, batch, seed=1)
    shared = shared_vectors(H[0], name, noise_var, batch, seed=2)
    results = {}
    for kind in thzum.detectors():
        if kind == "k_best" and n_tx > LARGEST_TREE:
            continue
        detector = thzum.detector(kind, n_rx, n_tx, name)
        results[kind] = {
            "single": 1e6 * _best(lambda: detector.detect(H[0], y[0], noise_var), seconds / 4),
            "shared": 1e6 * _best(lambda: detector.detect(H[0], shared, noise_var), seconds / 2) / batch,
        }
        if n_tx <= N_TX:
            results[kind]["own"] = 1e6 * _best(lambda: detector.detect(H, y, noise_var), seconds / 4) / batch
    return results


def numpy_lmmse(n_rx=N_RX, n_tx=N_TX, name="16qam"):
    """Microseconds of LMMSE detection in NumPy at batch 1, the yardstick of the linear detectors.

    ``estimate``: unbiased symbol estimates and their error variances alone; ``detection``: with what our detectors
    give, hard symbols and max-log bit log-likelihood ratios.
    """
    H, y, noise_var, _ = links(name, n_rx, n_tx, 17, 1, seed=1)
    H, y, identity = H[0], y[0], np.eye(n_tx, dtype=np.complex64)
    points = thzum.constellation_points(name)
    n_bits = len(points).bit_length() - 1
    ones = [np.flatnonzero(np.arange(len(points)) >> (n_bits - 1 - bit) & 1) for bit in range(n_bits)]
    zeros = [np.setdiff1d(np.arange(len(points)), one) for one in ones]

    def estimate():
        adjoint = H.conj().T
        inverse = np.linalg.inv(adjoint @ H + np.float32(noise_var) * identity)
        error = noise_var * np.diagonal(inverse).real
        gain = 1 - error
        return inverse @ (adjoint @ y) / gain, error / gain

    def detection():
        x_hat, variance = estimate()
        distance = np.abs(x_hat[:, None] - points) ** 2
        llr = [(distance[:, one].min(1) - distance[:, zero].min(1)) / variance for one, zero in zip(ones, zeros)]
        return distance.argmin(1), np.stack(llr, axis=1)

    symbols, llr = thzum.detector("lmmse", n_rx, n_tx, name).detect(H, y, noise_var)
    own_symbols, own_llr = detection()
    assert np.array_equal(symbols, own_symbols) and np.allclose(llr, own_llr, rtol=1e-3, atol=1e-3)
    return {"estimate": 1e6 * _best(estimate, 0.5), "detection": 1e6 * _best(detection, 0.5)}


def costs(sizes=SIZES, batch=64):
    """{users: {detector: {"single", "shared"}}} in microseconds per detection, four receivers for three users."""
    return {n_tx: times(4 * n_tx // 3, n_tx, batch=batch, seconds=0.4) for n_tx in sizes}


def plot(results, path):
    """The figure of :func:`costs`: time per detection against the number of users, both axes logarithmic."""
    drawn = plots.new_figure(10.0, 4.6)
    panels = drawn.subplots(1, 2, sharey=True)
    titles = {"single": "a new channel for every vector", "shared": "64 vectors per channel"}
    for panel, (kind_of_time, title) in zip(panels, titles.items()):
        for number, kind in enumerate(thzum.detectors()):
            colour = plots.COLOURS[number % len(plots.COLOURS)]
            line = "-" if number < len(plots.COLOURS) else "--"
            sizes = [n for n in results if kind in results[n]]
            values = [results[n][kind][kind_of_time] for n in sizes]
            panel.loglog(sizes, values, marker="o", markersize=4, label=kind, color=colour, linestyle=line)
        panel.set(title=title, xlabel="users (4 RF chains for 3 users)")
        panel.set_xticks(list(results), [str(n) for n in results])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("time per detection (us), one thread")
    panels[1].legend(fontsize=8, frameon=False)
    drawn.tight_layout()
    drawn.savefig(path)


def measure(symbols=SYMBOLS, figure=None):
    """Everything above; ``figure`` is a path for the figure of costs."""
    cost = costs()
    if figure is not None:
        plot(cost, figure)
    return dict(
        symbol_error_rate=error_rates(symbols), microseconds=times(), numpy_lmmse=numpy_lmmse(), cost_by_users=cost
    )


def _best(function, seconds):
    function()
    best, end = np.inf, time.perf_counter() + seconds
    while time.perf_counter() < end or best == np.inf:
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
