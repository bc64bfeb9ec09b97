# SPDX-License-Identifier: GPL-3.0-or-later
"""Our ep and k_best against Sionna's on identical inputs. Optional, outside CI: two steps in two environments.

    python3 -m venv peer && peer/bin/pip install sionna-no-rt
    ./run exec python3 bench/peers/sionna_detectors.py ours links.npz      # draws the links, detects with ours
    peer/bin/python bench/peers/sionna_detectors.py theirs links.npz       # detects with Sionna, prints the table

The tree searches keep the same number of paths: few, where the order of the users decides, and many, where both come near to
maximum likelihood. Sionna's searches a complex tree, which suits its order of the users better than a real one; ours is real.
"""

import argparse

import numpy as np

N_RX, N_TX, CONSTELLATION, BITS = 32, 24, "16qam", 4
SNR_DB = (16.0, 17.0, 18.0)
TARGET = 1e-3
#: Paths of both tree searches.
PATHS = {"k_best, 32 paths": 32, "k_best, 128 paths": 128}


def points():
    """Points of 16-QAM of 3GPP TS 38.211, index = bits, first bit most significant."""
    bits = (np.arange(2**BITS)[:, None] >> np.arange(BITS - 1, -1, -1)) & 1
    sign = 1 - 2 * bits
    real, imaginary = sign[:, 0] * (2 - sign[:, 2]), sign[:, 1] * (2 - sign[:, 3])
    return ((real + 1j * imaginary) / np.sqrt(10)).astype(np.complex64)


def link(snr_db, vectors, seed):
    """i.i.d. channels, a new one for each vector: H, y, noise variance, sent symbols."""
    rng = np.random.default_rng([seed, int(10 * snr_db)])

    def normal(*shape):
        return ((rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) / np.sqrt(2)).astype(np.complex64)

    sent = rng.integers(0, 2**BITS, (vectors, N_TX))
    H = normal(vectors, N_RX, N_TX) / np.float32(np.sqrt(N_RX))
    noise_var = N_TX / N_RX / 10 ** (snr_db / 10)
    y = (H @ points()[sent][..., None])[..., 0] + np.float32(np.sqrt(noise_var)) * normal(vectors, N_RX)
    return H, y.astype(np.complex64), noise_var, sent


def ours(path, vectors, seed):
    """Symbol error rates of our detectors, written to ``path`` with what they were measured on."""
    from gnuradio import thzum

    detectors = {"ep": thzum.detector("ep", N_RX, N_TX, CONSTELLATION)}
    for label, paths in PATHS.items():
        detectors[label] = thzum.detector("k_best", N_RX, N_TX, CONSTELLATION, paths=paths)
    rates = {label: [] for label in detectors}
    for snr_db in SNR_DB:
        H, y, noise_var, sent = link(snr_db, vectors, seed)
        for label, found in rates.items():
            found.append(np.mean(detectors[label].detect(H, y, noise_var)[0] != sent))
    np.savez(path, vectors=vectors, seed=seed, **rates)
    return rates


def theirs(path, batch=500):
    """The same of Sionna's, on links drawn anew from the same seed."""
    from sionna.phy.mimo import EPDetector, KBestDetector

    with np.load(path) as file:
        mine = {name: file[name] for name in ("ep", *PATHS)}
        vectors, seed = int(file["vectors"]), int(file["seed"])
    detectors = {"ep": EPDetector("symbol", BITS, hard_out=True, l=10, beta=0.9)}
    tree = dict(constellation_type="qam", num_bits_per_symbol=BITS, hard_out=True)
    detectors |= {label: KBestDetector("symbol", N_TX, paths, **tree) for label, paths in PATHS.items()}
    rates = {name: [] for name in detectors}
    for snr_db in SNR_DB:
        H, y, noise_var, sent = link(snr_db, vectors, seed)
        covariance = np.broadcast_to(noise_var * np.eye(N_RX), (batch, N_RX, N_RX)).astype(np.complex64)
        for name, detector in detectors.items():
            wrong = 0
            for begin in range(0, vectors, batch):
                part = slice(begin, begin + batch)
                count = len(y[part])
                symbols = detector(*map(_tensor, (y[part], H[part], covariance[:count])))
                wrong += np.sum(np.asarray(symbols) != sent[part])
            rates[name].append(wrong / sent.size)
    report(mine, rates, vectors)


def _tensor(values):
    """A tensor of the framework that the installed Sionna stands on."""
    try:
        import torch
    except ImportError:
        import tensorflow

        return tensorflow.constant(values)
    return torch.as_tensor(np.ascontiguousarray(values))


def report(mine, rates, vectors):
    """Error rates side by side, and the difference in dB at the target."""
    print(f"{N_RX}x{N_TX} {CONSTELLATION}, {vectors * N_TX} symbols per point, identical inputs")
    print("| SNR (dB) | " + " | ".join(f"{name}, ours | {name}, Sionna" for name in rates) + " |")
    print("| --- |" + " --- | --- |" * len(rates))
    for k, snr_db in enumerate(SNR_DB):
        print(f"| {snr_db:g} | " + " | ".join(f"{mine[n][k]:.2e} | {rates[n][k]:.2e}" for n in rates) + " |")
    for name in rates:
        gap = crossing(mine[name]) - crossing(rates[name])
        print(f"{name}: ours needs {gap:+.3f} dB more than Sionna's for {TARGET:g}")


def crossing(rates):
    """SNR at which a curve falls to the target, linear in the logarithm."""
    return float(np.interp(-np.log(TARGET), -np.log(np.maximum(rates, 1e-9)), SNR_DB))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("ours", "theirs"))
    parser.add_argument("file", help="where the first step leaves its results")
    parser.add_argument("--vectors", type=int, default=42_000, help="per SNR (1e6 symbols by default)")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if options.step == "ours":
        print(ours(options.file, options.vectors, options.seed))
    else:
        theirs(options.file)
