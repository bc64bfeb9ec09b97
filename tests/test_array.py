# SPDX-License-Identifier: GPL-3.0-or-later
"""Geometry of arrays: presets, closed forms, place and orientation in the world."""

import pathlib

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio.thzum.array import SPEED_OF_LIGHT, SubarrayArray, array_preset, array_presets
from gnuradio.thzum.channel import preset, presets
from gnuradio.thzum.channel.native import native_model

PUBLISHED = "thz300_aosa4x256"
ANGLE = st.floats(-3.1, 3.1)
COORDINATE = st.floats(-50, 50)


def test_rayleigh_distance_of_the_planar_array_is_its_closed_form():
    array = array_preset(PUBLISHED)
    spacing = array.spacing * array.wavelength
    s, n, w = array.sub_rows, array.rows, array.gap / array.spacing
    # (4 d_a^2 / lambda) (sqrt(S) (sqrt(n) - 1) + (sqrt(S) - 1) w)^2
    expected = 4 * spacing**2 / array.wavelength * (s * (n - 1) + (s - 1) * w) ** 2
    assert array.rayleigh_distance() == pytest.approx(expected, rel=1e-12)
    assert array.rayleigh_distance() == pytest.approx(15.4, abs=0.05)


@settings(max_examples=40, deadline=None)
@given(side=st.integers(1, 4), n=st.integers(2, 20), spacing=st.floats(0.1, 1), w=st.floats(1, 300))
def test_rayleigh_distance_of_square_arrays(side, n, spacing, w):
    array = SubarrayArray(side, side, n, n, 140e9, spacing, gap=w * spacing)
    d, wavelength = spacing * SPEED_OF_LIGHT / 140e9, SPEED_OF_LIGHT / 140e9
    expected = 4 * d**2 / wavelength * (side * (n - 1) + (side - 1) * w) ** 2
    assert array.rayleigh_distance() == pytest.approx(expected, rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    grid=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    spacing=st.floats(0.1, 0.7),
    gap=st.floats(0, 60),
)
def test_elements_stand_where_the_fields_say(grid, size, spacing, gap):
    array = SubarrayArray(*grid, *size, carrier_frequency=300e9, spacing=spacing, gap=gap)
    elements = array.element_positions() / array.wavelength
    assert elements.shape == (grid[0] * grid[1], *size, 2)
    assert elements[0, 0, 0].tolist() == [0, 0]
    np.testing.assert_allclose(array.subarray_centres(), array.element_positions().mean(axis=(1, 2)), atol=1e-15)
    np.testing.assert_allclose(np.diff(elements[..., 0], axis=2), spacing, rtol=1e-9)
    np.testing.assert_allclose(np.diff(elements[..., 1], axis=1), spacing, rtol=1e-9)
    if grid[1] > 1:  # the neighbour along x is the next subarray
        np.testing.assert_allclose(elements[1, 0, 0, 0] - elements[0, 0, -1, 0], gap, atol=1e-9)
    if grid[0] > 1:  # the neighbour along y is a row of subarrays later
        np.testing.assert_allclose(elements[grid[1], 0, 0, 1] - elements[0, -1, 0, 1], gap, atol=1e-9)


def test_panel_and_line_are_uniform_and_ordered():
    panel = SubarrayArray.panel(3, 5, 300e9, spacing=0.25)
    assert (panel.n_subarrays, panel.n_antennas) == (1, 15)
    line = SubarrayArray.linear(6, 300e9, n_subarrays=4)
    x, y = line.element_positions().reshape(-1, 2).T
    np.testing.assert_allclose(x, 0.5 * line.wavelength * np.arange(24), atol=1e-15)
    assert line.n_subarrays == 4 and not y.any()
    spread = SubarrayArray.linear(6, 300e9, n_subarrays=4, gap=10.0, position=(1, 2, 3))
    np.testing.assert_allclose(np.diff(spread.subarray_origins()[:, 0]), 12.5 * spread.wavelength)
    assert spread.position == (1.0, 2.0, 3.0)


def test_rotation_is_yaw_after_pitch_after_roll():
    def turned(**angles):
        order = [angles.get(name, 0.0) for name in ("yaw", "pitch", "roll")]
        return SubarrayArray.panel(1, 1, 300e9, orientation=order).rotation

    quarter = np.pi / 2
    x, y, z = np.eye(3)
    np.testing.assert_array_equal(turned(), np.eye(3))
    np.testing.assert_allclose(turned(yaw=quarter) @ x, y, atol=1e-15)
    np.testing.assert_allclose(turned(pitch=quarter) @ z, x, atol=1e-15)
    np.testing.assert_allclose(turned(roll=quarter) @ y, z, atol=1e-15)
    # z -(roll)-> -y, which pitch leaves alone, -(yaw)-> x
    np.testing.assert_allclose(turned(yaw=quarter, pitch=quarter, roll=quarter) @ z, x, atol=1e-15)
    np.testing.assert_allclose(
        turned(yaw=0.3, pitch=-0.7, roll=1.1), turned(yaw=0.3) @ turned(pitch=-0.7) @ turned(roll=1.1), atol=1e-15
    )


