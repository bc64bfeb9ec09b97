# SPDX-License-Identifier: GPL-3.0-or-later
"""Units computed by a Dask cluster, on this machine or elsewhere."""

import logging
import signal
import threading
from collections import deque
from concurrent.futures import CancelledError
from contextlib import contextmanager

# Units under way per thread of the cluster: enough that none waits, few to give up when interrupted.
_AHEAD = 3
# Seconds until a scheduler has to have a worker, and between looks at who is still there.
_PATIENCE = 30
_GLANCE = 2


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
    options = dict(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")
    with _ignored_interrupts():
        local = distributed.LocalCluster(**options, silence_logs=logging.CRITICAL)
    with local, distributed.Client(local, set_as_default=False) as client:
        yield client


class ClusterUnits:
    """Computes units on the workers of a ``client``.

    Args:
        client: of :func:`cluster`.
        config: the experiment as :func:`~gnuradio.thzum.simulation.cells.as_text` writes it.
        expected: what :func:`~gnuradio.thzum.simulation.cells.probe` has to give on every worker.
    """

    def __init__(self, client, config, expected):
        self._client, self._config, self._expected = client, config, expected
        self._checked = set()

    def check_workers(self):
        """Check every worker there is; raises WorkerMismatch with what differs."""
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except _distributed().TimeoutError:
            raise ValueError(f"scheduler: expected a worker within {_PATIENCE} s, got none; start some") from None
        self._check(self._client.nthreads())

    def run(self, todo):
        """Compute the units ``todo``; yields (unit, results, seconds, worker) as they finish.

        Workers may come and go: one that came later is checked before its first result counts.
        """
        waiting, names = deque(todo), {}
        finished = _distributed().as_completed(loop=self._client.loop)
        self._fill(finished, waiting, names)
        for future in finished:
            unit = names.pop(future.key)
            results, seconds, worker = _result(future)
            counts = worker in self._checked or self._check([worker])
            if not counts:
                waiting.append(unit)
            self._fill(finished, waiting, names)
            if counts:
                yield unit, results, seconds, worker

    def _fill(self, finished, waiting, names):
        threads = sum(self._client.nthreads().values())
        while waiting and len(names) < _AHEAD * max(1, threads):
            unit = waiting.popleft()
            indices = tuple(vars(unit).values())
            future = self._client.submit(_on_worker(), "run_unit", self._config, indices, pure=False)
            names[future.key] = unit
            finished.add(future)

    def _check(self, workers):
        """Whether all of the ``workers`` gave the numbers expected; one that left meanwhile did not."""
        pinned = dict(allow_other_workers=False, pure=False)
        asked = {
            address: self._client.submit(_on_worker(), "probe", self._config, workers=[address], **pinned)
            for address in workers
        }
        for address, future in asked.items():
            if not self._finishes(future, address):
                continue
            try:
                self._compare(address, _result(future)[0])
            except (ValueError, RuntimeError) as error:
                raise WorkerMismatch(f"worker {address}: {error}") from None
            self._checked.add(address)
        return self._checked >= set(workers)

    def _finishes(self, future, address):
        """Wait for a future that only the worker at ``address`` can finish; False when that has left."""
        while not future.done():
            try:
                future.exception(timeout=_GLANCE)
            except _distributed().TimeoutError:
                if address not in self._client.nthreads():
                    return False
            except CancelledError:
                break
        return True

    def _compare(self, address, found):
        for name, expected in self._expected.items():
            if found.get(name) != expected:
                raise ValueError(
                    f"expected the {name} of this machine, {expected}, got {found.get(name)}; workers need the "
                    "same version of the module, its models and NumPy, and the same kind of processor"
                )


def _result(future):
    distributed = _distributed()
    try:
        return future.result()
    except ModuleNotFoundError as error:
        raise WorkerMismatch(
            f"expected gnuradio.thzum and what it needs, got {error}; start the worker where the module is "
            "installed, for instance by ./run exec dask worker ADDRESS"
        ) from None
    except distributed.KilledWorker as error:
        text = f"a unit ended each worker that tried it, for want of memory perhaps: {error}"
        raise ChildProcessError(text) from None
    except CancelledError:
        raise ConnectionError("scheduler: the connection was lost; the same command continues") from None


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
