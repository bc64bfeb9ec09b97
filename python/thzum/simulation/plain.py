# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings as plain data, which a results file can hold."""

import json

import numpy as np


def plain(name, value):
    """``value`` as JSON gives it back: NumPy numbers as numbers, tuples as lists, complex numbers as text.

    Raises:
        ValueError: it holds something else than names, numbers, text, lists and dictionaries.
    """
    try:
        return json.loads(json.dumps(value, default=_plain_number, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: expected plain numbers, text, lists and dictionaries, got {error}") from None


def _plain_number(value):
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, complex):
        return str(value).strip("()")
    raise TypeError(f"{type(value).__name__}")
