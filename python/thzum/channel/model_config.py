# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections ``array`` and ``model`` of a channel configuration."""

from dataclasses import MISSING, asdict, fields, replace

from ..array import SubarrayArray, array_preset, array_presets
from .absorption import LineList, absorption_model
from .hardware.checks import integer, real
from .hybrid_field import HybridFieldChannel
from .keys import mapping, one_of, refuse_unknown
from .presets import preset, presets
from .response import RESOLUTIONS
from .scene import Scene
from .scene.component import complex_number, interval, plain

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
    return {name: plain(value) for name, value in asdict(array).items()}


def model_from(section, array):
    """The model of {"preset": name, ...changes} or {"scene": {...}}, on ``array`` unless that is None.

    It has ``array``, ``resolution`` and ``draw_paths``: a :class:`HybridFieldChannel` or a :class:`Scene`.
    """
    mapping("model", section)
    if "scene" in section:
        refuse_unknown("model", section, ("scene",))
        return _scene_from(section["scene"], array)
    if "preset" not in section:
        raise ValueError(f"model: expected 'preset' or 'scene' among its keys, got {sorted(section)}")
    return _hybrid_field_from(section, array)


def model_to_dict(section, model):
    """Plain data of the model that :func:`model_from` made of ``section``: all parameters but the array's."""
    if isinstance(model, Scene):
        return {"scene": _scene_to_dict(section["scene"], model)}
    parameters = {name: plain(getattr(model, name)) for name in _HYBRID_FIELD}
    return {"preset": section["preset"], **parameters}


def _hybrid_field_from(section, array):
    changes = {key: value for key, value in section.items() if key != "preset"}
    refuse_unknown("model", changes, _HYBRID_FIELD)
    changes = {key: _HYBRID_FIELD[key](f"model.{key}", value) for key, value in changes.items()}
    base = preset(one_of("model.preset", section["preset"], presets()))
    parameters = {name: getattr(base, name) for name in _HYBRID_FIELD}
    try:
        return HybridFieldChannel(array=base.array if array is None else array, **{**parameters, **changes})
    except ValueError as error:
        raise ValueError(f"model.{error}") from None


def _scene_from(section, array):
    given = dict(mapping("model.scene", section))
    if array is not None and "array" in given:
        raise ValueError("model.scene.array: expected the array in one place, got it in the section 'array' as well")
    if array is None:
        if "array" not in given:
            raise ValueError("array: expected one for the scene, got none; name a preset or give its dimensions")
        array = array_from(given["array"])
    given.pop("array", None)
    loss = given.get("path_loss")
    if isinstance(loss, dict) and _has_line_file(loss):
        given["path_loss"] = {**loss, "absorption": _line_list_model(loss["absorption_options"])}
        del given["path_loss"]["absorption_options"]
    try:
        return Scene.from_dict(given, array)
    except ValueError as error:
        raise ValueError(f"model.scene.{error}") from None


def _scene_to_dict(section, scene):
    loss = section.get("path_loss")
    lines = {}
    if isinstance(loss, dict) and _has_line_file(loss):
        lines = {name: plain(loss[name]) for name in ("absorption", "absorption_options")}
        options = dict(loss["absorption_options"])
        lines["absorption_options"] = {name: plain(value) for name, value in options.items()}
        scene = replace(scene, path_loss=replace(scene.path_loss, absorption=None))
    plain_scene = {name: value for name, value in scene.to_dict().items() if name != "array"}
    plain_scene["path_loss"] |= lines
    return plain_scene


def _has_line_file(loss):
    """Whether a path loss takes its absorption from a file of lines."""
    options = loss.get("absorption_options")
    return loss.get("absorption") == "line_list" and isinstance(options, dict) and "file" in options


def _line_list_model(options):
    """The absorption model of {"file": HITRAN records, "frequency_range": [low, high], "molecule": number}."""
    where = "model.scene.path_loss.absorption_options"
    refuse_unknown(where, options, ("file", "frequency_range", "molecule"))
    if not isinstance(options["file"], str):
        raise ValueError(f"{where}.file: expected the path of a file of HITRAN records, got {options['file']!r}")
    molecule = integer(f"{where}.molecule", options.get("molecule", 1), 1)
    try:
        lines = LineList.from_hitran(options["file"], molecule)
        return absorption_model("line_list", lines=lines, frequency_range=options.get("frequency_range"))
    except ValueError as error:
        raise ValueError(f"{where}.{error}") from None


def _complex(name, value):
    return complex_number(name, value.replace(" ", "") if isinstance(value, str) else value)


# Check of each parameter; the model itself checks what involves several.
_HYBRID_FIELD = {
    "n_paths": lambda name, v: integer(name, v, 1, 10000),
    "los_distance": lambda name, v: real(name, v, above=0.0),
    "scatterer_distance": lambda name, v: interval(name, v, above=0.0),
    "delay_spread": lambda name, v: real(name, v, low=0.0),
    "refractive_index": _complex,
    "surface_roughness": lambda name, v: real(name, v, low=0.0),
    "resolution": lambda name, v: one_of(name, v, RESOLUTIONS),
}
