# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on whole path tables."""

from dataclasses import fields

import numpy as np

from .paths import PathTable


def places(paths, which):
    """The table of the places ``which`` of the last axis L: bool [L], indices or a slice."""
    values = {field.name: getattr(paths, field.name) for field in fields(PathTable)}
    visible = values.pop("visible")
    values = {name: value[..., which] for name, value in values.items()}
    return PathTable(**values, visible=None if visible is None else visible[..., which, :])


def reshaped(paths, shape):
    """The table with ``shape`` instead of its first axis."""
    values = {field.name: getattr(paths, field.name) for field in fields(PathTable)}
    return PathTable(**{name: v if v is None else v.reshape(*shape, *v.shape[1:]) for name, v in values.items()})


def concatenated(tables):
    """One table of several, along the first axis."""
    table = {}
    for field in fields(PathTable):
        values = [getattr(one, field.name) for one in tables]
        table[field.name] = None if values[0] is None else np.concatenate(values)
    return PathTable(**table)
