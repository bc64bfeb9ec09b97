# SPDX-License-Identifier: GPL-3.0-or-later
"""Steering vectors against closed forms and the channel response, and the code books made of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import fresnel

from gnuradio.thzum.array import (
    SPEED_OF_LIGHT,
    WAVEFRONTS,
    SubarrayArray,
    advance,
    array_preset,
    array_presets,
    far_field_codebook,
    hybrid_field_codebook,
    polar_codebook,
    steering_vectors,
    steering_vectors_at,
)
from gnuradio.thzum.channel import PathTable, response
from gnuradio.thzum.channel.response import subarray_rays
from gnuradio.thzum.frame import dft_codebook

AOSA = array_preset("thz300_aosa4x256")
PANEL = array_preset("thz300_panel1024")
FREQUENCIES = np.array([285e9, 300e9, 315e9])


def direct(array, point, frequency, exact=False):
    """Spherical wave from ``point`` [3] of the array frame, element by element, in the plainest way."""
    elements = array.element_positions().reshape(-1, 2)
    out = []
    for x, y in elements:
        d = np.sqrt((point[0] - x) ** 2 + (point[1] - y) ** 2 + point[2] ** 2)
        out.append(np.exp(-2j * np.pi * frequency / SPEED_OF_LIGHT * (d - np.linalg.norm(point))))
        if exact:
            out[-1] *= np.linalg.norm(point) / d
    return np.array(out)


def point_of(distance, elevation, azimuth):
    across = np.sin(elevation)
    return distance * np.array([across * np.cos(azimuth), across * np.sin(azimuth), np.cos(elevation)])


@pytest.mark.parametrize("frequency", [None, 285e9])
def test_spherical_and_exact_waves_are_those_of_the_distances(frequency):
    point = point_of(1.7, 0.6, -2.2)
    for wavefront in ("spherical", "exact"):
        a = steering_vectors(AOSA, 0.6, -2.2, 1.7, wavefront, frequency)
        expected = direct(AOSA, point, frequency or AOSA.carrier_frequency, exact=wavefront == "exact")
        # the plain form loses some of 1e3 turns' digits: 2 pi 1e3 eps
        np.testing.assert_allclose(a, expected, atol=1e-11)


def test_planar_waves_are_those_of_the_direction_cosines():
    x, y = AOSA.element_positions().reshape(-1, 2).T
    phase = 2 * np.pi / AOSA.wavelength * np.sin(0.5) * (np.cos(1.0) * x + np.sin(1.0) * y)
    np.testing.assert_allclose(steering_vectors(AOSA, 0.5, 1.0), np.exp(1j * phase), atol=1e-11)
    np.testing.assert_array_equal(steering_vectors(AOSA, 0.5, 1.0), steering_vectors(AOSA, 0.5, 1.0, 3.0, "planar"))
    for wavefront in WAVEFRONTS:
        far = steering_vectors(AOSA, 0.5, 1.0, np.inf, wavefront)
        np.testing.assert_allclose(far, np.exp(1j * phase), atol=1e-11)


def test_the_origin_is_the_first_element_and_order_is_subarray_row_column():
    ahead = advance(AOSA, np.pi / 2, 0.0).reshape(4, 16, 16)
    assert ahead[0, 0, 0] == 0
    np.testing.assert_allclose(np.diff(ahead, axis=2), 0.2 * AOSA.wavelength, atol=1e-14)
    np.testing.assert_allclose(np.diff(ahead, axis=1), 0, atol=1e-14)
    np.testing.assert_allclose(ahead[1, 0, 0] - ahead[0, 0, -1], 56 * AOSA.wavelength, atol=1e-14)


@pytest.mark.parametrize("name", array_presets())
def test_spherical_waves_become_planar_as_one_over_the_distance(name):
    array = array_preset(name)
    diagonal = np.hypot(*array.aperture)
    towards = np.arctan2(array.aperture[1], array.aperture[0])
    distance = array.rayleigh_distance() * 2.0 ** np.arange(1, 12)
    # Seen from broadside of the centre, the corners lag by pi D^2 / (4 lambda d): at the Rayleigh distance pi / 8.
    elevation = np.arctan2(0.5 * diagonal, distance)
    spherical = advance(array, elevation, towards, np.hypot(distance, 0.5 * diagonal))
    corner = spherical[:, -1]
    assert np.abs(corner).max() < 1e-12  # both ends of the diagonal are equally far
    lag = 2 * np.pi / array.wavelength * (spherical.max(axis=1) - corner)
    off_centre = np.hypot(*(array.element_positions().reshape(-1, 2) - 0.5 * array.aperture).T).min()
    expected = np.pi * diagonal**2 / (4 * array.wavelength * distance) * (1 - (2 * off_centre / diagonal) ** 2)
    # next order: (D / 2 d)^2 / 4 of it
    np.testing.assert_allclose(lag, expected, rtol=(diagonal / distance[0]) ** 2 / 16 + 1e-6)


@pytest.mark.parametrize("direction", [(0.0, 0.0), (0.7, 0.4), (-1.1, 2.0)])
def test_phase_error_of_the_plane_wave_halves_with_every_doubling(direction):
    distance = AOSA.rayleigh_distance() * 2.0 ** np.arange(1, 11)
    near = advance(AOSA, *direction, distance, "spherical")
    error = np.abs(near - advance(AOSA, *direction)).max(axis=1)
    slope = np.diff(np.log2(error))
    # The first neglected term is smaller by D / d < lambda / (2 D) < 1 %, so the slope is -1 within 0.01.
    np.testing.assert_allclose(slope, -1, atol=0.01)


def test_subarray_waves_err_by_the_subarray_alone():
    size = np.hypot(15, 15) * AOSA.spacing * AOSA.wavelength
    for distance in (0.5, 2.0, 8.0):
        error = advance(AOSA, 0.6, 1.1, distance, "subarray") - advance(AOSA, 0.6, 1.1, distance, "spherical")
        # The nearest centre is the whole aperture of 8.4 cm nearer at most; 5 % for the third order.
        bound = size**2 / 8 / (distance - 0.084) * 1.05
        assert 0.1 * bound < np.abs(error).max() < bound


def paths_of(elevation, azimuth, distance, near):
    values = dict(elevation=elevation, azimuth=azimuth, distance=distance)
    values = {name: np.array([[value]], float) for name, value in values.items()}
    one = np.ones((1, 1))
    return PathTable(amplitude=one, delay=0 * one, near=one * near > 0, **values)


@settings(max_examples=30, deadline=None)
@given(
    grid=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    elevation=st.floats(-1.3, 1.3),
    azimuth=st.floats(-3.1, 3.1),
    distance=st.floats(0.3, 50),
)
def test_steering_vectors_agree_with_the_channel_response(grid, size, elevation, azimuth, distance):
    array = SubarrayArray(*grid, *size, carrier_frequency=300e9, spacing=0.4, gap=9.0)
    for wavefront, near, resolution in (
        ("planar", False, "element"),
        ("planar", False, "subarray"),
        ("spherical", True, "element"),
        ("subarray", True, None),
    ):
        table = paths_of(elevation, azimuth, distance, near)
        if resolution:
            options = dict(resolution=resolution, normalise=False, dtype=np.complex128)
            h = response(array, table, frequency=FREQUENCIES, **options)[0]
        else:  # the channel's fast evaluation also bends the wave inside a subarray
            rays = subarray_rays(array, table)
            flat = replace(rays, curvature=np.zeros_like(rays.curvature))
            waves = [flat.waves(array, table, f).sum() for f in FREQUENCIES]
            h = np.reshape(waves, (len(FREQUENCIES), -1))
        a = steering_vectors(array, elevation, azimuth, distance, wavefront, FREQUENCIES)
        # response subtracts distances of up to 5e4 turns
        np.testing.assert_allclose(a, h, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.lists(st.integers(0, 3), max_size=3),
    n_frequencies=st.integers(0, 3),
    wavefront=st.sampled_from(WAVEFRONTS),
    seed=st.integers(0, 99),
)
def test_leading_shapes_and_frequencies(shape, n_frequencies, wavefront, seed):
    array = SubarrayArray(1, 2, 2, 3, 300e9, 0.5, 4.0)
    rng = np.random.default_rng(seed)
    elevation, azimuth, distance = rng.uniform(-1, 1, shape), rng.uniform(-3, 3, shape), rng.uniform(1, 9, shape)
    frequency = FREQUENCIES[:n_frequencies] if n_frequencies else None
    a = steering_vectors(array, elevation, azimuth, distance, wavefront, frequency)
    assert a.dtype == np.complex128 and a.shape == (*shape, *([n_frequencies] if n_frequencies else []), 12)
    if wavefront != "exact":
        np.testing.assert_allclose(np.sum(np.abs(a) ** 2, axis=-1), 12)
    if n_frequencies and a.size:
        one = steering_vectors(array, elevation, azimuth, distance, wavefront, frequency[-1])
        np.testing.assert_array_equal(a[..., -1, :], one)


def test_exact_amplitudes_collect_the_power_that_passes_the_aperture():
    array = SubarrayArray.panel(65, 65, 300e9, spacing=0.25)
    side = array.spacing * array.wavelength * 65
    height = 2 * side
    point = np.array([0.5 * array.aperture[0], 0.5 * array.aperture[1], height])
    a = steering_vectors_at(array, point, "exact")
    # integral of 1 / d^2 over a square, d0^2 = |point|^2: by a fine midpoint rule
    grid = (np.arange(2000) + 0.5) / 2000 * side - 0.5 * side
    integral = np.sum(1 / (grid[:, None] ** 2 + grid**2 + height**2)) * (side / 2000) ** 2
    power = np.mean(np.abs(a) ** 2)
    assert power == pytest.approx(integral * (point @ point) / side**2, rel=1e-4)
    assert power > 1.05


@pytest.mark.parametrize("wavefront", ["spherical", "exact"])
def test_links_are_reciprocal(wavefront):
    one = SubarrayArray(1, 2, 3, 2, 300e9, 0.5, 8.0, position=(1, 2, 3), orientation=(0.3, -0.2, 0.9))
    other = SubarrayArray.panel(2, 4, 300e9, position=(1.4, 1.1, 4.2), orientation=(-1.3, 2.0, 0.1))

    def link(receiver, transmitter):
        points = transmitter.elements_in_world().reshape(-1, 3)
        distance, _, _ = receiver.directions_of(points)
        from_origin = np.exp(-2j * np.pi * distance / receiver.wavelength)
        if wavefront == "exact":
            from_origin = from_origin / distance
        return steering_vectors_at(receiver, points, wavefront) * from_origin[:, None]

    np.testing.assert_allclose(link(one, other), link(other, one).T, atol=1e-10)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(distance=-1.0), "distance: expected positive metres from the array's origin, got -1"),
        (dict(distance=[2.0, 0.0]), "distance: expected positive metres .* got 0"),
        (dict(distance=np.nan), "distance: expected positive"),
        (dict(elevation=np.inf), "elevation: expected finite angles"),
        (dict(azimuth="north"), "azimuth: expected numbers, got 'north'"),
        (dict(elevation=[0, 1], azimuth=[0, 1, 2]), "expected shapes that broadcast"),
        (dict(distance=0.03, elevation=np.pi / 2, azimuth=0.7), "distance: expected sources outside the array"),
        (dict(wavefront="curved"), "wavefront: expected one of"),
        (dict(wavefront="exact"), 'wavefront: "exact" needs a distance'),
        (dict(frequency=-1.0), "frequency: expected positive Hz"),
        (dict(frequency=[[1e9]]), "frequency: expected positive Hz, a number or an array"),
    ],
)
def test_wrong_sources_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        steering_vectors(AOSA, **{**dict(elevation=0.1, azimuth=0.2), **arguments})


def test_points_inside_the_array_are_refused():
    with pytest.raises(ValueError, match="points: expected points outside the array"):
        steering_vectors_at(AOSA, [0.01, 0.01, 0.0])


@pytest.mark.parametrize("beta, published", [(1.2, 0.79), (1.6, 0.46)])
def test_polar_rings_have_the_coherence_of_the_fresnel_integrals(beta, published):
    line = SubarrayArray.linear(256, 300e9)
    book = polar_codebook(line, 2.0, beta)
    sine, cosine = fresnel(beta)
    # Elements instead of an integral and terms beyond the square: well below 1 % at 16 apertures' distance.
    assert book.ring_coherence() == pytest.approx(np.hypot(cosine, sine) / beta, abs=0.005)
    assert book.ring_coherence() == pytest.approx(published, abs=0.005)
    assert book.coherence() >= book.ring_coherence()


def test_polar_atoms_of_a_line_stand_where_cui_and_dai_put_them():
    line, beta = SubarrayArray.linear(64, 300e9), 1.0
    book = polar_codebook(line, 0.1, beta)
    z = (64 * 0.5 * line.wavelength) ** 2 / (2 * beta**2 * line.wavelength)
    direction = (2 * np.arange(64) - 63) / 64
    expected = [(u, np.inf if s == 0 else z / s * (1 - u**2)) for u in direction for s in range(9)]
    expected = [(u, r) for u, r in expected if r >= 0.1]
    np.testing.assert_allclose(np.stack([book.ux, book.distance], axis=1), expected, rtol=1e-12)
    n = np.arange(64) - 31.5
    u, r = next(pair for pair in expected if np.isfinite(pair[1]) and pair[0] > 0.3)
    d = 0.5 * line.wavelength
    phase = -2 * np.pi / line.wavelength * (np.sqrt(r**2 + (n * d) ** 2 - 2 * r * n * d * u) - r)
    atom = book.atoms[expected.index((u, r))]
    assert abs(np.vdot(np.exp(1j * phase) / 8, atom)) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    "name, min_distance", [("thz300_aosa4x256", 0.4), ("thz300_panel1024", 0.05), ("nearfield_panel1024", 0.02)]
)
def test_code_books_of_planar_arrays(name, min_distance):
    array = array_preset(name)
    far, polar = far_field_codebook(array), polar_codebook(array, min_distance)
    hybrid = hybrid_field_codebook(array, min_distance)
    for book in (far, polar, hybrid):
        assert book.atoms.shape == (len(book), array.n_antennas)
        np.testing.assert_allclose(np.linalg.norm(book.atoms, axis=1), 1)
    assert hybrid.coherence() < 0.999
    assert len(polar) > len(far) == np.isinf(polar.distance).sum() == np.isinf(hybrid.distance).sum()
    np.testing.assert_allclose(polar.atoms[np.isinf(polar.distance)], far.atoms, atol=1e-12)
    finite = hybrid.distance[np.isfinite(hybrid.distance)]
    assert finite.min() >= min_distance and finite.max() <= array.rayleigh_distance()


def test_far_field_codebook_of_a_panel_is_the_visible_dft():
    beams = dft_codebook(32, 32, 0.5, oversampling=1).conj()
    atoms = far_field_codebook(PANEL).atoms
    product = np.abs(beams.conj() @ atoms.T)
    np.testing.assert_allclose(product, np.eye(len(beams)), atol=1e-6)


def test_near_sources_are_found_by_polar_atoms_only():
    line = SubarrayArray.linear(256, 300e9)
    h = steering_vectors(line, 0.4, 0.0, 2.5) / 16
    captured = {
        name: np.abs(book.atoms.conj() @ h).max() ** 2
        for name, book in (("far", far_field_codebook(line, 2)), ("polar", polar_codebook(line, 2.0, 1.2, 2)))
    }
    # Half a ring off (Fresnel integrals of beta / sqrt(2)) and a quarter of a beam off: > 0.9 * 0.8.
    assert captured["polar"] > 0.72 > 0.4 > captured["far"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(min_distance=-1.0), "min_distance: expected a positive number, got -1.0"),
        (dict(min_distance=1e-6), "min_distance: expected at least a wavelength"),
        (dict(min_distance=1.0, beta=0), "beta: expected a positive number"),
        (dict(min_distance=1.0, max_distance=0.5), "max_distance: expected at least min_distance"),
        (dict(min_distance=1.0, oversampling=1.5), "oversampling: expected an integer"),
    ],
)
def test_wrong_code_books_are_refused(arguments, message):
    for array in (AOSA, SubarrayArray.linear(16, 300e9)):
        with pytest.raises(ValueError, match=message):
            polar_codebook(array, **arguments)
    with pytest.raises(ValueError, match="min_distance: expected less than the Rayleigh distance of 15.4 m"):
        hybrid_field_codebook(AOSA, 20.0)
