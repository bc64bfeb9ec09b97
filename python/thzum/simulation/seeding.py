# SPDX-License-Identifier: GPL-3.0-or-later
"""Where random numbers come from: they depend on what is drawn, not on who draws it or when."""

from enum import IntEnum

import numpy as np


class Purpose(IntEnum):
    """What random numbers are for; part of their seed, so the numbers never change."""

    CHANNELS = 0
    NOISE = 1
    COMBINER = 2
    TRAINING = 3
    SYMBOLS = 4


def seed_sequence(seed, scenario, purpose, block=0):
    """The ``numpy.random.SeedSequence`` of one purpose in one block of a scenario (by its index)."""
    return np.random.SeedSequence(seed, spawn_key=(int(scenario), int(purpose), int(block)))
