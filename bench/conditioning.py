# SPDX-License-Identifier: GPL-3.0-or-later
"""What a denoiser gains from being told more of the channel than the noise level: an ablation.

Small networks of one shape are trained from the same start for equally many steps on channels of 1 to 12 paths,
near, far or as in the preset; they differ in what modulates their feature maps beside the noise level. The last
row is told the number of paths of another channel: what a wrong label costs.
"""

import argparse

import numpy as np
import torch

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.training.domain import ImageDomain, complex_noise, squared_error
from gnuradio.thzum.training.linear_step import LinearStep, differentiable_iterate, iterate, random_combiner
from gnuradio.thzum.training.networks import SubarrayDenoiser
from gnuradio.thzum.training.without_truth import fine_tune

import as_json

PRESET = "thz300_aosa4x256"
COUNTS = (1, 2, 3, 5, 8, 12)
RATIOS = (0.25, 0.3, 0.4, 0.5, 0.7, 1.0)
#: Columns of the labels that each variant sees: paths, field, under-sampling ratio.
VARIANTS = {"noise level alone": (), "paths": (0,), "field": (1,), "M/N": (2,), "all three": (0, 1, 2)}
VALIDATION_SEED = 31_000_000


class Conditioned:
    """End-to-end training with labels of every channel."""

    def __init__(self, columns, batch, validation=192):
        self.columns, self.batch = list(columns), batch
        self.domain = ImageDomain()
        edge = array_preset(PRESET).rayleigh_distance()
        fields = (dict(scatterer_distance=(edge / 3, edge), los_distance=0.8 * edge), {},
                  dict(scatterer_distance=(edge, 2 * edge), los_distance=2 * edge))
        self.models = {(count, field): thzum.channel.preset(PRESET, n_paths=count, **settings)
                       for count in COUNTS for field, settings in enumerate(fields)}
        rng = np.random.default_rng(VALIDATION_SEED)
        self.validation = [self._draw(validation // len(COUNTS), rng, count, ratio) for count, ratio in zip(COUNTS, RATIOS)]

    def _draw(self, batch, rng, count=None, ratio=None):
        count = count or int(rng.choice(COUNTS))
        ratio = ratio or float(rng.choice(RATIOS))
        field = np.sort(rng.integers(3, size=batch))
        drawn = [(self.models[count, k], int((field == k).sum())) for k in range(3)]
        h = np.concatenate([model.sample(number, rng) for model, number in drawn if number])
        labels = np.stack([np.full(batch, np.log(count / 4)), field - 1.0, np.full(batch, np.log(ratio / 0.45))], 1)
        step = LinearStep(self.domain, *random_combiner(4, round(256 * ratio), 256, rng))
        noise_var = torch.from_numpy(10 ** (-rng.uniform(0, 20, batch) / 10)).float()
        z = step.observe(torch.from_numpy(h.reshape(batch, 4, 256)), noise_var, rng)
        return self.domain.coefficients(h, 4), torch.from_numpy(labels).float(), step, z, noise_var

    def _told(self, network, labels):
        if not self.columns:
            return network
        own = labels[:, self.columns]

        def told(image, noise_std):
            return network(image, noise_std, own)

        told.training = network.training
        return told

    def loss(self, network, rng):
        """Mean logarithm of the normalised error after a random depth."""
        truth, labels, step, z, noise_var = self._draw(self.batch, rng)
        depth = int(rng.integers(0, 4))
        estimate = differentiable_iterate(self.domain, self._told(network, labels), step, z, noise_var, depth)
        return torch.log(squared_error(estimate, truth) + 1e-5).mean()

    def validate(self, network, swapped=False):
        """Geometric mean of the normalised error in dB, per number of paths (each at its own M/N)."""
        measured = {}
        for (truth, labels, step, z, noise_var), other in zip(self.validation, self.validation[::-1]):
            labels = other[1] if swapped else labels
            estimate = iterate(self.domain, self._told(network, labels), step, z, noise_var, 6)
            decibels = 10 * float(torch.log10(squared_error(estimate, truth)).mean())
            measured[f"paths_{len(measured)}"] = round(decibels, 3)
        measured["mean"] = round(float(np.mean(list(measured.values()))), 3)
        return measured


def measure(folder, steps=600, variants=tuple(VARIANTS), batch=32, width=16, blocks=2):
    """{variant: {"paths_k": dB, "mean": dB}}, geometric mean of the normalised error over 0 to 20 dB SNR."""
    torch.set_num_threads(1)
    table = {}
    for name in variants:
        columns = VARIANTS[name]
        torch.manual_seed(1)
        network = SubarrayDenoiser(width=width, blocks=blocks, conditions=len(columns))
        task = Conditioned(columns, batch)
        stage = name.replace(" ", "_").replace("/", "")
        trained = fine_tune(network, task, folder, steps, learning_rate=2e-3, stage=stage)
        with torch.no_grad():
            table[name] = task.validate(trained)
            if columns == (0, 1, 2):
                table["all three, wrong"] = task.validate(trained, swapped=True)
        print(name, table[name], flush=True)
    return table


def report(table):
    """The table as text."""
    lines = [f"{'paths at M/N':20}" + "".join(f"{f'{c} at {r:g}':>11}" for c, r in zip(COUNTS, RATIOS)) + f"{'mean':>9}"]
    for name, row in table.items():
        lines.append(f"{name:20}" + "".join(f"{value:11.2f}" for value in list(row.values())[:-1]) + f"{row['mean']:9.2f}")
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", default="build/conditioning", help="checkpoints and logs (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=600, help="of each variant (default: %(default)s)")
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS), choices=list(VARIANTS))
    parser.add_argument("--json", metavar="FILE", help="also write the figures")
    options = parser.parse_args()
    table = measure(options.folder, options.steps, options.variants)
    print(report(table))
    as_json.save(table, options.json)


if __name__ == "__main__":
    main()
