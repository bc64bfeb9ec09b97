# SPDX-License-Identifier: GPL-3.0-or-later
"""Message dictionaries of other blocks as Python values; whatever comes, nothing worse than ValueError follows."""

import math
import numbers

import numpy as np
import pmt


def entries(message):
    """{key: value} of a PMT dictionary with Python and NumPy values; ValueError for anything else."""
    try:
        found = pmt.to_python(message)
    except Exception as error:  # whatever a foreign message makes of the conversion
        raise ValueError(f"message: expected a dictionary that Python can hold, got {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"message: expected a dictionary, got {type(found).__name__}")
    return found


def number(found, key, default=math.nan):
    """The finite number under ``key`` as a float, else ``default``."""
    value = found.get(key, default)
    if isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return default


def vector(found, key, length=None):
    """The real numbers under ``key`` as float64 [n]; ValueError if there are none, or not ``length``."""
    values = np.asarray(found.get(key))
    if values.dtype.kind not in "iuf" or values.ndim != 1 or length not in (None, len(values)):
        wanted = "a vector of numbers" if length is None else f"{length} numbers"
        raise ValueError(f"{key}: expected {wanted}, got {values.dtype} of shape {values.shape}")
    return values.astype(float)


class Refusals:
    """Counts what a block refused and logs the first."""

    def __init__(self, log):
        self._log, self.count = log, 0

    def entries(self, message):
        """:func:`entries` of a message, None of one that is refused."""
        try:
            return entries(message)
        except ValueError as error:
            self.add(error)
            return None

    def add(self, error):
        """One more, refused because of ``error``."""
        self.count += 1
        if self.count == 1:
            self._log.warn(f"message dropped: {error}; further ones are counted only")
