# SPDX-License-Identifier: GPL-3.0-or-later
"""State evolution of OAMP and of the fixed-point iteration: predicted and measured NMSE of each iteration."""

import numpy as np

from gnuradio import thzum
from gnuradio.thzum import plots

PRESET = "thz300_aosa4x256"
SNRS_DB = (0, 10, 20)
#: {label: (estimator, options)}; the separable ones share one prior over the array, as state evolution does.
ESTIMATORS = {
    "oamp, Bernoulli-Gaussian": ("oamp", dict(per_subarray=False)),
    "oamp, soft threshold": ("oamp", dict(per_subarray=False, denoiser="soft_threshold")),
    "fpn_oamp": ("fpn_oamp", {}),
}


def measure(reference_path=None, channels=60, iterations=8, seed=31):
    """{label: {SNR in dB: {"predicted_db": [], "measured_db": []}}} per iteration; ``reference_path`` is not read."""
    model = thzum.channel.preset(PRESET)
    h = model.sample(channels, seed=seed)
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    rng = np.random.default_rng(seed)
    unit = (rng.standard_normal((channels, op.n_observations, 2)) * np.sqrt(0.5)).view(complex)[..., 0]
    clean, results = op.measure(h), {}
    for label, (name, options) in ESTIMATORS.items():
        for snr_db in SNRS_DB:
            noise_var = 10 ** (-snr_db / 10)
            y = (clean + np.sqrt(noise_var) * unit).astype(np.complex64)
            steps = thzum.state_evolution(name, op, h, noise_var, iterations=iterations, **options)
            measured = []
            for depth in range(1, iterations + 1):
                settings = dict(max_iterations=depth, tolerance=0.0, max_batch=channels, **options)
                h_hat, _ = thzum.estimator(name, op, **settings).estimate(y, noise_var)
                measured.append(float(thzum.metrics.nmse_db(h_hat, h)))
            predicted = [float(value) for value in steps["nmse_db"]]
            results.setdefault(label, {})[snr_db] = dict(predicted_db=predicted, measured_db=measured)
    return results


def largest_gap(results):
    """Largest difference in dB between prediction and measurement of an estimator."""
    return {
        label: max(np.abs(np.subtract(row["predicted_db"], row["measured_db"])).max() for row in rows.values())
        for label, rows in results.items()
    }


def report(results):
    """The results as text."""
    lines = []
    for label, rows in results.items():
        for snr_db, row in rows.items():
            for kind in ("predicted", "measured"):
                cells = "".join(f"{value:8.2f}" for value in row[f"{kind}_db"])
                lines.append(f"  {label + f', {snr_db} dB, ' + kind:46}{cells}")
        lines.append(f"  {label}: at most {largest_gap(results)[label]:.2f} dB apart")
    return "\n".join(lines)


def figures(results, folder):
    """state_evolution.svg and .png in ``folder``."""
    figure = plots.new_figure(11.0, 4.2)
    for axes, (label, rows) in zip(figure.subplots(1, len(results), sharey=True), results.items()):
        for colour, (snr_db, row) in zip(plots.COLOURS, rows.items()):
            depth = range(1, len(row["measured_db"]) + 1)
            axes.plot(depth, row["predicted_db"], "--", color=colour)
            axes.plot(depth, row["measured_db"], "o", color=colour, label=f"{snr_db:g} dB SNR")
        axes.set(title=label, xlabel="iteration")
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("NMSE in dB (broken: predicted)")
    figure.axes[-1].legend()
    figure.tight_layout()
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"state_evolution.{suffix}", dpi=120)
