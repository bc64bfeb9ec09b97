# SPDX-License-Identifier: GPL-3.0-or-later
"""What the parts of a scene share: dictionaries in and out, and checks of their parameters."""

from dataclasses import fields

import numpy as np

from ..hardware.checks import real
from ..keys import mapping, refuse_unknown


class Component:
    """A frozen dataclass of plain parameters that is read from and written to a dictionary."""

    @classmethod
    def from_dict(cls, config):
        """The component of a dictionary, as read from YAML or JSON.

        Raises:
            ValueError: an unknown key, one that is missing, or a value out of range.
        """
        mapping(cls.__name__, config)
        refuse_unknown(cls.__name__, config, [field.name for field in fields(cls)])
        try:
            return cls(**config)
        except TypeError as error:
            raise ValueError(f"{cls.__name__}: {error}") from None

    def to_dict(self):
        """The dictionary from which :meth:`from_dict` makes the same component."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    def _set(self, **values):
        """Store checked values in a frozen dataclass."""
        for name, value in values.items():
            object.__setattr__(self, name, value)


def plain(value):
    """``value`` in the types of JSON: lists for tuples, [real, imaginary] for complex numbers."""
    if isinstance(value, Component):
        return value.to_dict()
    if isinstance(value, complex):
        return [value.real, value.imag]
    if isinstance(value, (tuple, list, np.ndarray)):
        return [plain(item) for item in value]
    return value


def probability(name, value):
    """``value`` as a float from 0 to 1."""
    return real(name, value, low=0.0, high=1.0)


def interval(name, value, low=None, above=None):
    """``value`` as (min, max), two floats with min <= max."""
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 2:
        raise ValueError(f"{name}: expected [min, max], got {value!r}")
    first, last = (real(name, item, low=low, above=above) for item in value)
    if first > last:
        raise ValueError(f"{name}: expected min <= max, got {value!r}")
    return first, last


def point(name, value):
    """``value`` as (x, y, z), three finite floats."""
    if not isinstance(value, (tuple, list, np.ndarray)) or len(value) != 3:
        raise ValueError(f"{name}: expected [x, y, z] in m, got {value!r}")
    return tuple(real(name, item) for item in value)


def complex_number(name, value):
    """``value`` as a complex from a number, [real, imaginary] or text such as "2.24-0.025j"."""
    try:
        pair = isinstance(value, (tuple, list)) and len(value) == 2
        number = complex(*value) if pair else complex(value)
    except (TypeError, ValueError):
        number = complex(np.nan)
    if not np.isfinite(number):
        raise ValueError(f'{name}: expected a complex number, [real, imaginary] or "a+bj", got {value!r}')
    return number
