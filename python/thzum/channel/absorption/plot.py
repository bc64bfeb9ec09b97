# SPDX-License-Identifier: GPL-3.0-or-later
"""Attenuation against frequency, drawn into the axes given or a new figure; no display needed."""

import numpy as np

from ...plots import COLOURS, new_figure
from .atmosphere import Atmosphere
from .model import AbsorptionModel
from .registry import absorption_model

# Okabe and Ito's yellow is too pale for a thin line on white.
_LINES = tuple(colour for colour in COLOURS if colour != "#F0E442")


def plot_absorption(
    frequency=None, models=("p676", "kokkoniemi100", "kokkoniemi275"), atmosphere=Atmosphere(), axes=None
):
    """Draw the attenuation of ``models`` in dB/km against frequency, each over the range it holds for.

    Args:
        frequency: increasing, in Hz; default 1 to 1000 GHz in steps of 0.25 GHz.
        models: names of absorption models or :class:`AbsorptionModel` objects.
        atmosphere: the :class:`Atmosphere`.
        axes: where to draw; None makes a new figure.

    Returns the figure. Raises ValueError for a model that holds at none of the frequencies.
    """
    frequency = np.arange(4, 4001) * 0.25e9 if frequency is None else frequency
    frequency = np.atleast_1d(np.asarray(frequency, float))
    if axes is None:
        axes = new_figure(9.0, 5.0).subplots()
    for k, model in enumerate(models):
        model = model if isinstance(model, AbsorptionModel) else absorption_model(model)
        low, high = model.frequency_range
        covered = frequency[(frequency >= low) & (frequency <= high)]
        if not covered.size:
            span = f"{low / 1e9:g} to {high / 1e9:g} GHz"
            raise ValueError(f"frequency: expected some from {span} for the model {model.name!r}")
        level = model.specific_attenuation(covered, atmosphere)
        axes.semilogy(covered / 1e9, level, label=model.name, linewidth=1.2, color=_LINES[k % len(_LINES)])
    axes.set(
        xlabel="frequency (GHz)",
        ylabel="attenuation (dB/km)",
        title=f"{atmosphere.temperature - 273.15:.1f} \N{DEGREE SIGN}C, "
        f"{atmosphere.dry_pressure:g} hPa of dry air, "
        f"{atmosphere.vapour_density:g} g/m³ of water vapour",
    )
    axes.grid(which="major", alpha=0.3)
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    return axes.figure
