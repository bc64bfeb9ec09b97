# SPDX-License-Identifier: GPL-3.0-or-later
"""Kinds of experiment: one module each, which holds ``TASK``, an object of a subclass of :class:`Task`."""

from importlib import import_module

#: Modules of this package that hold a task.
_TASKS = ("estimate", "detect")


def tasks():
    """Names of the tasks."""
    return list(_TASKS)


def task(name):
    """The :class:`~gnuradio.thzum.simulation.tasks.base.Task` called ``name``."""
    if name not in _TASKS:
        raise ValueError(f"task: expected one of {tasks()}, got {name!r}")
    return import_module(f".{name}", __name__).TASK
