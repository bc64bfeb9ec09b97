# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel estimation: NMSE of the estimators."""

import numpy as np

from ...thzum_python import estimator, estimator_options, estimators, onnx_model
from ..scenario import ChannelSource
from ..seeding import Purpose
from .base import Column, Task

# Channels per step of the sample covariance.
_COVARIANCE_STEP = 500


class EstimateBench:
    """Estimators on one scenario; serves one thread."""

    def __init__(self, experiment, scenario, seeds):
        self._scenario, self._seeds = experiment.scenarios[scenario], seeds
        config = self._scenario.channel_config()
        array = config.build().array
        self._source = ChannelSource(config)
        self._op = self._scenario.build_operator(array, seeds(Purpose.COMBINER))
        covariance = None
        if experiment.training_channels and any(map(_learns, experiment.algorithms)):
            covariance = self._covariance(experiment.training_channels)
        self._estimators = {
            choice.label: build_estimator(choice, self._op, array, covariance)
            for choice in experiment.algorithms
        }
        self._block = None

    def run(self, block, size, snr_db, clock):
        """Columns {label: {column: array [size]}} of a block at an SNR in dB."""
        with clock("channels"):
            h, power, clean, noise = self._channels(block, size)
        noise_var = 10 ** (-snr_db / 10)
        with clock("channels"):
            y = clean + np.float32(np.sqrt(noise_var)) * noise
        results = {}
        for label, algorithm in self._estimators.items():
            with clock(label):
                h_hat, report = algorithm.estimate(y, noise_var)
            results[label] = {
                "nmse": _squared_norm(h_hat - h) / power,
                "predicted_nmse_db": report["predicted_nmse_db"],
                "iterations": report["iterations"],
            }
        return results

    def _channels(self, block, size):
        """Channels [size, N], their ||h||^2, noiseless pilots [size, M] and unit noise on the pilots."""
        if self._block is None or self._block[0] != (block, size):
            h = self._source.sample(size, self._seeds(Purpose.CHANNELS, block))
            rng = np.random.default_rng(self._seeds(Purpose.NOISE, block))
            if self._scenario.noise_model == "common":
                noise = self._op.measure(_complex_normal(rng, h.shape))
            else:
                noise = _complex_normal(rng, (size, self._op.n_observations))
            self._block = (block, size), (h, _squared_norm(h), self._op.measure(h), noise)
        return self._block[1]

    def _covariance(self, count):
        """Sample covariance of each subarray, complex64 [S, n, n], from channels of its own."""
        shape = self._op.shape
        total = np.zeros((shape.n_subarrays, shape.elements, shape.elements), np.complex64)
        for step, start in enumerate(range(0, count, _COVARIANCE_STEP)):
            size = min(_COVARIANCE_STEP, count - start)
            h = self._source.sample(size, self._seeds(Purpose.TRAINING, step))
            blocks = h.reshape(size, shape.n_subarrays, shape.elements).transpose(1, 2, 0)
            total += blocks @ blocks.conj().transpose(0, 2, 1)
        return total / np.float32(count)


class Estimate(Task):
    """NMSE of channel estimators; algorithms are the names of ``thzum.estimators()``."""

    columns = (Column("nmse", missing=float("inf")), Column("predicted_nmse_db"), Column("iterations"))
    in_db = True
    axis = "NMSE (dB)"

    def check(self, experiment):
        known = estimators()
        for choice in experiment.algorithms:
            if choice.algorithm not in known:
                raise ValueError(f"algorithm: expected one of {sorted(known)}, got {choice.algorithm!r}")
        facts = {}
        for scenario in experiment.scenarios:
            try:
                facts[scenario.name] = self._check_scenario(scenario, experiment.algorithms)
            except (ValueError, TypeError, RuntimeError) as error:
                raise ValueError(f"scenario {scenario.name!r}: {error}") from error
        return facts

    @staticmethod
    def _check_scenario(scenario, choices):
        config = scenario.channel_config()
        array = config.build().array
        op = scenario.build_operator(array, np.random.SeedSequence(0))
        for choice in choices:
            build_estimator(choice, op, array, None)
        return {
            "channel": {key: value for key, value in config.to_dict().items() if key not in ("batch", "seed")},
            "channels_from": ChannelSource(config).kind,
            "n_antennas": op.n_antennas,
            "n_observations": op.n_observations,
        }

    def files(self, experiment):
        found = {}
        for choice in experiment.algorithms:
            known = estimator_options(choice.algorithm)
            chosen = {name: info["default"] for name, info in known.items()} | choice.options
            if chosen.get("denoiser") == "onnx":
                path = chosen["model"] or onnx_model.shipped("fpn_oamp")
                found[f"model of {choice.label}"] = path
            if isinstance(choice.options.get("samples"), str):
                found[f"samples of {choice.label}"] = choice.options["samples"]
        return found

    def bench(self, experiment, scenario, seeds):
        return EstimateBench(experiment, scenario, seeds)

    def summary(self, columns):
        predicted, nmse = columns["predicted_nmse_db"], columns["nmse"]
        with np.errstate(divide="ignore", invalid="ignore"):
            error = 10 * np.log10(np.mean(10 ** (predicted / 10)) / np.mean(nmse))
        return {"iterations": float(np.mean(columns["iterations"])), "prediction_error_db": float(error)}


TASK = Estimate()


def build_estimator(choice, op, array, covariance):
    """The estimator of an :class:`~gnuradio.thzum.simulation.Algorithm` for an operator on an array."""
    options = dict(choice.options)
    if covariance is not None and _learns(choice):
        options["covariance"] = covariance
    try:
        return estimator(choice.algorithm, op, array=array, **options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"{choice.label}: {error}") from error


def _learns(choice):
    """Whether the estimator takes a covariance that nobody gave it."""
    given = choice.options.keys() & {"covariance", "samples", "dictionary"}
    return "covariance" in estimator_options(choice.algorithm) and not given


def _complex_normal(rng, shape):
    """Circular Gaussian of unit variance, complex64."""
    parts = rng.standard_normal((*shape, 2), dtype=np.float32) * np.float32(np.sqrt(0.5))
    return parts.view(np.complex64)[..., 0]


def _squared_norm(x):
    """||x||^2 over the last axis in float64."""
    return np.sum(x.real.astype(float) ** 2 + x.imag.astype(float) ** 2, axis=-1)
