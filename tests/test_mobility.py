# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving users and scatterers: continuous phase, Doppler from geometry, Jakes' spectrum."""

import numpy as np
import pytest
from scipy.special import j0

from gnuradio.thzum.array import SPEED_OF_LIGHT, array_preset
from gnuradio.thzum.channel import PathKind, path_gain, response
from gnuradio.thzum.channel.scene import (
    Clusters,
    FixedUsers,
    ImageReflections,
    LinearTrajectory,
    LineOfSight,
    Mobility,
    MovingPaths,
    PathLoss,
    Rays,
    Reflections,
    Room,
    RoomUsers,
    Scene,
    WaypointTrajectory,
)

ARRAY = array_preset("thz300_aosa4x256")
CARRIER = ARRAY.carrier_frequency


def moving_scene(**changes):
    parts = dict(
        users=RoomUsers(),
        reflections=Reflections(),
        image_reflections=ImageReflections(max_order=2),
        clusters=Clusters(),
        mobility=Mobility(speed=1.5, scatterer_speed=0.7),
    )
    return Scene(ARRAY, **{**parts, **changes})


def test_phase_advances_by_the_doppler_shift():
    """Over dt the phase of each path turns by 2 pi doppler dt, up to the second order.

    The second derivative of a leg's length is at most v^2 / d, v its relative speed, below 3 m/s here, and d its
    length. Legs from 0.1 m on leave 2 legs * 2 pi / lambda * v^2 / d * dt^2 / 2 = 6e-7 rad over 1 us; lengths up to
    100 m are kept to 1.4e-14 m, which is 1e-10 rad.
    """
    moving = moving_scene().moving(6, seed=1, n_users=2)
    dt = 1e-6
    for time in (0.0, 0.25):
        before, after = moving.at(time), moving.at(time + dt)
        source = ARRAY.to_world(before.source_positions())
        apart = np.linalg.norm(source - moving.users_at(time)[..., None, :], axis=-1)
        used = (before.amplitude > 0) & (before.distance > 0.1)
        used &= (apart > 0.1) | (before.kind == PathKind.LINE_OF_SIGHT)
        turned = np.angle(path_gain(ARRAY, after) * np.conj(path_gain(ARRAY, before)))
        expected = 2 * np.pi * before.doppler * dt
        assert used.sum() > 200 and np.abs(before.doppler[used]).max() > 500
        assert np.max(np.abs(np.angle(np.exp(1j * (turned - expected)))[used])) < 1e-6
        # The extrapolation within the table does the same.
        ahead = np.angle(path_gain(ARRAY, before, time=dt) * np.conj(path_gain(ARRAY, before)))
        assert np.max(np.abs(np.angle(np.exp(1j * (ahead - expected)))[used])) < 1e-6


def test_time_zero_is_the_drawn_channel():
    scene = moving_scene(visibility=None)
    moving, table = scene.moving(3, seed=4, n_users=2), scene.draw_paths(3, 4, n_users=2)
    start = moving.at(0.0)
    for name in ("amplitude", "delay", "distance", "elevation", "azimuth", "phase"):
        assert getattr(start, name) == pytest.approx(getattr(table, name), rel=1e-12, abs=1e-15), name
    assert np.any(start.doppler != 0) and np.array_equal(start.kind, table.kind)


def test_doppler_of_known_motions():
    """Straight towards the array v / lambda, across it 0; a wall's image moves mirrored."""
    room = Room((-3, -2, 0), (6, 4, 20))
    scene = Scene(ARRAY, FixedUsers([[0, 0, 10.0]]), image_reflections=ImageReflections(1), room=room)
    rays, _, start = scene._draw(1, np.random.default_rng(0), None)
    towards = MovingPaths(ARRAY, rays, LinearTrajectory(start, [0, 0, -2.0])).at(0.0)
    assert towards.doppler[0, 0, 0] == pytest.approx(2.0 / ARRAY.wavelength, rel=1e-9)
    across = MovingPaths(ARRAY, rays, LinearTrajectory(start, [2.0, 0, 0])).at(0.0)
    assert abs(across.doppler[0, 0, 0]) < 1e-6
    source = across.source_positions()[0, 0]
    (right,) = [i for i in range(7) if np.allclose(source[i], [6, 0, 10])]
    (left,) = [i for i in range(7) if np.allclose(source[i], [-6, 0, 10])]
    # The image in the wall x = 3 comes nearer at the user's speed times its direction cosine, the other recedes.
    expected = 2.0 * 6 / np.hypot(6, 10) / ARRAY.wavelength
    assert across.doppler[0, 0, [right, left]] == pytest.approx([expected, -expected], rel=1e-9)


