# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecular absorption of air against frequency: several published models behind one interface.

Every model has a range of frequencies (and some of atmospheres); outside it ValueError is raised, nothing is
extrapolated. The models disagree by a factor of two and more between the lines, where the continuum of water
vapour dominates: name the model with any result.
"""

from .atmosphere import Atmosphere
from .line_list import LineList
from .model import AbsorptionModel
from .plot import plot_absorption
from .registry import absorption_model, absorption_models

__all__ = [
    "AbsorptionModel",
    "Atmosphere",
    "LineList",
    "absorption_model",
    "absorption_models",
    "plot_absorption",
]
