# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: each part against its closed form, the whole against its own configuration, and bad input.

Statistical bounds are five standard errors of the mean, computed from the closed form's variance or the sample's.
"""

import json
from dataclasses import replace

import numpy as np
import pytest

from gnuradio.thzum.array import SPEED_OF_LIGHT, array_preset
from gnuradio.thzum.channel import PathKind, absorption_model, response
from gnuradio.thzum.channel.reflection import fresnel, roughness_factor
from gnuradio.thzum.channel.scene import (
    Blockage,
    Clusters,
    Diffuse,
    FixedUsers,
    ImageReflections,
    LineOfSight,
    PathLoss,
    Reflections,
    Room,
    RoomUsers,
    Scene,
    SectorUsers,
    Visibility,
)
from gnuradio.thzum.channel.scene.scene import _packed

ARRAY = array_preset("thz300_aosa4x256")
FRONT = FixedUsers([[0.5, -0.3, 12.0]])
VACUUM = PathLoss(absorption=None)


def mean_within(samples, expected, sigmas=5.0):
    """Whether the mean agrees with ``expected`` to ``sigmas`` standard errors."""
    error = np.std(samples) / np.sqrt(np.size(samples))
    return abs(np.mean(samples) - expected) <= sigmas * error + 1e-12


def everything(**changes):
    parts = dict(
        users=RoomUsers(min_user_distance=1.0),
        line_of_sight=LineOfSight(k_factor_db=6.0, blockage_probability=0.2),
        reflections=Reflections(),
        image_reflections=ImageReflections(max_order=2),
        clusters=Clusters(rayleigh=True),
        diffuse=Diffuse(n_rays=5),
        blockage=Blockage(0.1, 20.0, 0.1, 0.3),
        visibility=Visibility(),
    )
    return Scene(ARRAY, **{**parts, **changes})


def test_friis():
    """Direct path without absorption: c / (4 pi f d), delay d / c; normalised channels have the energy N."""
    scene = Scene(ARRAY, FRONT, path_loss=VACUUM)
    d = np.linalg.norm(FRONT.positions[0])
    table = scene.draw_paths(2, 0)
    assert table.shape == (2, 1)
    assert table.amplitude == pytest.approx(np.full((2, 1), SPEED_OF_LIGHT / (4 * np.pi * 300e9 * d)), rel=1e-12)
    assert table.delay == pytest.approx(np.full((2, 1), d / SPEED_OF_LIGHT), rel=1e-12)
    assert np.all(table.near) and np.all(table.kind == PathKind.LINE_OF_SIGHT)
    assert np.linalg.norm(scene.sample(2), axis=-1) ** 2 == pytest.approx([1024, 1024], rel=1e-5)
    energy = np.linalg.norm(scene.sample(2, normalise=False), axis=-1) ** 2
    assert energy == pytest.approx(1024 * table.amplitude[:, 0] ** 2, rel=1e-5)
    far = Scene(ARRAY, FixedUsers([[0, 0, 40.0]]), path_loss=VACUUM).draw_paths(1, 0)
    assert not far.near[0, 0]


def test_path_loss_exponent_and_absorption():
    k = absorption_model("p676").coefficient(300e9)
    loss = PathLoss(exponent=3.0, reference_distance=2.0).at(300e9)
    free = PathLoss(absorption=None).at(300e9)
    assert loss.gain(2.0) == pytest.approx(free.gain(2.0) * np.exp(-k), rel=1e-12)
    assert (loss.gain(20.0) / loss.gain(2.0)) ** 2 == pytest.approx(1e-3 * np.exp(-18 * k), rel=1e-12)
    constant = PathLoss(absorption="constant", absorption_options={"coefficient_per_m": 0.0033}).at(5e12)
    assert constant.absorption == 0.0033


def test_fresnel_and_roughness():
    """Energy is conserved at a lossless surface; normal incidence, grazing and Brewster's angle are known."""
    n, angle = 2.24, np.linspace(0, 0.5 * np.pi, 91)
    cos_i, cos_t = np.cos(angle), np.sqrt(1 - (np.sin(angle) / n) ** 2)
    through = {"te": 2 * cos_i / (cos_i + n * cos_t), "tm": 2 * cos_i / (n * cos_i + cos_t)}
    for polarisation, t in through.items():
        r = fresnel(n, angle, polarisation)
        # R + T = 1 with T = n cos t / cos i |t|^2, multiplied by cos i.
        assert cos_i * abs(r) ** 2 + n * cos_t * t**2 == pytest.approx(cos_i, abs=1e-12)
        assert abs(r[[0, -1]]) == pytest.approx([(n - 1) / (n + 1), 1])
    assert abs(fresnel(n, np.arctan(n), "tm")) < 1e-12 < abs(fresnel(n, np.arctan(n), "te"))
    assert roughness_factor(300e9, 0.0, 0.3) == 1
    assert roughness_factor(300e9, 88e-6, 0.0) == pytest.approx(np.exp(-8 * (np.pi * 300e9 * 88e-6 / 3e8) ** 2))


