# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark's channels against those of the generator that its authors published.

With the generator's own random numbers (tests/data/published_paths.npz) the channels are the same, no phase or
scale being free. With own random numbers they have the same statistics as tests/data/aosa1024_reference.npz.
THZUM_REFERENCE_CHANNELS names another file of such channels (key "channel", complex [B, 4, 16, 16]) to take.
"""

import os
from dataclasses import replace

import numpy as np
import pytest
from gnuradio.thzum.array import SPEED_OF_LIGHT, SubarrayArray
from gnuradio.thzum.channel import HybridFieldChannel, preset, response
from gnuradio.thzum.channel.native import native_model
from oracles.channel_statistics import OwnSets
from scipy import stats

BENCHMARK = preset("thz300_aosa4x256")
# The published generator called with 256 antennas, 3 paths and a user at 10 m, within the Rayleigh distance.
NEAR_USER = HybridFieldChannel(
    SubarrayArray(2, 2, 8, 8, carrier_frequency=300e9, spacing=0.2, gap=56.0),
    n_paths=3,
    los_distance=10.0,
    scatterer_distance=(4.0, 20.0),
    delay_spread=0.1,
    refractive_index=2.24 - 0.025j,
    surface_roughness=88e-6,
)
RECORDS = {"benchmark": (BENCHMARK, ""), "near_user": (NEAR_USER, "near_")}


class Replay:
    """Stands in for a numpy.random.Generator: returns recorded numbers [B, draw, L], draw after draw."""

    def __init__(self, draws):
        self.draws = iter(np.moveaxis(draws, 1, 0))

    def random(self, shape):
        numbers = next(self.draws)
        assert numbers.shape == tuple(shape)
        return numbers

    def uniform(self, low, high, shape):
        return low + (high - low) * self.random(shape)


@pytest.fixture(scope="module", params=sorted(RECORDS))
def record(request, data):
    """Channel model, paths from the recorded draws, published channels complex64 [B, N]."""
    channel, prefix = RECORDS[request.param]
    with np.load(data / "published_paths.npz") as found:
        draws, published = found[prefix + "draws"], found[prefix + "channel"]
    return channel, channel.draw_paths(len(draws), Replay(draws)), published.reshape(len(draws), -1)


def native_response(channel, paths):
    return native_model(channel).response(
        paths.amplitude, paths.delay, paths.distance, paths.elevation, paths.azimuth, paths.near
    )


def test_records_hold_both_wavefronts(record):
    channel, paths, published = record
    assert paths.near[:, 1:].any() and not paths.near[:, 1:].all()
    assert np.all(paths.near[:, 0] == (channel is NEAR_USER))
    np.testing.assert_allclose(np.linalg.norm(published, axis=1) ** 2, channel.array.n_antennas, rtol=1e-6)


def test_same_draws_give_the_same_channels(record):
    # What is left is the rounding of the record to complex64: 2^-24 of at most 5 times the rms.
    channel, paths, published = record
    ours = response(channel.array, paths, resolution="element", dtype=np.complex128)
    assert np.max(np.abs(ours - published)) < 1e-6
    assert np.max(np.abs(channel.response(paths, exact=True) - published)) < 1e-6


def test_fast_paths_give_the_same_channels(record):
    # Second-order wavefronts inside a subarray, and single precision: the asked bound with room to spare.
    channel, paths, published = record
    ours = response(channel.array, paths, resolution="subarray", dtype=np.complex128)
    assert np.max(np.abs(ours - published)) < 5e-6
    assert np.max(np.abs(native_response(channel, paths) - published)) < 1e-5


def test_native_model_is_the_python_model(record):
    # Sums of at most 5 single-precision products, each of a few roundings of 2^-24, magnified by at most 5.
    channel, paths, _ = record
    ours = response(channel.array, paths, resolution="subarray", dtype=np.complex128)
    assert np.max(np.abs(native_response(channel, paths) - ours)) < 1e-5


def test_paths_beyond_the_rayleigh_distance_have_no_such_error(record):
    channel, paths, published = record
    far = ~paths.near.any(axis=1)
    if channel is NEAR_USER:
        assert not far.any()
    else:
        assert far.any()
        assert np.max(np.abs(native_response(channel, paths[far]) - published[far])) < 1e-5


WRONG_TABLES = {
    "spacing 0.21": lambda array, paths: (replace(array, spacing=0.21), paths),
    "gap 57": lambda array, paths: (replace(array, gap=57.0), paths),
    "a path less": lambda array, paths: (array, replace(paths, amplitude=paths.amplitude * [1, 1, 1, 1, 0])),
    "azimuth turned": lambda array, paths: (array, replace(paths, azimuth=-paths.azimuth)),
    "x and y swapped": lambda array, paths: (array, replace(paths, azimuth=np.pi / 2 - paths.azimuth)),
    "all planar": lambda array, paths: (array, replace(paths, near=np.zeros_like(paths.near))),
    "near and far swapped": lambda array, paths: (array, replace(paths, near=~paths.near)),
    "delays 1e-7 longer": lambda array, paths: (array, replace(paths, delay=paths.delay * (1 + 1e-7))),
    "phase of near paths": lambda array, paths: (array, replace(paths, phase=0 * paths.phase)),
}


@pytest.mark.parametrize("wrong", WRONG_TABLES)
def test_the_comparison_sees_wrong_tables(data, wrong):
    with np.load(data / "published_paths.npz") as found:
        paths, published = BENCHMARK.draw_paths(40, Replay(found["draws"])), found["channel"].reshape(40, -1)
    ours = response(*WRONG_TABLES[wrong](BENCHMARK.array, paths), resolution="element")
    error = np.max(np.abs(ours - published), axis=1)
    assert np.max(error) > 1e-2


def reflection(incidence):
    """|Gamma| of the benchmark: Fresnel's equation (TE) by Snell's law, times the roughness factor."""
    index, height = 2.24 - 0.025j, 88e-6
    cos_i = np.cos(incidence)
    cos_t = np.sqrt(1 - (np.sin(incidence) / index) ** 2)
    fresnel = (cos_i - index * cos_t) / (cos_i + index * cos_t)
    return np.abs(fresnel) * np.exp(-8 * (np.pi * 300e9 * height * cos_i / 3e8) ** 2)


def drawn(model):
    """Fields of 10,000 own channels, and their numbers mapped back to uniform ones: dict of [B, 4]."""
    if model == "native":
        names = "amplitude", "delay", "distance", "elevation", "azimuth", "near"
        fields = dict(zip(names, native_model(BENCHMARK).draw_paths(10000, 5)))
    else:
        fields = vars(BENCHMARK.draw_paths(10000, np.random.default_rng(5)))
    incidence = np.linspace(0, np.pi / 2, 20001)
    reflected = reflection(incidence)
    assert np.all(np.diff(reflected) > 0)
    return fields, {
        "delay": (fields["delay"][:, 1:] * SPEED_OF_LIGHT / 30 - 1) / 0.1,
        "distance": (fields["distance"][:, 1:] - 10) / 15,
        "incidence": np.interp(fields["amplitude"][:, 1:], reflected, incidence) / (np.pi / 2),
        "elevation": fields["elevation"][:, 1:] / np.pi + 0.5,
        "azimuth": fields["azimuth"][:, 1:] / (2 * np.pi) + 0.5,
    }


@pytest.mark.parametrize("model", ["python", "native"])
def test_own_draws_follow_the_published_distributions(model):
    # Ten Kolmogorov-Smirnov tests at 1e-4 each: together they raise one false alarm in a thousand seeds.
    fields, numbers = drawn(model)
    for name, uniform in numbers.items():
        assert stats.kstest(uniform.ravel(), "uniform").pvalue > 1e-4, name
    np.testing.assert_allclose(fields["delay"][:, 0], 30 / SPEED_OF_LIGHT, rtol=1e-12)
    np.testing.assert_array_equal(fields["distance"][:, 0], 30.0)
    np.testing.assert_array_equal(fields["amplitude"][:, 0], 1.0)
    for name in ("elevation", "azimuth"):
        span = np.pi if name == "elevation" else 2 * np.pi
        assert stats.kstest(fields[name][:, 0] / span + 0.5, "uniform").pvalue > 1e-4, name
    # The published generator's Rayleigh distance: 2 D^2 / lambda, D^2 = 2 (62 lambda)^2.
    np.testing.assert_array_equal(fields["near"], fields["distance"] < 4 * 62**2 * 1e-3)


@pytest.mark.parametrize("model", ["python", "native"])
def test_own_draws_are_independent(model):
    # 20 numbers a channel; the sample correlation of independent ones has a standard deviation of 1 / sqrt(B).
    _, numbers = drawn(model)
    correlation = np.corrcoef(np.concatenate(list(numbers.values()), axis=1), rowvar=False)
    off_diagonal = correlation[np.triu_indices(len(correlation), 1)]
    assert np.max(np.abs(off_diagonal)) < 5 / np.sqrt(10000)


def sets_of(channel, size, seeds):
    """Sets of own channels [size, S, rows, cols], one a seed."""
    array, model = channel.array, native_model(channel)
    for seed in seeds:
        yield model.sample(size, seed).reshape(size, array.n_subarrays, array.rows, array.cols)


@pytest.fixture(scope="module")
def reference(data):
    """Channels of the published generator, complex64 [B, 4, 16, 16]."""
    with np.load(os.environ.get("THZUM_REFERENCE_CHANNELS", data / "aosa1024_reference.npz")) as found:
        return found["channel"]


@pytest.fixture(scope="module")
def own(reference):
    """20,000 own channels and more, in sets as large as the reference: 40 + 40 to calibrate and 199 to rank."""
    size = len(reference)
    centre, scale, ranked = (sets_of(BENCHMARK, size, seeds) for seeds in (range(40), range(40, 80), range(80, 279)))
    return OwnSets(centre, scale, ranked, spacing=BENCHMARK.array.spacing)


def test_own_channels_have_the_reference_statistics(own, reference):
    # Were both of one distribution, this would fail for 1 of 200 references.
    distances = own.distances(reference)
    assert own.statistic(distances) <= own.bound, own.report(distances)


WRONG_MODELS = {
    "spacing 0.21": dict(array=replace(BENCHMARK.array, spacing=0.21)),
    "4 paths": dict(n_paths=4),
    "6 paths": dict(n_paths=6),
    "smooth surfaces": dict(surface_roughness=1e-9),
}


@pytest.mark.parametrize("wrong", WRONG_MODELS)
def test_the_statistics_see_wrong_models(own, reference, wrong):
    # What no statistic of this set can see, the recorded draws above do: turned or swapped angles (the directions'
    # distribution has these symmetries), near and far (inside a subarray both are plane, and phases between
    # subarrays are uniform either way), the distance of user and scatterers, delays.
    known = dict(
        array=BENCHMARK.array,
        n_paths=5,
        los_distance=30.0,
        scatterer_distance=(10.0, 25.0),
        delay_spread=0.1,
        refractive_index=2.24 - 0.025j,
        surface_roughness=88e-6,
    )
    channel = HybridFieldChannel(**{**known, **WRONG_MODELS[wrong]})
    (found,) = sets_of(channel, len(reference), [1000])
    assert own.statistic(own.distances(found)) > own.bound