def test_reflections_stay_the_images_of_the_moving_user():
    """After a move, the table is that of a scene whose user stands there."""
    room = Room((-3, -2, 0), (6, 4, 20))
    first, second = np.array([0.5, 0.2, 10.0]), np.array([-0.7, 0.9, 7.0])
    parts = dict(image_reflections=ImageReflections(2), room=room)
    rays, _, start = Scene(ARRAY, FixedUsers([first]), **parts)._draw(1, np.random.default_rng(0), None)
    moved = MovingPaths(ARRAY, rays, LinearTrajectory(start, (second - first) / 2)).at(2.0)[:, 0]
    there = Scene(ARRAY, FixedUsers([second]), **parts).draw_paths(1, 0)
    used = there.amplitude > 0
    assert moved.delay[used] == pytest.approx(there.delay[used], rel=1e-12)
    assert moved.source_positions()[used] == pytest.approx(there.source_positions()[used])


def ring(n_channels, n_paths, speed, rng, radius=2.0):
    """Scatterers evenly at random on a ring around the user, in a plane that holds the motion."""
    user = np.array([0.0, 0.0, 12.0])
    angle = rng.uniform(-np.pi, np.pi, (n_channels, 1, n_paths))
    source = user + radius * np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
    length = np.linalg.norm(source, axis=-1) + radius
    shape = angle.shape
    rays = Rays(
        amplitude=np.full(shape, np.sqrt(1 / n_paths)),
        delay=length / SPEED_OF_LIGHT,
        source=source,
        kind=np.full(shape, 2, np.int8),
        phase=rng.uniform(-np.pi, np.pi, shape),
        follow=np.zeros((*shape, 3)),
    )
    start = np.broadcast_to(user, (n_channels, 1, 3))
    return MovingPaths(ARRAY, rays, LinearTrajectory(start, [speed, 0.0, 0.0]))


def test_jakes_autocorrelation_and_spectrum():
    """Isotropic scatterers: E g(t) g*(0) = J0(2 pi f_D t), and Doppler shifts of the distribution
    1 - arccos(f / f_D) / pi, whose density is Jakes' spectrum.

    Each path gives one independent sample of modulus 1, so the mean of n has a standard error below 1/sqrt(n):
    five of them bound the autocorrelation. The distribution is bounded by the inequality of Dvoretzky, Kiefer and
    Wolfowitz at a probability of 1e-6. The ring's curvature over the way of 1 mm adds 2 pi / lambda d^2 / (2 radius)
    = 1.6e-3 rad.
    """
    n_channels, n_paths, speed = 40, 500, 3.0
    moving = ring(n_channels, n_paths, speed, np.random.default_rng(2))
    n = n_channels * n_paths
    f_d = speed / ARRAY.wavelength
    start = moving.at(0.0)
    g0 = path_gain(ARRAY, start)
    for cycles in (0.1, 0.3827, 0.8, 1.0):
        g = path_gain(ARRAY, moving.at(cycles / f_d))
        correlation = np.sum(g * np.conj(g0)) / n_channels
        assert abs(correlation - j0(2 * np.pi * cycles)) < 5 / np.sqrt(n) + 2e-3
    shifts = np.sort(start.doppler.ravel()) / f_d
    assert np.all(np.abs(shifts) <= 1)
    empirical = (np.arange(n) + 0.5) / n
    bound = np.sqrt(np.log(2 / 1e-6) / (2 * n)) + 0.5 / n
    assert np.max(abs(empirical - (1 - np.arccos(shifts) / np.pi))) < bound


