# SPDX-License-Identifier: GPL-3.0-or-later
"""Terahertz ultra-massive MIMO receivers: channel estimation and detection by model-driven deep learning."""

from gnuradio import gr as _gr  # noqa: F401  (the block base classes must be loaded before the bindings)

from .thzum_python import *  # noqa: F401,F403
from . import array, bounds, channel, frame, metrics  # noqa: F401
from .mimo_link_source import mimo_link_source  # noqa: F401
from .model import Model  # noqa: F401
from .recording_source import recording_source  # noqa: F401
from .radio import beam_switch, chain_calibration, combiner_control, receiver_source, transmitter_sink  # noqa: F401
