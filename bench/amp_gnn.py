# SPDX-License-Identifier: GPL-3.0-or-later
"""The detector amp_gnn against EP: symbol error rates where it was trained and where not, soft bits, and time."""

import argparse
import json
import pathlib
import time

import detection
import numpy as np

from gnuradio import thzum
from gnuradio.thzum.simulation import MimoScenario
from gnuradio.thzum.simulation.mimo_scenario import complex_normal

#: name -> (scenario of 32 antennas, SNRs in dB).
ROWS = {
    "qpsk 32x24": (dict(n_tx=24, constellation="qpsk"), (8, 9, 9.5, 10)),
    "16qam 32x24": (dict(n_tx=24, constellation="16qam"), (16, 17, 17.5, 18)),
    "16qam 32x16": (dict(n_tx=16, constellation="16qam"), (14, 15, 16)),
    "16qam 32x32": (dict(n_tx=32, constellation="16qam"), (18, 20, 21, 22, 23)),
    "16qam 32x8": (dict(n_tx=8, constellation="16qam"), (10, 11, 12, 13)),
    "64qam 32x24": (dict(n_tx=24, constellation="64qam"), (23, 24, 25)),
    "16qam correlation 0.5": (dict(n_tx=24, constellation="16qam", rx_correlation=0.5), (18, 19)),
    "16qam correlation 0.7": (dict(n_tx=24, constellation="16qam", rx_correlation=0.7), (20, 21, 22)),
    "qpsk channel error -20 dB": (dict(n_tx=24, constellation="qpsk", csi_error_db=-20), (10, 11)),
    "qpsk channel error -15 dB": (dict(n_tx=24, constellation="qpsk", csi_error_db=-15), (11, 12, 14)),
    "16qam channel error -20 dB": (dict(n_tx=24, constellation="16qam", csi_error_db=-20), (18, 20, 22, 24)),
    "16qam channel error -15 dB": (dict(n_tx=24, constellation="16qam", csi_error_db=-15), (16, 18, 22)),
    "16qam noise variance +2 dB": (dict(n_tx=24, constellation="16qam", noise_error_db=2), (17, 18)),
    "16qam noise variance -2 dB": (dict(n_tx=24, constellation="16qam", noise_error_db=-2), (17, 18)),
    "16qam THz preset behind combiners": (
        dict(n_tx=24, constellation="16qam", channel="thz140_aosa32x64"), (16, 18, 20)
    ),
}

#: Where an error floor would show.
HIGH_SNR = {
    "qpsk 32x24": (dict(n_tx=24, constellation="qpsk"), (12, 14, 16)),
    "16qam 32x24": (dict(n_tx=24, constellation="16qam"), (20, 21, 22, 24)),
}

#: label -> (detector, its options).
RIVALS = {"ep": ("ep", {}), "amp_gnn": ("amp_gnn", {})}

_MODELS = pathlib.Path(__file__).resolve().parent.parent / "models" / "experiments"
#: Trained for 32x24 alone, and for 32x16 and 32x32 alone.
TRAINED_ON_SIZES = RIVALS | {
    case: ("amp_gnn", dict(model=str(_MODELS / f"amp_gnn_{case}.onnx"))) for case in ("matched", "mismatched")
}

#: Symbol error rates at which detectors are compared.
TARGETS = (3e-1, 1e-1, 3e-2, 1e-2, 1e-3)