@pytest.mark.parametrize("k_factor_db", [-3.0, 0.0, 13.0])
def test_k_factor_holds_in_every_channel(k_factor_db):
    """P_0 / sum P_l, exact in each channel and therefore of the mean powers."""
    scene = Scene(
        ARRAY, FRONT, LineOfSight(k_factor_db), Reflections(), clusters=Clusters(rayleigh=True), diffuse=Diffuse()
    )
    power = scene.draw_paths(300, 1).amplitude ** 2
    direct, others = power[:, 0], power[:, 1:].sum(axis=-1)
    assert direct / others == pytest.approx(np.full(300, 10 ** (0.1 * k_factor_db)), rel=1e-9)
    # It is also what the array receives on average: phases are independent, so cross terms vanish in the mean.
    assert direct.mean() / others.mean() == pytest.approx(10 ** (0.1 * k_factor_db), rel=1e-9)


def test_blocked_direct_path():
    scene = Scene(ARRAY, FRONT, LineOfSight(blockage_probability=0.3, blockage_loss_db=10.0))
    power = scene.draw_paths(4000, 2).amplitude[:, 0] ** 2
    blocked = power < 0.5 * power.max()
    assert power[blocked] == pytest.approx(np.full(blocked.sum(), 0.1 * power.max()), rel=1e-9)
    assert abs(blocked.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 4000)


def test_numbers_of_clusters_and_rays():
    """max(1, Poisson): mean m + exp(-m), P(1) = (1 + m) exp(-m)."""
    n = 4000
    for mean in (7.7, 0.8):
        clusters = Clusters(mean_clusters=mean, mean_rays=1.5, max_paths=200)
        cluster, _, _ = clusters.draw_delays(n, np.random.default_rng(3))
        count = cluster.max(axis=1) + 1
        assert mean_within(count, mean + np.exp(-mean))
        one = (1 + mean) * np.exp(-mean)
        assert abs(np.mean(count == 1) - one) < 5 * np.sqrt(one / n) + 1e-9
        # The first cluster of every channel.
        rays = np.sum(cluster == 0, axis=1)
        assert mean_within(rays, 1.5 + np.exp(-1.5))


def test_arrivals_are_poisson_processes():
    """First cluster and gap between the first rays are exponential; a cluster's first ray has no ray delay."""
    clusters = Clusters(mean_clusters=5.0, mean_rays=4.0, max_paths=120)
    n = 4000
    cluster, late, ray = clusters.draw_delays(n, np.random.default_rng(4))
    first = late[:, 0]
    assert mean_within(first * 0.13e9, 1.0) and mean_within((first * 0.13e9) ** 2, 2.0)
    starts = np.diff(cluster, axis=1, prepend=-1) > 0
    assert np.all(ray[starts & (cluster >= 0)] == 0)
    second = (cluster[:, 1] == 0) & (cluster[:, 2] == 0)
    assert mean_within(ray[second, 1] * 0.37e9, 1.0) and mean_within(ray[second, 2] * 0.37e9, 2.0)
    # Clusters of one channel arrive in order, and every one after the first is one exponential gap later.
    both = np.max(cluster, axis=1) >= 1
    next_one = np.take_along_axis(late, np.argmax(cluster == 1, axis=1)[:, None], axis=1)[:, 0]
    assert mean_within((next_one - first)[both] * 0.13e9, 1.0)


