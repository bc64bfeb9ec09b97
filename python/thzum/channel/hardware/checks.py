# SPDX-License-Identifier: GPL-3.0-or-later
"""Checked parameters of the hardware models."""

import numbers

import numpy as np


def real(name, value, low=None, high=None, above=None):
    """``value`` as a finite float with low <= value <= high and value > above, where these are given."""
    texts = (("at least", low), ("at most", high), ("above", above))
    limits = [f"{text} {limit:g}" for text, limit in texts if limit is not None]
    valid = isinstance(value, numbers.Real) and not isinstance(value, (bool, np.bool_))
    if valid:
        valid = np.isfinite(value)
        valid = valid and (low is None or value >= low) and (high is None or value <= high)
        valid = valid and (above is None or value > above)
    if not valid:
        wanted = " and ".join(limits) or "that is finite"
        raise ValueError(f"{name}: expected a number {wanted}, got {value!r}")
    return float(value)


def integer(name, value, low, high=None):
    """``value`` as an integer of at least ``low`` and at most ``high``."""
    valid = isinstance(value, numbers.Integral) and not isinstance(value, (bool, np.bool_))
    if not (valid and value >= low and (high is None or value <= high)):
        limits = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise ValueError(f"{name}: expected an integer {limits}, got {value!r}")
    return int(value)


def boolean(name, value):
    """``value`` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def complex_array(name, value, shape="[..., n]", ndim=None):
    """``value`` as a finite complex array: complex64 stays, anything else numeric becomes complex128."""
    array = np.asarray(value)
    if array.dtype.kind not in "iufc":
        raise ValueError(f"{name}: expected complex samples, got dtype {array.dtype}")
    if array.ndim < 1 or (ndim is not None and array.ndim != ndim):
        raise ValueError(f"{name}: expected an array {shape}, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite samples, got NaN or infinity; remove them first")
    return array if array.dtype == np.complex64 else array.astype(np.complex128)
