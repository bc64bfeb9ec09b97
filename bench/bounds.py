# SPDX-License-Identifier: GPL-3.0-or-later
"""Every estimator beside what bounds it, NMSE against SNR."""

import accuracy
import numpy as np

from gnuradio import thzum
from gnuradio.thzum import bounds, plots

PRESET = "thz300_aosa4x256"
CHANNELS = 40
ITERATIONS = 8
ESTIMATORS = ("ls", "lmmse", "omp", "polar_omp", "hybrid_omp", "newtonized_omp", "oamp", "fpn_oamp", "auto")


def _complex_normal(rng, *shape):
    return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)) * np.sqrt(0.5)


def _estimators(op, array, covariance):
    special = {name: dict(array=array) for name in ("polar_omp", "hybrid_omp", "newtonized_omp", "auto")}
    special["lmmse"] = dict(covariance=covariance)
    return {name: thzum.estimator(name, op, **special.get(name, {})) for name in ESTIMATORS}


def measure(reference_path=None, channels=CHANNELS, seed=11):
    """NMSE in dB per SNR of every estimator and bound: {"estimators": {name: []}, "bounds": {name: []}}.

    Channels are of our simulator, since the bounds need the paths, which ``reference_path`` (not read) does not hold;
    Hadamard combiner, half as many observations as antennas, fresh noise in every slot.
    """
    model = thzum.channel.preset(PRESET)
    paths = model.draw_paths(channels, np.random.default_rng(seed))
    h = model.response(paths)
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    covariance = accuracy.subarray_covariance()
    rng = np.random.default_rng(seed)
    clean, noise = op.measure(h), _complex_normal(rng, channels, op.n_observations)
    antenna_noise = _complex_normal(rng, *h.shape)
    estimators = _estimators(op, model.array, covariance)
    table = dict(snrs_db=list(accuracy.SNRS_DB), estimators={name: [] for name in ESTIMATORS}, bounds={})
    waves = bounds.path_responses(model.array, paths)
    genies = {kind: [bounds.Genie(op, w, kind) for w in waves] for kind in bounds.MODELS}
    unit = {f"cramer_rao_{kind}": bounds.cramer_rao(op, model.array, paths, kind) for kind in bounds.MODELS}

    def bound(name, nmse):
        table["bounds"].setdefault(name, []).append(float(10 * np.log10(np.mean(nmse))))

    for snr_db in accuracy.SNRS_DB:
        noise_var = 10 ** (-snr_db / 10)
        y = (clean + np.sqrt(noise_var) * noise).astype(np.complex64)
        for name, estimator in estimators.items():
            h_hat, _ = estimator.estimate(y, noise_var)
            table["estimators"][name].append(float(thzum.metrics.nmse_db(h_hat, h)))
        for kind, known in genies.items():
            bound(f"genie_{kind}", [genie.error(noise_var) for genie in known])
        for name, value in unit.items():
            bound(name, noise_var * value)
        gain = covariance @ np.linalg.inv(covariance + noise_var * np.eye(len(covariance)))
        observed = (h + np.sqrt(noise_var) * antenna_noise).reshape(-1, len(covariance))
        h_hat = (observed @ gain.T).reshape(h.shape)
        bound("lmmse_fully_digital", np.linalg.norm(h_hat - h, axis=1) ** 2 / np.linalg.norm(h, axis=1) ** 2)
        steps = thzum.state_evolution("fpn_oamp", op, h, noise_var, iterations=ITERATIONS)
        bound("state_evolution_fpn_oamp", 10 ** (steps["nmse_db"][-1] / 10))
    return table


#: Colour and line style of each bound.
BOUND_STYLES = {
    "genie_free": ("#000000", "--"),
    "genie_coherent": ("#000000", ":"),
    "cramer_rao_free": ("#B00000", "--"),
    "cramer_rao_coherent": ("#B00000", ":"),
    "lmmse_fully_digital": ("#808080", "--"),
    "state_evolution_fpn_oamp": ("#808080", ":"),
}


def plot(table, axes):
    """Draw :func:`measure`'s table into Matplotlib axes: estimators as solid lines, bounds broken."""
    for k, (name, row) in enumerate(table["estimators"].items()):
        colour = plots.COLOURS[k % len(plots.COLOURS)]
        axes.plot(table["snrs_db"], row, marker="os^vDPX*p"[k % 9], color=colour, label=name)
    for name, row in table["bounds"].items():
        colour, style = BOUND_STYLES[name]
        axes.plot(table["snrs_db"], row, style, color=colour, label=name)
    axes.set_xlabel("SNR in dB")
    axes.set_ylabel("NMSE in dB")
    axes.grid(True, alpha=0.3)
    axes.legend(fontsize=8, ncol=2)


def report(table):
    """The table as text."""
    lines = [f"  {'SNR in dB':26}" + "".join(f"{snr:8g}" for snr in table["snrs_db"])]
    for group in ("estimators", "bounds"):
        for name, row in table[group].items():
            lines.append(f"  {name:26}" + "".join(f"{value:8.2f}" for value in row))
    return "\n".join(lines)


def figures(table, folder):
    """bounds.svg and .png in ``folder``."""
    figure = plots.new_figure(8.0, 6.0)
    plot(table, figure.add_subplot())
    figure.tight_layout()
    for suffix in ("svg", "png"):
        figure.savefig(folder / f"bounds.{suffix}", dpi=120)