@pytest.mark.parametrize("rayleigh", [False, True])
def test_power_delay_profile(rayleigh):
    """Mean total power relative to the direct path.

    A Poisson process of rate L thinned by exp(-T/G) has E exp(-T_l/G) = a^l, a = L G / (1 + L G); with the number
    of clusters max(1, Poisson(m)), E a^N = exp(-m (1 - a)) + exp(-m) (a - 1). The same for rays from l = 0 on.
    """
    clusters = Clusters(rayleigh=rayleigh, max_paths=160, offset_db=-3.0)

    def mean_power(m, x):
        return np.exp(-m * (1 - x)) + np.exp(-m) * (x - 1)

    a = 0.13 * 3.12 / (1 + 0.13 * 3.12)
    b = 0.37 * 0.91 / (1 + 0.37 * 0.91)
    of_clusters = a * (1 - mean_power(1 / 0.13, a)) / (1 - a)
    of_rays = (1 - mean_power(1 / 0.37, b)) / (1 - b)
    scene = Scene(ARRAY, FRONT, clusters=clusters, path_loss=VACUUM)
    power = scene.draw_paths(4000, 5).amplitude ** 2
    ratio = power[:, 1:].sum(axis=-1) / power[:, 0]
    assert mean_within(ratio, 10**-0.3 * of_clusters * of_rays)


def test_decay_of_single_rays():
    """Without fading the power of a ray is exp(-T/G - t/g) exactly: its logarithm decays with the delay."""
    scene = Scene(ARRAY, FRONT, clusters=Clusters(mean_rays=1e-9, max_paths=64), path_loss=VACUUM)
    table = scene.draw_paths(50, 6)
    power, late = table.amplitude**2, table.delay - table.delay[:, :1]
    taken = power[:, 1:] > 0
    expected = power[:, :1] * np.exp(-late[:, 1:] / 3.12e-9)
    assert power[:, 1:][taken] == pytest.approx(expected[taken], rel=1e-6)


def test_clusters_bounce_once():
    """User to scatterer to array is as long as the delay says, unless min_distance holds the scatterer off."""
    scene = Scene(ARRAY, FRONT, clusters=Clusters(min_distance=0.5))
    table = scene.draw_paths(40, 7)
    source = table.source_positions()[:, 1:]
    bounce = np.linalg.norm(source, axis=-1) + np.linalg.norm(source - FRONT.positions[0], axis=-1)
    free = (table.amplitude[:, 1:] > 0) & (table.distance[:, 1:] > 0.5 + 1e-9)
    assert free.sum() > 400
    assert bounce[free] == pytest.approx(SPEED_OF_LIGHT * table.delay[:, 1:][free], rel=1e-9)


def test_cluster_angles():
    """Rays scatter around their cluster with the mixture's variance: sum of weight deviation^2."""
    clusters = Clusters(mean_clusters=1e-9, mean_rays=30, max_paths=64, elevation_mixture=[[1.0, 0.5]])
    table = Scene(ARRAY, FRONT, clusters=clusters).draw_paths(400, 8)
    used = table.amplitude[:, 1:] > 0
    # Away from the poles and the plane, where elevation is what was drawn.
    mean = np.sum(table.elevation[:, 1:] * used, axis=1) / used.sum(axis=1)
    fine = (mean > 0.3) & (mean < 1.2)
    deviation = (table.elevation[:, 1:] - mean[:, None])[fine][used[fine]]
    dof = used[fine].sum() - fine.sum()
    variance = np.sum(deviation**2) / dof
    assert variance == pytest.approx(np.deg2rad(0.5) ** 2, rel=5 * np.sqrt(2 / dof))


