# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: the pilot plan, what users send, a reference receiver and recordings."""

from .beams import choose_beams
from .calibration import chain_gains
from .codebook import dft_codebook, visible_directions
from .constellation import (
    bits_per_symbol,
    bits_to_indices,
    constellation,
    constellation_names,
    indices_to_bits,
)
from .ldpc import ldpc_codes, ldpc_decoder, ldpc_file
from .plan import PilotPlan
from .receiver import ReceivedFrame, despread, effective_channel, receive_frame, serving_beams
from .transmitter import (
    data_bits,
    frame_combiner,
    map_data,
    map_indices,
    receive_over_the_air,
    transmit_frame,
)

__all__ = [
    "PilotPlan",
    "ReceivedFrame",
    "bits_per_symbol",
    "bits_to_indices",
    "chain_gains",
    "choose_beams",
    "constellation",
    "constellation_names",
    "data_bits",
    "despread",
    "dft_codebook",
    "effective_channel",
    "frame_combiner",
    "indices_to_bits",
    "ldpc_codes",
    "ldpc_decoder",
    "ldpc_file",
    "map_data",
    "map_indices",
    "receive_frame",
    "receive_over_the_air",
    "serving_beams",
    "transmit_frame",
    "visible_directions",
]
