# SPDX-License-Identifier: GPL-3.0-or-later
"""From the Python channel model, where the presets stand, to its C++ twin."""

from ..thzum_python import hybrid_field_model, hybrid_field_parameters
from .hybrid_field import HybridFieldChannel
from .presets import preset


def parameters(channel):
    """Parameters of the C++ model: ``thzum.hybrid_field_parameters``.

    Args:
        channel: a :class:`~gnuradio.thzum.channel.HybridFieldChannel` or the name of a channel preset.

    >>> parameters("thz300_aosa4x256").n_antennas
    1024
    """
    if isinstance(channel, str):
        channel = preset(channel)
    if not isinstance(channel, HybridFieldChannel):
        got = type(channel).__name__
        raise ValueError(f"channel: expected a HybridFieldChannel or a preset's name, got {got}")
    array = channel.array
    # Waves are separable inside the C++ model's subarrays; subarrays of one element leave nothing to approximate,
    # and the order of the antennas stays.
    by_element = channel.resolution == "element"
    origins = array.element_positions() if by_element else array.subarray_origins()
    return hybrid_field_parameters(
        n_subarrays=array.n_antennas if by_element else array.n_subarrays,
        rows=1 if by_element else array.rows,
        cols=1 if by_element else array.cols,
        origins=origins.ravel().tolist(),
        spacing=array.spacing,
        carrier_frequency=array.carrier_frequency,
        wavelength=array.wavelength,
        rayleigh_distance=array.rayleigh_distance(),
        n_paths=channel.n_paths,
        los_distance=channel.los_distance,
        scatterer_min=channel.scatterer_distance[0],
        scatterer_max=channel.scatterer_distance[1],
        delay_spread=channel.delay_spread,
        refractive_index=channel.refractive_index,
        surface_roughness=channel.surface_roughness,
    )


def native_model(channel):
    """The C++ model ``thzum.hybrid_field_model`` of a channel or of the preset of that name."""
    return hybrid_field_model(parameters(channel))