def test_images_in_the_walls():
    """First-order images by hand; every path's length, incidence and phase are those of the mirrored user."""
    room = Room(corner=(-2, -1, 0), size=(5, 3, 20))
    user = np.array([1.0, 0.5, 8.0])
    orders = [[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [1, -1, 0], [2, 0, 0]]
    expected = [
        [5, 0.5, 8], [-5, 0.5, 8], [1, 3.5, 8], [1, -2.5, 8], [1, 0.5, 32], [5, -2.5, 8], [11, 0.5, 8],
    ]
    assert room.images(user, orders) == pytest.approx(np.array(expected, float))
    # A mirror ray bounced by hand: through the wall x = 3 to the image at x = 5, the hit point halves the path.
    scene = Scene(
        ARRAY, FixedUsers([user]), image_reflections=ImageReflections(1, roughness=0.0), room=room, path_loss=VACUUM
    )
    table = scene.draw_paths(1, 0)
    assert table.shape == (1, 7)
    source = table.source_positions()[0]
    seen = table.amplitude[0] > 0
    assert seen.sum() == 1 + 5  # the image behind the array's own wall is left out
    (right,) = [i for i in range(7) if np.allclose(source[i], [5, 0.5, 8])]
    length = np.linalg.norm([5, 0.5, 8])
    hit = 3 / 5 * np.array([5, 0.5, 8])
    assert np.linalg.norm(hit) + np.linalg.norm(hit - user) == pytest.approx(length)
    assert table.delay[0, right] == pytest.approx(length / SPEED_OF_LIGHT)
    gamma = fresnel(2.24 - 0.025j, np.arccos(5 / length))
    gain = SPEED_OF_LIGHT / (4 * np.pi * 300e9 * length)
    assert table.amplitude[0, right] * np.exp(1j * table.phase[0, right]) == pytest.approx(gain * gamma)
    # Two walls of different axes: both incidences count.
    deeper = Scene(
        ARRAY, FixedUsers([user]), image_reflections=ImageReflections(2, roughness=0.0), room=room, path_loss=VACUUM
    ).draw_paths(1, 0)
    corner = np.array([5, -2.5, 8])
    (both,) = [i for i in range(deeper.shape[1]) if np.allclose(deeper.source_positions()[0, i], corner)]
    length = np.linalg.norm(corner)
    gamma = fresnel(2.24 - 0.025j, np.arccos(5 / length)) * fresnel(2.24 - 0.025j, np.arccos(2.5 / length))
    assert deeper.amplitude[0, both] == pytest.approx(abs(gamma) * SPEED_OF_LIGHT / (4 * np.pi * 300e9 * length))


def test_diffuse_rays_share_the_power():
    """Specular and diffuse power together are what the specular path had; spread and delay as stated."""
    diffuse = Diffuse(n_rays=200, power_fraction=0.3, angular_spread_deg=2.0, delay_spread=1e-9)
    with_rays = Scene(ARRAY, FRONT, reflections=Reflections(number=1), diffuse=diffuse).draw_paths(50, 9)
    without = Scene(ARRAY, FRONT, reflections=Reflections(number=1)).draw_paths(50, 9)
    assert with_rays.shape == (50, 2 + 200)
    specular, rays = with_rays.amplitude[:, 1] ** 2, np.sum(with_rays.amplitude[:, 2:] ** 2, axis=-1)
    assert specular == pytest.approx(0.7 * without.amplitude[:, 1] ** 2)
    assert specular + rays == pytest.approx(without.amplitude[:, 1] ** 2)
    late = with_rays.delay[:, 2:] - with_rays.delay[:, 1:2]
    assert mean_within(late * 1e9, 1.0)
    source = with_rays.source_positions()
    unit = source / np.linalg.norm(source, axis=-1, keepdims=True)
    angle = np.arccos(np.clip(np.sum(unit[:, 2:] * unit[:, 1:2], axis=-1), -1, 1))
    away = unit[:, 1, 2] > 0.3  # no rays folded to the front
    # Two Gaussian components across: tan(angle)^2 has the mean 2 sigma^2.
    assert mean_within(np.tan(angle[away]) ** 2, 2 * np.deg2rad(2.0) ** 2)


def test_blockage_of_paths_subarrays_and_halves():
    n = 3000
    plain = Scene(ARRAY, FRONT, reflections=Reflections(number=2)).draw_paths(n, 10)
    scene = Scene(ARRAY, FRONT, reflections=Reflections(number=2), blockage=Blockage(0.25, 6.0, 0.15, 0.0))
    table = scene.draw_paths(n, 10)
    ratio = table.amplitude / plain.amplitude
    assert np.all(ratio[:, 0] == 1)
    blocked = ratio[:, 1:] < 0.9
    assert ratio[:, 1:][blocked] == pytest.approx(np.full(blocked.sum(), 10**-0.3))
    assert abs(blocked.mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / blocked.size)
    assert np.all(table.visible == table.visible[:, :1])  # a shaded subarray is shaded for all paths
    dark = ~table.visible[:, 0]
    assert abs(dark.mean() - 0.15) < 5 * np.sqrt(0.15 * 0.85 / dark.size)
    halves = Scene(ARRAY, FRONT, blockage=Blockage(half_subarray_probability=0.5)).sample(600, 11, normalise=False)
    off = np.sum(halves.reshape(600, 4, 16, 16) == 0, axis=(-1, -2))
    assert set(np.unique(off)) == {0, 128} and np.all(np.sum(off > 0, axis=1) <= 1)
    assert abs(np.mean(np.any(off, axis=1)) - 0.5) < 5 * np.sqrt(0.25 / 600)
    share = np.mean(off[np.any(off, axis=1)] > 0, axis=0)
    assert share == pytest.approx([0.25] * 4, abs=5 * np.sqrt(0.25 * 0.75 / 300))


def test_visibility_is_a_birth_death_process():
    """Stationary probability p and covariance p (1 - p) r^m over m steps of the walk through the subarrays."""
    array = array_preset("thz140_aosa32x64")
    p, r, n = 0.6, 0.7, 20000
    seen = Visibility(p, r).draw((n,), array, np.random.default_rng(12))
    order = np.arange(32).reshape(array.sub_rows, array.sub_cols)
    order[1::2] = order[1::2, ::-1]
    walk = seen[:, order.ravel()].astype(float)
    assert np.max(abs(walk.mean(axis=0) - p)) < 5 * np.sqrt(p * (1 - p) / n)
    for m in (1, 2, 5):
        product = (walk[:, m:] - p) * (walk[:, :-m] - p)
        # Each column's products are independent over the n channels and at most max(p, 1 - p)^2 in size.
        error = 5 * max(p, 1 - p) ** 2 / np.sqrt(n)
        assert np.max(abs(product.mean(axis=0) - p * (1 - p) * r**m)) < error
    births = (walk[:, 1:] == 1)[walk[:, :-1] == 0].mean()
    assert births == pytest.approx((1 - r) * p, abs=5 * np.sqrt(0.25 / (0.4 * n * 31)))
    table = Scene(ARRAY, FRONT, reflections=Reflections(), visibility=Visibility(0.5, 0.0)).draw_paths(100, 1)
    assert np.all(table.visible[:, 0]) and not np.all(table.visible[:, 1:])
    hidden = Scene(
        ARRAY, FRONT, reflections=Reflections(), visibility=Visibility(0.5, 0.0, line_of_sight=True)
    ).draw_paths(100, 1)
    assert not np.all(hidden.visible[:, 0])


def test_room_drop_is_uniform_and_keeps_its_distances():
    users = RoomUsers(
        Room((-4, -2, 0), (8, 4, 15)), margin=0.5, min_array_distance=3.0, min_user_distance=1.5, height=(1.0, 12.0)
    )
    array = ARRAY
    where = users.draw(array, 200, 6, np.random.default_rng(13))
    assert where.shape == (200, 6, 3)
    assert np.all(where >= [-3.5, -1.5, 1.0]) and np.all(where <= [3.5, 1.5, 12.0])
    assert np.linalg.norm(where, axis=-1).min() >= 3.0
    apart = np.linalg.norm(where[:, :, None] - where[:, None], axis=-1) + 10 * np.eye(6)
    assert apart.min() >= 1.5
    # The first user knows of no other: uniform in x, of which the room is symmetric.
    x = users.draw(array, 3000, 1, np.random.default_rng(14))[:, 0, 0]
    assert mean_within(x, 0.0)


def test_sector_drop_is_uniform_over_its_area():
    array = array_preset("thz300_aosa4x256").placed((3.0, 2.0, 6.0)).looking_at((20.0, 2.0, 6.0))
    users = SectorUsers(distance=(5.0, 20.0), width_deg=90.0, drop=(2.0, 3.0))
    where = users.draw(array, 4000, 1, np.random.default_rng(15))[:, 0]
    x, y, z = array.to_local(where).T
    ground = np.hypot(x, z)
    assert ground.min() >= 5 - 1e-9 and ground.max() <= 20 + 1e-9
    assert mean_within(ground**2, 0.5 * (25 + 400))
    assert np.all(abs(np.arctan2(x, z)) <= np.pi / 4 + 1e-9) and mean_within(np.arctan2(x, z), 0.0)
    assert np.all((-y >= 2 - 1e-9) & (-y <= 3 + 1e-9))
    assert np.all((where[:, 2] <= 4 + 1e-6) & (where[:, 2] >= 3 - 1e-6))  # below the array in the world


def test_array_frame_is_the_worlds_turned():
    """Turning array, user and nothing else of a direct path leaves the channel as it is."""
    user = np.array([1.0, -2.0, 9.0])
    turned = ARRAY.placed((4.0, 1.0, 2.0), (0.4, -0.2, 0.9))
    first = Scene(ARRAY, FixedUsers([user])).sample(1)
    second = Scene(turned, FixedUsers([turned.to_world(user)])).sample(1)
    # The phase of 2 pi f d / c is large: float64 keeps it to 1e-9 rad here, complex64 to 1e-6.
    assert second == pytest.approx(first, abs=2e-5)


def test_users_of_a_channel_differ_and_axes_come_as_asked():
    scene = everything()
    assert scene.draw_paths(3, 1).shape == (3, scene.n_paths)
    assert scene.draw_paths(3, 1, n_users=2).shape == (3, 2, scene.n_paths)
    h = scene.sample(3, 1, n_users=2)
    assert h.shape == (3, 2, 1024) and h.dtype == np.complex64
    assert np.linalg.norm(h, axis=-1) ** 2 == pytest.approx(np.full((3, 2), 1024), rel=1e-5)
    assert not np.allclose(h[:, 0], h[:, 1])


def test_sample_is_the_response_of_the_drawn_paths():
    scene = everything(blockage=None)
    h = scene.sample(5, 3, n_users=2)
    expected = response(ARRAY, scene.draw_paths(5, 3, n_users=2))
    assert h == pytest.approx(expected, abs=1e-4)


def test_seeds_reproduce():
    scene = everything()
    first, again, other = scene.sample(4, 7, 2), scene.sample(4, 7, 2), scene.sample(4, 8, 2)
    assert np.array_equal(first, again) and not np.allclose(first, other)
    assert np.array_equal(first, scene.sample(4, np.random.default_rng(7), 2))


def test_dictionaries_and_json():
    scene = everything(path_loss=PathLoss(absorption="constant", absorption_options={"coefficient_per_m": 0.01}))
    again = Scene.from_dict(json.loads(json.dumps(scene.to_dict())))
    assert again == scene and np.array_equal(again.sample(2, 1), scene.sample(2, 1))
    small = Scene.from_dict({"array": "thz300_aosa4x256", "users": {"kind": "fixed", "positions": [[0, 0, 5]]}})
    assert small.n_paths == 1 and small.line_of_sight is not None
    assert Scene.from_dict({"users": {"kind": "sector"}, "clusters": {}}, array=ARRAY).clusters == Clusters()


def test_samples_leave_out_empty_places():
    """The work is that of the paths drawn, not of the places in the table."""
    scene = Scene(ARRAY, FRONT, clusters=Clusters(max_paths=64))
    rays, visible, _ = scene._draw(20, np.random.default_rng(0), None)
    packed, _ = _packed(rays, visible)
    assert packed.amplitude.shape[-1] < scene.n_paths
    assert packed.power() == pytest.approx(rays.power())


ROOM = {"corner": [-5, -2, 0], "size": [10, 4, 20]}
GOOD = {"array": "thz300_aosa4x256", "users": {"kind": "fixed", "positions": [[0, 0, 5]]}}


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"colour": 1}, "scene: expected keys.*'colour'"),
        ({"clusters": {"mean_cluster": 3}}, "clusters: .*did you mean 'mean_clusters'"),
        ({"clusters": {"mean_clusters": 60}}, "mean_clusters: expected at most max_clusters = 40"),
        ({"clusters": {"mean_clusters": 30}}, "max_paths: expected at least"),
        ({"clusters": {"cluster_decay": 0}}, "cluster_decay"),
        ({"clusters": {"cluster_decay": float("nan")}}, "cluster_decay"),
        ({"clusters": {"azimuth_mixture": [[1]]}}, "azimuth_mixture"),
        ({"clusters": {"min_distance": 0.01}}, "clusters.min_distance.*array's extent"),
        ({"reflections": {"distance": [-1, 5]}}, "reflections: distance"),
        ({"reflections": {"distance": [9, 5]}}, "distance: expected min <= max"),
        ({"reflections": {"number": 0}}, "number"),
        ({"reflections": {"polarisation": "circular"}}, "polarisation"),
        ({"reflections": {"refractive_index": "glass"}}, "refractive_index"),
        ({"image_reflections": {}}, "room: expected a Room"),
        ({"image_reflections": {}, "room": {"corner": [5, 5, 5], "size": [1, 1, 1]}}, "room: expected the array"),
        ({"image_reflections": {}, "room": {"corner": [-1, -1, 0], "size": [2, 2, 3]}}, "inside the room"),
        ({"mobility": {"model": "waypoints"}}, "mobility: expected users of a room or sector"),
        ({"diffuse": {}}, "diffuse: expected reflections"),
        ({"diffuse": {"power_fraction": 1.5}}, "power_fraction"),
        ({"visibility": {"visible_fraction": 0}}, "visible_fraction"),
        ({"blockage": {"path_probability": 2}}, "path_probability"),
        ({"line_of_sight": {"k_factor_db": "high"}}, "k_factor_db"),
        ({"line_of_sight": False}, "scene without paths"),
        ({"path_loss": {"exponent": -2}}, "exponent"),
        ({"path_loss": {"absorption": "hitran"}}, "expected one of"),
        ({"path_loss": {"atmosphere": {"humidity": 3}}}, "atmosphere: expected keys"),
        ({"path_loss": None}, "path_loss"),
        ({"users": {"kind": "fixed", "positions": [[0.01, 0.01, 0]]}}, "outside the array"),
        ({"users": {"kind": "fixed", "positions": [[0, 0, -5]]}}, "before the array"),
        ({"users": {"kind": "fixed", "positions": [[0, 5]]}}, "positions"),
        ({"users": {"kind": "fixed", "positions": []}}, "positions"),
        ({"users": {"kind": "street"}}, "users.kind"),
        ({"users": {"kind": "room", "min_array_distance": -1}}, "min_array_distance"),
        ({"users": {"kind": "room", "min_array_distance": 0.01}}, "array's extent"),
        ({"users": {"kind": "room", "room": ROOM, "margin": 3}}, "margin"),
        ({"users": {"kind": "sector", "distance": [-5, 5]}}, "distance"),
        ({"users": {"kind": "sector", "width_deg": 200}}, "width_deg"),
        ({"resolution": "pixel"}, "resolution"),
        ({"array": {"rows": 3}}, "array"),
    ],
)
def test_bad_configurations_are_refused_at_once(changes, message):
    with pytest.raises(ValueError, match=message):
        Scene.from_dict({**GOOD, **changes})


