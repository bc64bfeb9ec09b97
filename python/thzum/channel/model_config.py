# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections ``array`` and ``model`` of a channel configuration."""

from dataclasses import MISSING, asdict, fields, replace

import numpy as np

from ..array import SubarrayArray, array_preset, array_presets
from .hardware.checks import integer, real
from .hybrid_field import HybridFieldChannel
from .keys import mapping, one_of, refuse_unknown
from .presets import preset, presets

_DIMENSIONS = tuple(field.name for field in fields(SubarrayArray) if field.default is MISSING)
_ARRAY_KEYS = tuple(field.name for field in fields(SubarrayArray))


def array_from(section, base=None):
    """The array of a configuration.

    Args:
        section: a preset's name, {"preset": name, ...changes}, all of an array's parameters, or changes of ``base``.
        base: the model's own :class:`SubarrayArray`, or None.
    """
    if isinstance(section, SubarrayArray):
        return section
    if isinstance(section, str):
        return array_preset(one_of("array", section, array_presets()))
    given = dict(mapping("array", section))
    refuse_unknown("array", given, (*_ARRAY_KEYS, "preset"))
    name = given.pop("preset", None)
    for key in ("sub_rows", "sub_cols", "rows", "cols"):
        if key in given:
            given[key] = integer(f"array.{key}", given[key], 1)
    for key in ("carrier_frequency", "spacing"):
        if key in given:
            given[key] = real(f"array.{key}", given[key], above=0.0)
    if "gap" in given:
        given["gap"] = real("array.gap", given["gap"], low=0.0)
    if name is not None:
        base = array_preset(one_of("array.preset", name, array_presets()))
    elif base is None or set(_DIMENSIONS) <= set(given):
        missing = [key for key in _DIMENSIONS if key not in given]
        if missing:
            raise ValueError(f"array.{missing[0]}: expected a number, got none; give it or name a preset")
        base = SubarrayArray(**{key: given[key] for key in _DIMENSIONS})
    try:
        return replace(base, **given)
    except ValueError as error:
        raise ValueError(f"array.{error}") from None


def array_to_dict(array):
    """Plain data of an array, all parameters written out."""
    return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(array).items()}


def hybrid_field_from(section, array):
    """The :class:`HybridFieldChannel` of {"preset": name, ...changes}, on ``array`` if that is not None."""
    changes = {key: value for key, value in section.items() if key != "preset"}
    refuse_unknown("model", changes, _HYBRID_FIELD)
    changes = {key: _HYBRID_FIELD[key](f"model.{key}", value) for key, value in changes.items()}
    base = preset(one_of("model.preset", section.get("preset"), presets()))
    parameters = {name: getattr(base, name) for name in _hybrid_field_names(base)}
    try:
        return HybridFieldChannel(array=base.array if array is None else array, **{**parameters, **changes})
    except ValueError as error:
        raise ValueError(f"model.{error}") from None


def hybrid_field_to_dict(section, model):
    """Plain data of a :class:`HybridFieldChannel`, all parameters written out."""
    parameters = {name: _plain(getattr(model, name)) for name in _hybrid_field_names(model)}
    return {"preset": section["preset"], **parameters}


def _hybrid_field_names(model):
    return [name for name in _HYBRID_FIELD if hasattr(model, name)]


def _distance_range(name, value):
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ValueError(f"{name}: expected [min, max] in m, got {value!r}")
    low, high = (real(name, v, above=0.0) for v in value)
    if low > high:
        raise ValueError(f"{name}: expected min <= max, got {value!r}")
    return low, high


def _complex(name, value):
    """A complex number from a number, [real, imaginary] or text such as "2.24-0.025j"."""
    try:
        if isinstance(value, (list, tuple)) and len(value) == 2:
            value = complex(*value)
        value = complex(value.replace(" ", "") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        value = complex(np.nan)
    if not np.isfinite(value):
        raise ValueError(f'{name}: expected a complex number as [real, imaginary] or "a+bj", got {value!r}')
    return value


def _plain(value):
    if isinstance(value, complex):
        return [value.real, value.imag]
    return list(value) if isinstance(value, tuple) else value


# Check of each parameter; the model itself checks what involves several.
_HYBRID_FIELD = {
    "n_paths": lambda name, v: integer(name, v, 1, 10000),
    "los_distance": lambda name, v: real(name, v, above=0.0),
    "scatterer_distance": _distance_range,
    "delay_spread": lambda name, v: real(name, v, low=0.0),
    "refractive_index": _complex,
    "surface_roughness": lambda name, v: real(name, v, low=0.0),
    "resolution": lambda name, v: one_of(name, v, ("subarray", "element")),
}
