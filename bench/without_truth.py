# SPDX-License-Identifier: GPL-3.0-or-later
"""Training without ground truth: what fine-tuning on pilots of a new environment gains of what truth would.

The shipped network, never trained there, goes to an environment of the robustness matrix and is fine-tuned for
equally many steps on the same frames: on pilots alone with as many slots as elements (SURE), on pilots alone at
M/N = 0.5 (GSURE), and with the true channels. All are then measured by the C++ estimator on other channels and
another combiner at M/N = 0.5.
"""

import argparse
import os

import numpy as np
import onnx
import torch
import as_json
from robustness import pilots as held_out
from robustness import rows

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.training import without_truth
from gnuradio.thzum.training.domain import squared_error
from gnuradio.thzum.training.export import export_denoiser
from gnuradio.thzum.training.linear_step import differentiable_iterate, random_combiner
from gnuradio.thzum.training.networks import load_denoiser

PRESET = "thz300_aosa4x256"
ENVIRONMENT = "20 rays a cluster"
GROUPS, CHANNELS = 24, 96
SNR_DB = (0.0, 20.0)
RATIOS = {"supervised": 0.5, "gsure": 0.5, "sure": 1.0}
SEED = 77


def record(environment, ratio, groups=GROUPS, channels=CHANNELS, seed=SEED):
    """Pilots of an environment and the true channels behind them, complex64 [G, K, S, n]."""
    row, array = rows()[environment], array_preset(PRESET)
    rng = np.random.default_rng(seed)
    shape = (channels, array.n_subarrays, array.rows, array.cols)
    n = array.rows * array.cols
    truth, y, combiners, variances = [], [], [], []
    for _ in range(groups):
        h = np.asarray(row.draw(array, channels, rng)).reshape(shape)
        h = row.disturb(h, rng) if row.disturb else h
        h = h.reshape(channels, array.n_subarrays, n)
        h = h * np.sqrt(array.n_subarrays * n) / np.linalg.norm(h, axis=(1, 2), keepdims=True)
        combiner, _ = random_combiner(array.n_subarrays, round(ratio * n), n, rng)
        noise_var = 10 ** (-rng.uniform(*SNR_DB, channels) / 10)
        clean = np.einsum("sqn,ksn->ksq", combiner, h)
        noise = rng.standard_normal((*clean.shape, 2)) @ [1, 1j]
        y.append(clean + np.sqrt(noise_var / 2)[:, None, None] * noise)
        truth.append(h)
        combiners.append(combiner)
        variances.append(noise_var)
    pilots = without_truth.Pilots(
        np.array(y, np.complex64), np.array(combiners, np.float32), np.array(variances, np.float32)
    )
    return pilots, np.array(truth, np.complex64)


class WithTruth(without_truth.WithoutTruth):
    """The same frames, with the true channels: the loss of the shipped training."""

    def __init__(self, pilots, truth, batch):
        super().__init__(pilots, batch)
        self.truth = truth

    def loss(self, network, rng):
        """Mean logarithm of the normalised error after a random depth."""
        groups, channels = self.pilots.y.shape[:2]
        items = rng.choice(channels - self.kept, self.batch, replace=False)
        group = int(rng.integers(groups))
        step, z, noise_var = self.observations(group, items)
        h = self.truth[group, items]
        truth = self.domain.coefficients(h.reshape(len(h), -1), h.shape[1])
        estimate = differentiable_iterate(self.domain, network, step, z, noise_var, int(rng.integers(0, 4)))
        return torch.log(squared_error(estimate, truth) + 1e-5).mean()


def tuned(loss, start, folder, environment, steps, batch):
    """Model file of ``start`` fine-tuned by ``loss``, one of :data:`RATIOS`."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    pilots, truth = record(environment, RATIOS[loss])
    task = WithTruth(pilots, truth, batch) if loss == "supervised" else without_truth.WithoutTruth(pilots, batch)
    network = without_truth.fine_tune(load_denoiser(start), task, folder, steps, stage=loss)
    card = {entry.key[6:]: entry.value for entry in onnx.load(start).metadata_props}
    curve = [[float(x) for x in card[name].split(",")] for name in ("nmse_curve_noise_db", "nmse_curve_db")]
    limits = float(card["noise_db_min"]), float(card["noise_db_max"])
    path = os.path.join(folder, f"{loss}.onnx")
    export_denoiser(network, task.domain.region, path, limits, curve, dict(measured="bench/without_truth.py"))
    return path


def nmse_db(model, environment, snr_db, count=200):
    """NMSE of ``fpn_oamp`` with a model file in an environment."""
    array, op, h, y, stated = held_out(environment, rows()[environment], count, snr_db)
    h_hat, _ = thzum.estimator("fpn_oamp", op, array=array, model=model).estimate(y, stated)
    return float(thzum.metrics.nmse_db(h_hat, h))


def measure(folder, environment=ENVIRONMENT, steps=150, batch=48, losses=tuple(RATIOS), snrs_db=(0.0, 10.0, 20.0)):
    """NMSE in dB: {environment or "nominal": {"start" or loss: [per SNR]}}. Takes minutes."""
    os.makedirs(folder, exist_ok=True)
    start = thzum.onnx_model.shipped("fpn_oamp")
    models = {"start": start}
    for loss in losses:
        models[loss] = tuned(loss, start, folder, environment, steps, batch)
    return {
        place: {name: [nmse_db(path, place, snr) for snr in snrs_db] for name, path in models.items()}
        for place in (environment, "nominal")
    }


def report(table, snrs_db=(0.0, 10.0, 20.0)):
    """The table as text."""
    lines = [f"{'NMSE in dB at SNR':40}" + "".join(f"{snr:9g}" for snr in snrs_db)]
    for place, row in table.items():
        for name, values in row.items():
            lines.append(f"{place:24}{name:16}" + "".join(f"{value:9.2f}" for value in values))
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="build/without_truth", help="models and logs (default: %(default)s)")
    parser.add_argument("--environment", default=ENVIRONMENT, help="row of bench/robustness.py (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=150, help="of each fine-tuning (default: %(default)s)")
    parser.add_argument("--batch", type=int, default=48, help="channels of a step (default: %(default)s)")
    parser.add_argument("--losses", nargs="+", default=list(RATIOS), choices=list(RATIOS))
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    options = parser.parse_args()
    table = measure(options.folder, options.environment, options.steps, options.batch, options.losses)
    print(report(table))
    as_json.save(table, options.json)


if __name__ == "__main__":
    main()