def test_channel_vectors_change_smoothly():
    """The response over a quarter of the fastest Doppler period in 64 steps: no step is larger than its share.

    Between steps each path turns by at most 2 pi f_max dt, near the array's centre and at its edge alike, so the
    channel changes by at most that angle times the sum of the amplitudes, with a margin of 10 % for the aperture.
    """
    scene = moving_scene(line_of_sight=LineOfSight(k_factor_db=10.0))
    moving = scene.moving(2, seed=3)
    fastest = np.abs(moving.at(0.0).doppler).max()
    dt = 0.25 / fastest / 64
    tables = [moving.at(i * dt) for i in range(65)]
    h = np.array([response(ARRAY, table, normalise=False, dtype=np.complex128)[:, 0] for table in tables])
    bound = 1.1 * 2 * np.pi * fastest * dt * tables[0].amplitude[:, 0].sum(axis=-1)
    assert np.all(np.abs(np.diff(h, axis=0)).max(axis=-1) <= bound)


def test_waypoints():
    walk = WaypointTrajectory([[[0.0, 0, 5], [3, 0, 5], [3, 4, 5]]], speed=2.0)
    for time, where, velocity in (
        (0.0, [0, 0, 5], [2, 0, 0]),
        (1.0, [2, 0, 5], [2, 0, 0]),
        (1.5, [3, 0, 5], [0, 2, 0]),
        (2.5, [3, 2, 5], [0, 2, 0]),
        (3.5, [3, 4, 5], [0, 0, 0]),
        (9.0, [3, 4, 5], [0, 0, 0]),
    ):
        position, speed = walk.at(time)
        assert position[0] == pytest.approx(where) and speed[0] == pytest.approx(velocity)
    with pytest.raises(ValueError, match="time"):
        walk.at(-1.0)
    scene = moving_scene(mobility=Mobility("waypoints", speed=2.0, n_waypoints=3))
    moving = scene.moving(2, seed=5, n_users=3)
    times = np.linspace(0, 8, 200)
    path = np.array([moving.users_at(t) for t in times])
    step = np.linalg.norm(np.diff(path, axis=0), axis=-1)
    assert step.max() <= 2.0 * (times[1] - times[0]) * (1 + 1e-9)
    assert np.all(scene.room.contains(path))


def test_amplitudes_follow_the_path_loss():
    scene = Scene(ARRAY, FixedUsers([[0, 0, 10.0]]), path_loss=PathLoss(absorption=None))
    rays, _, start = scene._draw(1, np.random.default_rng(0), None)
    moving = MovingPaths(ARRAY, rays, LinearTrajectory(start, [0, 0, 5.0]), loss=scene._loss)
    assert moving.at(2.0).amplitude / moving.at(0.0).amplitude == pytest.approx(np.full((1, 1, 1), 0.5))


def test_bad_motion_is_refused():
    scene = moving_scene(mobility=None)
    with pytest.raises(ValueError, match="mobility"):
        scene.moving(1)
    for options, name in (
        (dict(model="jump"), "model"),
        (dict(speed=-1), "speed"),
        (dict(model="waypoints", speed=0), "speed"),
        (dict(scatterer_speed=np.nan), "scatterer_speed"),
        (dict(n_waypoints=0), "n_waypoints"),
    ):
        with pytest.raises(ValueError, match=name):
            Mobility(**options)
    moving = moving_scene().moving(1)
    for bad in (np.nan, np.inf, "now"):
        with pytest.raises(ValueError, match="time"):
            moving.at(bad)
    straight = Scene(ARRAY, FixedUsers([[0.01, 0.01, 1.0]]))
    rays, _, start = straight._draw(1, np.random.default_rng(0), None)
    with pytest.raises(ValueError, match="outside the array"):
        MovingPaths(ARRAY, rays, LinearTrajectory(start, [0, 0, -1.0])).at(1.0)
    with pytest.raises(ValueError, match="trajectory"):
        MovingPaths(ARRAY, rays, LinearTrajectory(np.zeros((2, 1, 3)) + 5, 0 * start[0]))
    with pytest.raises(ValueError, match="points"):
        WaypointTrajectory([[0.0, 0, 1]], 1.0)