@settings(max_examples=60, deadline=None)
@given(
    orientation=st.tuples(ANGLE, ANGLE, ANGLE),
    position=st.tuples(COORDINATE, COORDINATE, COORDINATE),
    shape=st.lists(st.integers(0, 3), max_size=3),
    seed=st.integers(0, 1000),
)
def test_frames_map_into_each_other(orientation, position, shape, seed):
    array = SubarrayArray.panel(2, 2, 300e9, position=position, orientation=orientation)
    rotation = array.rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(rotation) == pytest.approx(1)
    points = np.random.default_rng(seed).uniform(-30, 30, (*shape, 3))
    np.testing.assert_allclose(array.to_local(array.to_world(points)), points, atol=1e-12)
    local = points * [1, 1, 0.5] + [0, 0, 40]
    distance, elevation, azimuth = array.directions_of(array.to_world(local))
    assert distance.shape == elevation.shape == azimuth.shape == tuple(shape)
    across = np.sin(elevation)
    unit = np.stack([across * np.cos(azimuth), across * np.sin(azimuth), np.cos(elevation)], axis=-1)
    np.testing.assert_allclose(distance[..., None] * unit, local, atol=1e-11)


def test_directions_behind_the_array_and_along_its_axes():
    array = SubarrayArray.panel(4, 4, 300e9)
    points = np.array([[0, 0, 2], [0, 0, -2], [3, 0, 0], [0, 3, 0], [-1, -1, 0]], float)
    distance, elevation, azimuth = array.directions_of(points)
    np.testing.assert_allclose(distance, [2, 2, 3, 3, np.sqrt(2)])
    np.testing.assert_allclose(elevation, np.pi * np.array([0, 1, 0.5, 0.5, 0.5]), atol=1e-15)
    np.testing.assert_allclose(azimuth[2:], np.pi * np.array([0, 0.5, -0.75]), atol=1e-15)


@settings(max_examples=40, deadline=None)
@given(position=st.tuples(COORDINATE, COORDINATE, COORDINATE), azimuth=ANGLE, height=st.floats(-0.99, 0.99))
def test_looking_at_a_target(position, azimuth, height):
    across = np.sqrt(1 - height**2)
    target = np.array(position) + 7 * np.array([across * np.cos(azimuth), across * np.sin(azimuth), height])
    array = array_preset(PUBLISHED).placed(position).looking_at(target)
    distance, elevation, _ = array.directions_of(target)
    assert distance == pytest.approx(7) and elevation == pytest.approx(0, abs=1e-7)
    columns, rows, _ = array.rotation.T
    assert abs(columns[2]) < 1e-12 and rows[2] > 0
    np.testing.assert_allclose(array.elements_in_world()[0, 0, 0], position, atol=1e-12)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (dict(position=(0, 1)), "position: expected three finite numbers"),
        (dict(position=(0, 1, np.nan)), "position: expected three finite numbers"),
        (dict(orientation=0.5), "orientation: expected three finite numbers .yaw, pitch, roll"),
        (dict(orientation=("north", 0, 0)), "orientation: expected three finite numbers"),
        (dict(spacing=-0.5), "spacing: expected a positive number, got -0.5"),
        (dict(carrier_frequency=0), "carrier_frequency: expected a positive number"),
        (dict(rows=0), "rows: expected an integer of at least 1"),
    ],
)
def test_wrong_arrays_are_refused(arguments, message):
    given_arguments = {**dict(rows=2, cols=2, carrier_frequency=300e9, spacing=0.5), **arguments}
    with pytest.raises(ValueError, match=message):
        SubarrayArray.panel(**given_arguments)


def test_points_inside_the_array_or_malformed_are_refused():
    array = array_preset(PUBLISHED).placed((1, 2, 3), orientation=(0.4, 0.1, -0.3))
    middle = array.to_world([0.5 * array.aperture[0], 0.5 * array.aperture[1], 0])
    with pytest.raises(ValueError, match=r"points: expected points outside the array.*index \(1,\)"):
        array.directions_of([[9, 9, 9], middle])
    with pytest.raises(ValueError, match="outside the array"):
        array.directions_of(array.position)
    with pytest.raises(ValueError, match=r"points: expected an array \[..., 3\] in m, got shape \(2,\)"):
        array.to_local([1, 2])
    with pytest.raises(ValueError, match="finite coordinates"):
        array.to_world([1, 2, np.inf])
    with pytest.raises(ValueError, match="target: expected a point away"):
        array.looking_at(array.position)


def test_published_preset():
    array = array_preset(PUBLISHED)
    assert (array.n_subarrays, array.rows, array.cols, array.carrier_frequency) == (4, 16, 16, 300e9)
    assert (array.spacing, array.gap) == (0.2, 56.0)
    assert array_preset("thz140_aosa32x64").rayleigh_distance() == pytest.approx(16.3, abs=0.05)


@pytest.mark.parametrize("name", array_presets())
def test_every_array_preset_can_be_sampled_in_both_languages(name):
    channel = preset(name)
    h, native = channel.sample(3, seed=1), native_model(name).sample(3, seed=1)
    assert channel.array == array_preset(name) and presets() == array_presets()
    assert h.shape == native.shape == (3, channel.array.n_antennas)
    np.testing.assert_allclose(np.linalg.norm(h, axis=1) ** 2, channel.array.n_antennas, rtol=1e-5)


def test_drop_down_lists_every_array_preset():
    text = (pathlib.Path(__file__).parents[1] / "grc" / "thzum_variable_array.block.yml").read_text()
    options = next(p for p in yaml.safe_load(text)["parameters"] if p["id"] == "preset")["options"]
    assert sorted(options) == sorted(array_presets() + ["custom"])
