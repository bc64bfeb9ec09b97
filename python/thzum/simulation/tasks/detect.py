# SPDX-License-Identifier: GPL-3.0-or-later
"""Data detection: symbol error rate of the detectors."""

import numpy as np

from ...thzum_python import detector, detectors
from ..intervals import rate_interval
from ..mimo_scenario import MimoScenario, complex_normal
from ..seeding import Purpose
from .base import Column, Task


class DetectBench:
    """Detectors on one scenario; serves one thread."""

    def __init__(self, experiment, scenario, seeds):
        self._scenario, self._seeds = experiment.scenarios[scenario], seeds
        self._detectors = {choice.label: build_detector(choice, self._scenario) for choice in experiment.algorithms}
        self._block = None

    def run(self, block, size, snr_db, clock):
        """Columns {label: {column: array [size]}} of a block at an SNR in dB."""
        with clock("channels"):
            known, sent, clean, noise = self._vectors(block, size)
            noise_var = self._scenario.noise_var(snr_db)
            y = clean + np.float32(np.sqrt(noise_var)) * noise
        assumed = noise_var * 10 ** (self._scenario.noise_error_db / 10)
        results = {}
        for label, algorithm in self._detectors.items():
            with clock(label):
                symbols, llr = algorithm.detect(known, y, assumed)
            results[label] = _figures(symbols, llr, sent)
        return results

    def _vectors(self, block, size):
        """Channels the receiver knows, sent symbols, y without noise, and noise of unit variance."""
        if self._block is None or self._block[0] != (block, size):
            draw = {p: np.random.default_rng(self._seeds(p, block)) for p in Purpose}
            H, known = self._scenario.channels(size, draw[Purpose.CHANNELS])
            sent, x = self._scenario.symbols(size, draw[Purpose.SYMBOLS])
            clean = (H @ x[..., None])[..., 0]
            noise = complex_normal(draw[Purpose.NOISE], clean.shape)
            self._block = (block, size), (known, sent, clean, noise)
        return self._block[1]


class Detect(Task):
    """Symbol error rate; algorithms are the names of ``thzum.detectors()``, scenarios :class:`MimoScenario`.

    Columns: ``ser``, the part of the users whose symbol is wrong; ``ber``, the part of the bits; and
    ``bit_information``, 1 - log2(1 + exp(-L)) averaged over the bits, where L is the LLR in favour of the bit that
    was sent: the mean is the mutual information per bit that a decoder is offered if the LLRs are true ones.
    """

    columns = (Column("ser"), Column("ber"), Column("bit_information", missing=float("-inf")))
    in_db = False
    is_logarithmic = True
    axis = "symbol error rate"
    interval = staticmethod(rate_interval)
    scenario = MimoScenario

    def check(self, experiment):
        known = detectors()
        for choice in experiment.algorithms:
            if choice.algorithm not in known:
                raise ValueError(f"algorithm: expected one of {sorted(known)}, got {choice.algorithm!r}")
        for scenario in experiment.scenarios:
            for choice in experiment.algorithms:
                build_detector(choice, scenario)
        return {scenario.name: scenario.to_dict() for scenario in experiment.scenarios}

    def files(self, experiment):
        return {}

    def bench(self, experiment, scenario, seeds):
        return DetectBench(experiment, scenario, seeds)

    def summary(self, columns):
        return {name: float(np.mean(columns[name])) for name in ("ber", "bit_information")}


TASK = Detect()


def build_detector(choice, scenario):
    """The detector of an :class:`~gnuradio.thzum.simulation.Algorithm` for a scenario."""
    sizes = scenario.n_rx, scenario.n_tx, scenario.constellation
    try:
        return detector(choice.algorithm, *sizes, **choice.options)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"scenario {scenario.name!r}: {choice.label}: {error}") from error


def _figures(symbols, llr, sent):
    n_bits = llr.shape[-1]
    bits = (sent[..., None] >> np.arange(n_bits - 1, -1, -1)) & 1
    detected = (symbols[..., None] >> np.arange(n_bits - 1, -1, -1)) & 1
    in_favour = np.where(bits == 1, -llr, llr).astype(float)
    return {
        "ser": np.mean(symbols != sent, axis=1),
        "ber": np.mean(bits != detected, axis=(1, 2)),
        "bit_information": 1 - np.mean(np.logaddexp(0, -in_favour), axis=(1, 2)) / np.log(2),
    }
