# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample streams of the RF chains from wherever they come: a radio, another process, a recording."""

from .receiver_source import receiver_source
from .setup import ChannelChoice, make_setup
from .transmitter_sink import transmitter_sink

__all__ = ["ChannelChoice", "make_setup", "receiver_source", "transmitter_sink"]
