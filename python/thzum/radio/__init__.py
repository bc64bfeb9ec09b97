# SPDX-License-Identifier: GPL-3.0-or-later
"""The radio's side: streams of the RF chains from wherever they come, combiners that switch, calibration."""

from .beam_switch import beam_switch
from .chain_calibration import chain_calibration
from .combiner_control import combiner_control
from .receiver_source import receiver_source
from .setup import ChannelChoice, make_setup
from .transmitter_sink import transmitter_sink

__all__ = [
    "ChannelChoice",
    "beam_switch",
    "chain_calibration",
    "combiner_control",
    "make_setup",
    "receiver_source",
    "transmitter_sink",
]
