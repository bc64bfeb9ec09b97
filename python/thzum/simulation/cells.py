# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of work: all algorithms on one block of channels of one scenario at one SNR."""

import hashlib
import json
import math
import threading
import time
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from .experiment import Experiment
from .seeding import seed_sequence
from .tasks import task

# Scenarios whose benches a thread keeps.
_KEPT_BENCHES = 8
# Channels of each scenario that a worker computes to show that its numbers are everybody's.
_PROBE_CHANNELS = 2

_kept = threading.local()


@dataclass(frozen=True, order=True)
class Unit:
    """A unit of work by its indices in the experiment: scenario, block, SNR."""

    scenario: int
    block: int
    snr: int


def units(experiment):
    """All units of an experiment in the order in which the results file lists them."""
    return [
        Unit(scenario, block, snr)
        for scenario in range(len(experiment.scenarios))
        for block in range(len(experiment.blocks()))
        for snr in range(len(experiment.snr_db))
    ]


class Clock:
    """Adds up processor and wall-clock time by part; processor time is that of the calling thread.

    Attributes:
        parts: {part: [processor seconds, wall-clock seconds]}.
    """

    def __init__(self):
        self.parts = {}

    @contextmanager
    def __call__(self, part):
        cpu, wall = time.thread_time(), time.perf_counter()
        try:
            yield
        finally:
            total = self.parts.setdefault(part, [0.0, 0.0])
            total[0] += time.thread_time() - cpu
            total[1] += time.perf_counter() - wall


def run_unit(config, unit):
    """Compute a unit.

    Args:
        config: the experiment's dictionary as JSON.
        unit: (scenario, block, snr) indices.

    Returns:
        {label: {column: [number or None per channel]}} and {part: [processor s, wall-clock s]}.
    """
    experiment, unit, clock = _experiment(config), Unit(*unit), Clock()
    with _one_thread():
        with clock("set-up"):
            bench = _bench(config, unit.scenario)
        size = experiment.blocks()[unit.block]
        found = bench.run(unit.block, size, experiment.snr_db[unit.snr], clock)
    return {label: _plain_columns(columns) for label, columns in found.items()}, clock.parts


def probe(config):
    """What must be equal wherever units of an experiment are computed: digests of files and of numbers.

    The numbers are those of the first channels of every scenario at the first SNR. ``config`` is the
    experiment's dictionary as JSON.
    """
    experiment = _experiment(config)
    files = task(experiment.task).files(experiment)
    numbers = hashlib.sha256()
    with _one_thread():
        for scenario in range(len(experiment.scenarios)):
            bench = _bench(config, scenario)
            found = bench.run(0, _PROBE_CHANNELS, experiment.snr_db[0], Clock())
            plain = {label: _plain_columns(columns) for label, columns in found.items()}
            numbers.update(json.dumps(plain).encode())
    return {"files": {name: _digest(path) for name, path in files.items()}, "numbers": numbers.hexdigest()}


def as_text(experiment):
    """The JSON text that :func:`run_unit` and :func:`probe` take."""
    return json.dumps(experiment.to_dict())


@lru_cache(_KEPT_BENCHES)
def _experiment(config):
    return Experiment.from_dict(json.loads(config))


def _bench(config, scenario):
    """The bench of a scenario, from those that this thread keeps: algorithm objects serve one thread."""
    if not hasattr(_kept, "benches"):
        _kept.benches = OrderedDict()
    key = config, scenario
    if key not in _kept.benches:
        experiment = _experiment(config)
        seeds = partial(seed_sequence, experiment.seed, scenario)
        _kept.benches[key] = task(experiment.task).bench(experiment, scenario, seeds)
    _kept.benches.move_to_end(key)
    while len(_kept.benches) > _KEPT_BENCHES:
        _kept.benches.popitem(last=False)
    return _kept.benches[key]


def _plain_columns(columns):
    return {name: [_plain_number(value) for value in values] for name, values in columns.items()}


def _plain_number(value):
    """A NumPy number as a Python number with no more digits than it has; None for NaN and infinity."""
    if isinstance(value, np.integer):
        return int(value)
    if not math.isfinite(value):
        return None
    return float(f"{value:.9g}") if isinstance(value, np.float32) else float(value)


def _digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def _one_thread():
    # Imported here: flowgraphs share scenarios with sweeps, and run without this package.
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)
