# SPDX-License-Identifier: GPL-3.0-or-later
"""The absorption models by their names."""

from .line_list import LineListModel
from .model import ConstantModel
from .p676 import P676Model
from .polynomial import Kokkoniemi100Model, Kokkoniemi275Model

_MODELS = {
    model.name: model
    for model in (P676Model, ConstantModel, Kokkoniemi275Model, Kokkoniemi100Model, LineListModel)
}


def absorption_models():
    """Names of the absorption models."""
    return sorted(_MODELS)


def absorption_model(name, **options):
    """The :class:`AbsorptionModel` called ``name``.

    Options: ``constant`` takes ``coefficient_per_m``; ``line_list`` takes ``lines`` and ``frequency_range``.
    """
    if name not in _MODELS:
        raise ValueError(f"name: expected one of {absorption_models()}, got {name!r}")
    try:
        return _MODELS[name](**options)
    except TypeError as error:
        raise ValueError(f"options: not those of the model {name!r}: {error}") from None
