# SPDX-License-Identifier: GPL-3.0-or-later
"""Ways to put the parametric and the learned estimate together, beside what ``auto`` does.

``auto`` takes the convex combination of both whose risk, as the pilots tell it, is least. Here stand with it: the best
combination that truth could choose, for the whole array and for each subarray; a combination with a weight for each
subarray, drawn towards the common one; and the network run on what the paths leave of the pilots, its estimate added.
"""

import argparse

import numpy as np
import as_json
from robustness import pilots, rows

from gnuradio import thzum

ROWS = ("nominal", "half a subarray blocked", "20 rays a cluster", "5 deg phase errors")
PROBE_SIZE = 0.3
WEIGHT_SPREAD = 0.3  # of the subarrays' weights about the common one


def _per_subarray(values, n_subarrays):
    return values.reshape(len(values), n_subarrays, -1)


def _followed(estimator, op, y, noise_var, h_hat, n_subarrays):
    """noise_var times the divergence of an estimator in each subarray's pilots, by one probe: float [B, S]."""
    rng = np.random.default_rng(1)
    probe = np.sqrt(0.5) * (rng.standard_normal((*y.shape, 2)) @ [1, 1j])
    size = PROBE_SIZE * np.sqrt(noise_var)
    moved = op.measure(estimator.estimate((y + size * probe).astype(np.complex64), noise_var)[0] - h_hat)
    product = _per_subarray((probe.conj() * moved).real, n_subarrays).sum(2)
    return np.maximum(product * noise_var / size, 0)


def _subarray_weights(op, y, noise_var, paths, net, followed_paths, followed_net, n_subarrays):
    """Weights of the paths [B, S] by the risk in each subarray, shrunk towards that of the whole array."""
    step = _per_subarray(op.measure(paths - net), n_subarrays)
    rest = _per_subarray(y - op.measure(net), n_subarrays)
    apart = (np.abs(step) ** 2).sum(2)
    gain = (step.conj() * rest).sum(2).real - (followed_paths[:, None] / n_subarrays - followed_net)
    common = np.clip(gain.sum(1) / apart.sum(1), 0, 1)[:, None]
    sure = 2 * apart / noise_var
    return np.clip((sure * gain / apart + common / WEIGHT_SPREAD**2) / (sure + 1 / WEIGHT_SPREAD**2), 0, 1)


def _combined(weights, paths, net):
    parts = [_per_subarray(h, weights.shape[1]) for h in (paths, net)]
    return (parts[1] + weights[:, :, None] * (parts[0] - parts[1])).reshape(paths.shape)


def _best_weights(paths, net, h, groups):
    step, rest = (_per_subarray(part, groups) for part in (paths - net, h - net))
    return np.clip((step.conj() * rest).sum(2).real / (np.abs(step) ** 2).sum(2), 0, 1)


def compare(name, snr_db, channels):
    """NMSE in dB of every way in a row of the robustness matrix: {way: dB}."""
    array, op, h, y, noise_var = pilots(name, rows()[name], channels, snr_db)
    subarrays = array.n_subarrays
    estimators = {key: thzum.estimator(key, op, array=array) for key in ("newtonized_omp", "fpn_oamp", "auto")}
    found = {key: estimator.estimate(y, noise_var) for key, estimator in estimators.items()}
    paths, net, auto = (found[key][0] for key in estimators)
    followed_net = _followed(estimators["fpn_oamp"], op, y, noise_var, net, subarrays)
    weights = _subarray_weights(
        op, y, noise_var, paths, net, noise_var * found["newtonized_omp"][1]["divergence"], followed_net, subarrays
    )
    left = (y - op.measure(paths)).astype(np.complex64)
    estimates = {
        "paths": paths,
        "network": net,
        "auto": auto,
        "weight per subarray": _combined(weights, paths, net),
        "paths + network of the rest": paths + estimators["fpn_oamp"].estimate(left, noise_var)[0],
        "best weight (truth)": _combined(_best_weights(paths, net, h, 1), paths, net),
        "best weights (truth)": _combined(_best_weights(paths, net, h, subarrays), paths, net),
    }
    return {way: float(thzum.metrics.nmse_db(np.ascontiguousarray(value, np.complex64), h)) for way, value in estimates.items()}


def measure(names=ROWS, snrs_db=(10.0, 20.0), channels=60):
    """{row: {SNR: {way: dB}}}."""
    return {name: {snr: compare(name, snr, channels) for snr in snrs_db} for name in names}


def report(table):
    """The table as text."""
    ways = list(next(iter(next(iter(table.values())).values())))
    lines = [f"{'NMSE in dB':30}" + "".join(f"{name[:16]:>18}{snr:3g}" for name, row in table.items() for snr in row)]
    for way in ways:
        lines.append(f"{way:30}" + "".join(f"{at[way]:21.2f}" for row in table.values() for at in row.values()))
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=60, help="of each row (default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    options = parser.parse_args()
    table = measure(channels=options.channels)
    print(report(table))
    as_json.save(table, options.json)


if __name__ == "__main__":
    main()
