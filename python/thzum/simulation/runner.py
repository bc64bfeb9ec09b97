# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs an experiment into its results file."""

import os
import platform
import signal
import threading
from contextlib import contextmanager

import numpy as np

from .cells import as_text, probe, run_unit, units
from .cluster import ClusterUnits, cluster
from .plain import plain
from .store import Store
from .tasks import task


class Interrupted(KeyboardInterrupt):
    """The sweep was interrupted; ``done`` of ``total`` units are in the results file."""

    def __init__(self, done, total):
        super().__init__(f"interrupted after {done} of {total} units")
        self.done, self.total = done, total


def default_workers():
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def run(experiment, path, workers=None, scheduler=None, progress=None):
    """Compute what the results file does not hold yet.

    The file is the same, byte for byte, for any number of workers and after any number of interruptions.

    Args:
        experiment: the :class:`~gnuradio.thzum.simulation.Experiment`.
        path: the results file; it is made, continued, or left as it is when complete.
        workers: processes on this machine; 0 or 1 computes in this process and needs no Dask. Default: one
            per processor.
        scheduler: address of a Dask scheduler whose workers compute instead.
        progress: called as ``progress(done, total, lost_bytes)`` before the first unit and after each.

    Raises:
        ValueError: the experiment cannot run, the file belongs to another one, or a worker differs.
        Interrupted: by Ctrl-C; the same call continues.
    """
    workers = _checked_workers(workers, scheduler)
    facts = _facts(experiment)
    total = len(units(experiment))
    with Store(path, experiment, facts) as store:
        lost = store.lost_bytes
        todo = [unit for unit in units(experiment) if unit not in store.results]
        try:
            with _noticed_interrupts() as noticed:
                if progress is not None:
                    progress(total - len(todo), total, lost)
                for unit, results, times in _computed(experiment, facts["probe"], todo, workers, scheduler):
                    store.add(unit, results, times)
                    if progress is not None:
                        progress(len(store.results), total, lost)
                    if noticed:
                        raise KeyboardInterrupt
            store.finish()
        except KeyboardInterrupt:
            raise Interrupted(len(store.results), total) from None


def _computed(experiment, expected, todo, workers, scheduler):
    """Yields (unit, results, times) of the units ``todo`` as they finish."""
    config = as_text(experiment)
    if not todo:
        return
    if scheduler is None and workers <= 1:
        for unit in todo:
            results, seconds = run_unit(config, vars(unit).values())
            yield unit, results, {"worker": platform.node(), "seconds": seconds}
        return
    with cluster(min(workers, len(todo)), scheduler) as client:
        remote = ClusterUnits(client, config, expected)
        remote.check_workers()
        for unit, results, seconds, worker in remote.run(todo):
            yield unit, results, {"worker": worker, "seconds": seconds}


def _facts(experiment):
    """What the results depend on besides the experiment; raises ValueError when it cannot run."""
    scenarios = task(experiment.task).check(experiment)
    return plain("facts", {"numpy": np.__version__, "scenarios": scenarios, "probe": probe(as_text(experiment))})


def _checked_workers(workers, scheduler):
    if workers is None:
        return default_workers()
    if scheduler is not None:
        raise ValueError("workers: expected none beside a scheduler, which has its own")
    if isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or not 0 <= workers <= 4096:
        raise ValueError(f"workers: expected an integer from 0 to 4096, got {workers!r}")
    return int(workers)


@contextmanager
def _noticed_interrupts():
    """A list that is not empty once Ctrl-C was pressed.

    Python drops the KeyboardInterrupt of a signal that arrives while a finaliser runs, and Dask's futures have
    such; what is noted here is not lost.
    """
    noticed = []

    def note(number, frame):
        noticed.append(number)
        before(number, frame)

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield noticed
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield noticed
    finally:
        signal.signal(signal.SIGINT, before)
