# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaussian noise by address: a number is a function of seed, substream and index, not of what was drawn before.

The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3",
SC 2011). Its key is the 64-bit seed, low word first; its counter is (block, low and high word; substream, low
and high word); normal numbers come from its words by the transform of Box and Muller (Ann. Math. Stat. 1958).
The C++ library computes the same numbers in single precision, which agree with these within 2e-6.

Numbering: 16 consecutive blocks of four words make a group of 64 normal numbers. Number 16 j + l of a group
belongs to block l; j = 0, 1 are the two numbers from its words 0 (radius) and 1 (angle), j = 2, 3 those from its
words 2 and 3. A vector unit then writes a group without shuffling it.
"""

from enum import IntEnum

import numpy as np

from .hardware.checks import integer

_LANES = 16
_GROUP = 4 * _LANES
_WORD = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIER = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)

# The largest seed that a C++ option, a double, carries exactly.
MAX_SEED = 2**53 - 1


class Effect(IntEnum):
    """What a sequence is for; an index names the RF chain, oscillator or user, a part divides it further."""

    THERMAL = 1  # index: RF chain; part 0 is I, part 1 is Q
    PHASE_FLOOR = 2  # of the receiver; index: oscillator
    PHASE_WALK = 3
    PHASE_FLICKER = 4  # part: number of the first-order process
    TRANSMIT_PHASE_FLOOR = 5  # of a user; index: user
    TRANSMIT_PHASE_WALK = 6
    TRANSMIT_PHASE_FLICKER = 7


def substream(effect, index=0, part=0):
    """The number of the sequence for ``part`` (below 256) of ``effect`` at the RF chain or user ``index``."""
    effect = integer("effect", effect, 0, 2**24 - 1)
    return (effect << 8 | integer("part", part, 0, 255)) << 32 | integer("index", index, 0, 2**32 - 1)


def philox4x32(counter, key):
    """The four words at every counter.

    Args:
        counter: unsigned integers [..., 4], least significant word first.
        key: two unsigned integers.

    Returns:
        uint32 [..., 4].
    """
    a, b, c, d = np.moveaxis(np.asarray(counter, np.uint64), -1, 0)
    key = [int(word) for word in key]
    for _ in range(10):
        product0, product1 = a * _MULTIPLIER[0], c * _MULTIPLIER[1]
        a, b = (product1 >> _SHIFT) ^ b ^ np.uint64(key[0]), product1 & _WORD
        c, d = (product0 >> _SHIFT) ^ d ^ np.uint64(key[1]), product0 & _WORD
        key = [(word + weyl) & 0xFFFFFFFF for word, weyl in zip(key, _WEYL)]
    return np.stack([a, b, c, d], axis=-1).astype(np.uint32)


def normal(seed, stream, first, count):
    """Standard normal numbers ``first`` to ``first + count - 1`` of a sequence, float64 [count].

    Args:
        seed: 0 to 2^64 - 1.
        stream: the sequence, from :func:`substream`.
        first: index of the first number, 0 to 2^60.
        count: how many.

    Raises:
        ValueError: an argument out of range.
    """
    seed = integer("seed", seed, 0, 2**64 - 1)
    stream = integer("stream", stream, 0, 2**64 - 1)
    first, count = integer("first", first, 0, 2**60), integer("count", count, 0)
    if count == 0:
        return np.zeros(0)
    begin, end = first // _GROUP, -(-(first + count) // _GROUP)
    block = np.arange(begin * _LANES, end * _LANES, dtype=np.uint64)
    counter = np.empty((len(block), 4), np.uint64)
    counter[:, 0], counter[:, 1] = block & _WORD, block >> _SHIFT
    counter[:, 2:] = stream & 0xFFFFFFFF, stream >> 32
    words = philox4x32(counter, (seed & 0xFFFFFFFF, seed >> 32))
    pairs = _box_muller(words.reshape(-1, _LANES, 2, 2))
    numbers = pairs.transpose(0, 2, 3, 1).ravel()
    return numbers[first - begin * _GROUP :][:count]


def complex_normal(seed, effect, index, first, count):
    """Complex normal numbers of unit variance, complex128 [count]: part 0 gives I, part 1 gives Q."""
    i, q = (normal(seed, substream(effect, index, part), first, count) for part in (0, 1))
    return (i + 1j * q) * np.sqrt(0.5)


def _box_muller(words):
    """Two normal numbers [..., 2] for each radius and angle word [..., 2].

    The radius uses 31 bits of its word. The two top bits of the angle's word choose one of four sectors
    around the axes (bit 31: the opposite one, bit 30: a vertical one), the others a place in it.
    """
    radius_word, angle_word = words[..., 0].astype(np.int64), words[..., 1].astype(np.int64)
    radius = np.sqrt(-2 * np.log(((radius_word >> 1) + 0.5) / 2**31))
    low = angle_word & 0x3FFFFFFF
    angle = np.where(low >= 2**29, low - 2**30, low) * (np.pi / 2**31)
    along = radius * np.cos(angle) * np.where(angle_word & 0x80000000, -1.0, 1.0)
    across = radius * np.sin(angle)
    vertical = (angle_word & 0x40000000) != 0
    return np.stack([np.where(vertical, across, along), np.where(vertical, along, across)], axis=-1)