def error_rates(rows=ROWS, rivals=RIVALS, symbols=1_000_000, errors=100, block=500, seed=11):
    """{row: {SNR: {detector: [symbol error rate, vectors in error, vectors]}}} on the same draws for all.

    A point ends with ``symbols`` symbols, or before that when each detector had ``errors`` vectors in error.
    """
    results = {}
    for row, (settings, snrs) in rows.items():
        scenario = MimoScenario(n_rx=32, **settings)
        sizes = 32, scenario.n_tx, scenario.constellation
        detectors = {label: thzum.detector(kind, *sizes, **options) for label, (kind, options) in rivals.items()}
        wrong = {snr_db: {label: [] for label in rivals} for snr_db in snrs}
        rng = np.random.default_rng([seed, list(ROWS).index(row)])  # whichever rows there are
        for _ in range(-(-symbols // (scenario.n_tx * block))):
            missing = [snr_db for snr_db in snrs if _fewest_errors(wrong[snr_db]) < errors]
            if not missing:
                break
            H, known = scenario.channels(block, rng)
            sent, x = scenario.symbols(block, rng)
            clean, noise = (H @ x[..., None])[..., 0], complex_normal(rng, (block, 32))
            for snr_db in missing:
                noise_var = scenario.noise_var(snr_db)
                y = clean + np.float32(np.sqrt(noise_var)) * noise
                told = noise_var * 10 ** (scenario.noise_error_db / 10)
                for label, detector in detectors.items():
                    wrong[snr_db][label].append(detector.detect(known, y, told)[0] != sent)
        results[row] = {snr_db: {label: _summary(w) for label, w in found.items()} for snr_db, found in wrong.items()}
    return results


def _fewest_errors(wrong):
    return min(sum(int(part.any(1).sum()) for part in parts) for parts in wrong.values())


def _summary(parts):
    wrong = np.concatenate(parts)
    return [float(wrong.mean()), int(wrong.any(1).sum()), len(wrong)]


def mutual_information(snrs=(8, 10, 12, 14, 16), vectors=1500, name="16qam", seed=5):
    """{SNR: {detector: bits per symbol that its LLRs carry}}, 1 - E log2(1 + exp(-/+ L)) summed over bits."""
    bits = int(np.log2(len(thzum.constellation_points(name))))
    results = {}
    for snr_db in snrs:
        H, y, noise_var, sent = detection.links(name, 32, 24, snr_db, vectors, [seed, snr_db])
        signs = 1 - 2.0 * ((sent[..., None] >> np.arange(bits)[::-1]) & 1)
        results[snr_db] = {}
        for kind in RIVALS:
            llr = thzum.detector(kind, 32, 24, name, llr="log_map").detect(H, y, noise_var)[1]
            lost = np.logaddexp(0, -signs.reshape(llr.shape) * llr) / np.log(2)
            results[snr_db][kind] = float(bits * (1 - lost.mean()))
    return results


def times(snr_db=17.5, batch=256, seconds=10.0, published=True):
    """{detector: {"single", "shared"}} in microseconds per detection of 32x24 16-QAM with soft bits, all in turn.

    ``single``: a new channel for every vector; ``shared``: a batch of one channel. Means over channels, since amp_gnn
    takes as long as a vector needs, of processor time, since a busy machine distorts any other.
    """
    H, y, noise_var, _ = detection.links("16qam", 32, 24, snr_db, batch, seed=1)
    blocks = [detection.shared_vectors(H[k], "16qam", noise_var, batch, seed=k) for k in range(16)]
    calls = {}
    for kind in thzum.detectors():
        detector = thzum.detector(kind, 32, 24, "16qam")
        calls[kind] = (
            lambda k, d=detector: d.detect(H[k % batch], y[k % batch], noise_var),
            lambda k, d=detector: d.detect(H[k % 16], blocks[k % 16], noise_var),
        )
    if published:
        calls["published GNN, PyTorch, untrained"] = _published(H, y, blocks, noise_var)
    spent = {kind: ([], []) for kind in calls}
    end, k = time.monotonic() + seconds, 0
    while time.monotonic() < end or k < 3:
        for kind, (single, shared) in calls.items():
            slow = kind.startswith(("published", "k_best"))
            if slow and k >= 3:
                continue
            spent[kind][0].extend(_spent(single, 32 * k + i) for i in range(2 if slow else 32))
            spent[kind][1].append(_spent(shared, k) / batch)
        k += 1
    return {kind: {"single": 1e6 * np.mean(a), "shared": 1e6 * np.mean(b)} for kind, (a, b) in spent.items()}


def _published(H, y, blocks, noise_var):
    import torch
    from published_amp_gnn import PublishedAmpGnn

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = PublishedAmpGnn(torch.tensor([-3.0, -1.0, 1.0, 3.0]) / np.sqrt(10.0).item())

    def real(h, v):
        rows = np.concatenate([np.concatenate([h.real, -h.imag], 1), np.concatenate([h.imag, h.real], 1)])
        return torch.from_numpy(rows), torch.from_numpy(np.concatenate([v.real, v.imag], -1))

    def shared(k):
        matrix, vectors = real(H[k % 16], blocks[k % 16])
        for part in vectors.split(32):
            network(matrix.expand(len(part), -1, -1), part, 0.5 * noise_var)

    def single(k):
        matrix, vector = real(H[k % len(H)], y[k % len(H)])
        network(matrix[None], vector[None], 0.5 * noise_var)

    return single, shared


def _spent(function, k):
    start = time.thread_time()
    function(k)
    return time.thread_time() - start


def snr_at(rate, points):
    """SNR at which ``points`` {SNR: symbol error rate} cross ``rate``, log-linear between them; None if they do not."""
    snrs = sorted(points)
    for low, high in zip(snrs, snrs[1:]):
        a, b = (np.log10(max(points[s], 1e-9)) for s in (low, high))
        if a >= np.log10(rate) >= b:
            return float(low + (high - low) * (a - np.log10(rate)) / (a - b))
    return None


PARTS = ("symbol_error_rate", "trained_on_sizes", "high_snr", "mutual_information", "microseconds")


def measure(parts=PARTS, symbols=1_000_000, errors=100, seconds=10.0, published=True, rows=None):
    """{part: results} of what ``parts`` names; all of it takes the better part of an hour on one processor."""
    chosen = {row: ROWS[row] for row in rows or ROWS}
    sizes = {row: settings for row, settings in chosen.items() if row in HIGH_SNR}
    measures = dict(
        symbol_error_rate=lambda: error_rates(chosen, symbols=symbols, errors=errors),
        trained_on_sizes=lambda: error_rates(sizes, TRAINED_ON_SIZES, symbols, errors=symbols, seed=12),
        high_snr=lambda: error_rates(HIGH_SNR, symbols=4 * symbols, errors=symbols, seed=13),
        mutual_information=lambda: mutual_information(vectors=max(50, min(1500, symbols // 24))),
        microseconds=lambda: times(seconds=seconds, published=published),
    )
    return {part: measures[part]() for part in parts}


def report(results):
    """Text of :func:`measure`."""
    lines = []
    titles = dict(
        symbol_error_rate="symbol error rates (vectors in error of all)",
        trained_on_sizes="trained for 32x24 alone (matched), for 32x16 and 32x32 alone (mismatched)",
        high_snr="high SNR",
    )
    for part, title in titles.items():
        if part in results:
            lines.append(f"  {title}")
            lines += [line for row, points in results[part].items() for line in _row(row, points)]
    if "mutual_information" in results:
        lines.append("  bits per symbol in the LLRs, 16-QAM 32x24")
        for snr_db, rates in results["mutual_information"].items():
            lines.append(f"    {float(snr_db):5.1f} dB   " + "   ".join(f"{k} {v:.3f}" for k, v in rates.items()))
    if "microseconds" in results:
        lines.append("  microseconds per detection, 16-QAM 32x24, new channel / 256 vectors per channel")
        for kind, spent in results["microseconds"].items():
            lines.append(f"    {kind:36} {spent['single']:10.1f} {spent['shared']:10.1f}")
    return "\n".join(lines)


def _row(row, points):
    lines = [f"    {row}"]
    for snr_db, rates in points.items():
        entries = "   ".join(f"{label} {rate:.2e} ({errors} of {n})" for label, (rate, errors, n) in rates.items())
        lines.append(f"      {float(snr_db):5.1f} dB   {entries}")
    labels = list(next(iter(points.values())))
    for rate in TARGETS:
        at = {label: snr_at(rate, {float(s): r[label][0] for s, r in points.items()}) for label in labels}
        if None not in at.values():
            gaps = ", ".join(f"{label} {at[label] - at['ep']:+.2f} dB" for label in labels if label != "ep")
            lines.append(f"      SER {rate:g}: ep at {at['ep']:.2f} dB, {gaps}")
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help="of " + ", ".join(PARTS))
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), metavar="ROW", help="of " + ", ".join(ROWS))
    parser.add_argument("--symbols", type=int, default=1_000_000, help="most per point, four times as many at high SNR")
    parser.add_argument("--errors", type=int, default=100, help="vectors in error that end a point of the rows before that")
    options = parser.parse_args()
    found = measure(options.parts, options.symbols, options.errors, rows=options.rows)
    print(report(found))
    print(json.dumps(found))