def test_carrier_above_1_thz_needs_lines():
    fast = replace(ARRAY, carrier_frequency=1.2e12)
    with pytest.raises(ValueError, match="above 1 THz use the model 'line_list'"):
        Scene(fast, FRONT)
    assert Scene(fast, FRONT, path_loss=VACUUM).sample(1).shape == (1, 1024)


def test_infeasible_drops_end_with_a_clear_error():
    small = Room((-1, -1, 0), (2, 2, 3))
    crowded = Scene(ARRAY, RoomUsers(small, min_user_distance=1.5))
    with pytest.raises(ValueError, match="do not fit into a region"):
        crowded.sample(1, 0, n_users=100)
    with pytest.raises(ValueError, match="found no place for user .* of 12 in 500 attempts"):
        crowded.sample(1, 0, n_users=12)
    with pytest.raises(ValueError, match="n_users: expected the 1 of the fixed positions"):
        Scene(ARRAY, FRONT).sample(1, 0, n_users=2)
    for bad in (0, -1, 1.5, "many"):
        with pytest.raises(ValueError, match="batch"):
            Scene(ARRAY, FRONT).sample(bad)
    with pytest.raises(ValueError, match="n_users"):
        Scene(ARRAY, FRONT).draw_paths(1, 0, n_users=0)
