# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the virtual radio for a pilot plan that is at hand."""

import os
import tempfile
from contextlib import contextmanager

from .address import device_arguments, join_arguments
from .setup import ChannelChoice, make_setup


@contextmanager
def completed(device, plan, sample_rate=0.0):
    """Device arguments in which the virtual radio finds the channel of ``plan``; others stay as they are.

    The file that the arguments name is there within the context only: a device reads it when it is made.

    Args:
        device: SoapySDR arguments. Of driver=thzum those that :class:`ChannelChoice` knows choose the channel,
            unless ``setup`` names a file.
        plan: the :class:`~gnuradio.thzum.frame.PilotPlan`.
        sample_rate: in Hz, of which the channel is; 0: as the arguments say.

    Raises:
        ValueError: naming the argument that is wrong.
    """
    arguments = device_arguments(device)
    if arguments["driver"] != "thzum" or "setup" in arguments:
        yield device
        return
    names = ChannelChoice.names()
    if sample_rate:
        arguments.setdefault("rate", repr(float(sample_rate)))
    choice = ChannelChoice.from_texts({name: arguments.pop(name) for name in names if name in arguments})
    handle, path = tempfile.mkstemp(prefix="thzum-radio-")
    os.close(handle)
    try:
        make_setup(plan, choice).save(path)
        yield join_arguments(arguments | {"setup": path})
    finally:
        os.remove(path)
