# SPDX-License-Identifier: GPL-3.0-or-later
"""Units computed by a Dask cluster, on this machine or elsewhere."""

import logging
import signal
import threading
from contextlib import contextmanager

# Units under way per thread of the cluster: enough that none waits, few to give up when interrupted.
_AHEAD = 3
_PATIENCE = 30  # seconds until a scheduler has to have a worker


class WorkerMismatch(ValueError):
    """A worker that cannot take part, or computes other numbers."""


@contextmanager
def cluster(workers, scheduler=None):
    """A client of the scheduler at an address, or of ``workers`` processes of this machine, one thread each."""
    distributed = _distributed()
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ValueError(
                f"scheduler: expected the address of a Dask scheduler that answers, got {scheduler!r}: {error}"
            ) from None
        with client:
            yield client
        return
    options = dict(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None)
    with _ignored_interrupts():
        local = distributed.LocalCluster(**options, silence_logs=logging.CRITICAL)
    with local, distributed.Client(local, set_as_default=False) as client:
        yield client


class ClusterUnits:
    """Computes units on the workers of a ``client``.

    Args:
        client: of :func:`cluster`.
        config: the experiment's dictionary.
        expected: what :func:`~gnuradio.thzum.simulation.cells.probe` has to give on every worker.
    """

    def __init__(self, client, config, expected):
        self._client, self._config, self._expected = client, config, expected
        self._checked = set()

    def check_workers(self):
        """Check every worker there is; raises WorkerMismatch with what differs."""
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            raise ValueError(f"scheduler: expected a worker within {_PATIENCE} s, got none; start some") from None
        self._check(set(self._client.nthreads()))

    def run(self, todo):
        """Compute the units ``todo``; yields (unit, results, seconds, worker) as they finish."""
        as_completed = _distributed().as_completed
        waiting, names = iter(todo), {}
        finished = as_completed(loop=self._client.loop)
        self._fill(finished, waiting, names)
        for future in finished:
            unit = names.pop(future.key)
            results, seconds, worker = self._result(future)
            self._check({worker} - self._checked)
            self._fill(finished, waiting, names)
            yield unit, results, seconds, worker

    def _fill(self, finished, waiting, names):
        threads = sum(self._client.nthreads().values())
        while len(names) < _AHEAD * max(1, threads):
            unit = next(waiting, None)
            if unit is None:
                return
            indices = tuple(vars(unit).values())
            future = self._client.submit(_on_worker(), "run_unit", self._config, indices, pure=False)
            names[future.key] = unit
            finished.add(future)

    def _result(self, future):
        try:
            return future.result()
        except ModuleNotFoundError as error:
            raise WorkerMismatch(_no_module(error)) from None
        except _distributed().KilledWorker as error:
            raise RuntimeError(f"scheduler: a unit ended the workers that tried it, perhaps out of memory: {error}")

    def _check(self, workers):
        pinned = dict(allow_other_workers=False, pure=False)
        asked = {
            address: self._client.submit(_on_worker(), "probe", self._config, workers=[address], **pinned)
            for address in sorted(workers)
        }
        for address, future in asked.items():
            try:
                found, _, _ = future.result()
            except ModuleNotFoundError as error:
                raise WorkerMismatch(f"worker {address}: {_no_module(error)}") from None
            except (OSError, RuntimeError, ValueError) as error:
                raise WorkerMismatch(f"worker {address}: expected the results of this machine, got {error}") from None
            self._compare(address, found)
            self._checked.add(address)

    def _compare(self, address, found):
        for name in self._expected:
            if found.get(name) != self._expected[name]:
                raise WorkerMismatch(
                    f"worker {address}: expected the {name} of this machine, {self._expected[name]}, got "
                    f"{found.get(name)}; workers need the same version of the module, its models and NumPy and "
                    "the same kind of processor"
                )


def _on_worker():
    """The function that workers call.

    It is made here so that Dask sends its code, not its name: the scheduler need not have this module, and
    a worker without it says so.
    """

    def call(name, *arguments):
        from distributed import get_worker
        from gnuradio.thzum.simulation import cells

        answer = getattr(cells, name)(*arguments)
        worker = get_worker().address
        return (*answer, worker) if name == "run_unit" else (answer, None, worker)

    return call


def _no_module(error):
    return (
        f"expected gnuradio.thzum to be importable, got {error}; start the worker where the module is installed, "
        "for instance by ./run exec dask worker ADDRESS"
    )


def _distributed():
    try:
        import distributed
    except ImportError:
        raise ValueError(
            "workers: more than one process needs Dask, which is not installed; pip install distributed, or use "
            "--workers 1"
        ) from None
    return distributed


@contextmanager
def _ignored_interrupts():
    """Processes started here ignore Ctrl-C, which a terminal sends to all: this process ends them in order."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
