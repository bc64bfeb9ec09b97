# SPDX-License-Identifier: GPL-3.0-or-later
"""The C++ channel model against its NumPy reference, and the receiver blocks from end to end."""

import pathlib

import numpy as np
import pmt
import pytest
import yaml
from gnuradio import blocks, gr
from hypothesis import given, settings
from hypothesis import strategies as st

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.channel import HybridFieldChannel, presets, preset
from gnuradio.thzum.channel.native import native_model, parameters
from gnuradio.thzum.frame import PilotPlan, map_indices, receive_frame, receive_over_the_air, transmit_frame

PRESET = "thz300_aosa4x256"
FIELDS = ("amplitude", "delay", "distance", "elevation", "azimuth", "near")


def native_response(channel, paths):
    return native_model(channel).response(*(getattr(paths, field) for field in FIELDS))


def angular_power(h, array):
    """Mean power in the 2-D DFT bins of a subarray, [rows, cols]."""
    h = h.reshape(-1, array.rows, array.cols)
    return np.mean(np.abs(np.fft.fft2(h, norm="ortho")) ** 2, axis=0)


@pytest.mark.parametrize("name", presets())
def test_response_of_the_presets_equals_numpy(name):
    channel = preset(name)
    paths = channel.draw_paths(100, np.random.default_rng(2))
    h, expected = native_response(channel, paths), channel.response(paths)
    assert h.dtype == np.complex64 and h.shape == expected.shape
    # Largest element is a few; 1e-4 is what two float32 paths may differ by.
    assert np.abs(h - expected).max() < 1e-4
    exact = channel.response(paths, exact=True)
    assert np.max(np.sum(np.abs(h - exact) ** 2, 1) / np.sum(np.abs(exact) ** 2, 1)) < 1e-5


@settings(max_examples=40, deadline=None)
@given(
    grid=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    size=st.tuples(st.integers(1, 9), st.integers(1, 37)),
    spacing=st.floats(0.1, 0.7),
    n_paths=st.integers(1, 7),
    los_distance=st.floats(0.5, 100),
    seed=st.integers(0, 2**32),
)
def test_response_of_any_array_equals_numpy(grid, size, spacing, n_paths, los_distance, seed):
    array = SubarrayArray(*grid, *size, carrier_frequency=140e9, spacing=spacing, gap=12.0)
    channel = HybridFieldChannel(array, n_paths, los_distance, (0.5, 20.0), 0.2, 1.7 - 0.1j, 50e-6)
    paths = channel.draw_paths(3, np.random.default_rng(seed))
    assert np.abs(native_response(channel, paths) - channel.response(paths)).max() < 1e-4


def test_drawn_paths_follow_the_statistics_of_numpy():
    channel, batch = preset(PRESET), 20000
    drawn = native_model(channel).draw_paths(batch, seed=4)
    reference = channel.draw_paths(batch, np.random.default_rng(4))
    for field, values in zip(FIELDS, drawn):
        expected = getattr(reference, field)
        assert values.shape == expected.shape and values.dtype == expected.dtype
        np.testing.assert_allclose(values[:, 0].std() == 0, expected[:, 0].std() == 0)
        a, b = (np.sort(v[:, 1:].ravel().astype(float)) for v in (values, expected))
        # Two-sample Kolmogorov-Smirnov distance; 1.95 sqrt(2/n) is exceeded once in 1000.
        both = np.concatenate([a, b])
        below = [np.searchsorted(v, both, "right") for v in (a, b)]
        distance = np.abs(below[0] - below[1]).max() / len(a)
        assert distance < 1.95 * np.sqrt(2 / len(a)), field
        # Paths of a channel are independent of each other.
        correlation = np.corrcoef(values[:, 1].astype(float), values[:, 2].astype(float))[0, 1]
        assert abs(correlation) < 4 / np.sqrt(batch), field


def test_sampled_channels_have_the_power_and_the_angular_spectrum_of_numpy():
    channel, batch = preset(PRESET), 4000
    h, reference = native_model(channel).sample(batch, seed=6), channel.sample(batch, seed=7)
    n = channel.array.n_antennas
    np.testing.assert_allclose(np.linalg.norm(h, axis=1) ** 2, n, rtol=1e-5)
    power, expected = angular_power(h, channel.array), angular_power(reference, channel.array)
    bins = np.abs(np.fft.fft2(reference.reshape(batch, 4, 16, 16), norm="ortho")) ** 2
    spread = np.std(bins, axis=0).max(axis=0)
    # Subarrays share directions, so a channel counts as one sample; 256 bins, five deviations.
    assert np.all(np.abs(power - expected) < 5 * spread * np.sqrt(2 / batch))
    for lag in (1, 5):
        mean = [np.mean(v[:, lag] * v[:, 0].conj()) for v in (h, reference)]
        assert abs(mean[0] - mean[1]) < 5 * np.sqrt(2 / batch)


def test_seeds():
    model = native_model(PRESET)
    np.testing.assert_array_equal(model.sample(5, seed=3), model.sample(5, seed=3))
    np.testing.assert_array_equal(model.sample(5, seed=3), model.response(*model.draw_paths(5, seed=3)))
    np.testing.assert_array_equal(model.sample(5, seed=3)[:2], model.sample(2, seed=3))
    assert not np.array_equal(model.sample(5, seed=3), model.sample(5, seed=4))


def test_parameters_are_those_of_the_preset():
    channel, native = preset(PRESET, los_distance=12.5), parameters(preset(PRESET, los_distance=12.5))
    assert native.los_distance == 12.5 and native.n_paths == channel.n_paths
    assert native.rayleigh_distance == channel.array.rayleigh_distance()
    assert native.n_antennas == channel.array.n_antennas
    assert "n_paths=5" in repr(native_model(PRESET))


@pytest.mark.parametrize(
    "field, value",
    [("delay", np.nan), ("distance", np.inf), ("elevation", None), ("near", None), ("amplitude", None)],
)
def test_bad_path_tables_are_refused(field, value):
    channel = preset(PRESET)
    paths = channel.draw_paths(3, np.random.default_rng(0))
    if value is None:
        setattr(paths, field, getattr(paths, field)[:, :4])
    else:
        getattr(paths, field)[1, 2] = value
    with pytest.raises(ValueError, match=field):
        native_response(channel, paths)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="name"):
        native_model("nowhere")
    with pytest.raises(ValueError, match="channel.*int"):
        native_model(3)
    with pytest.raises(ValueError, match="batch"):
        native_model(PRESET).sample(0)
    with pytest.raises(ValueError, match="delay_spread"):
        native_model(preset(PRESET, delay_spread=-1))


def air_frames(plan, channel, n_frames, noise_var, rng):
    """Samples [S, n_frames * frame_length] of ``n_frames`` and the channels [n_frames, K, N] behind them."""
    h = native_model(channel).sample(n_frames * plan.n_users, seed=8).reshape(n_frames, plan.n_users, -1)
    pieces = []
    for users in h:
        symbols = [map_indices(plan, rng.integers(0, 4, plan.n_data)) for _ in users]
        waveforms = np.array([transmit_frame(plan, k, symbols[k]) for k in range(plan.n_users)])
        beams = rng.integers(0, plan.n_beams, plan.n_subarrays)
        pieces.append(receive_over_the_air(plan, users, waveforms, beams, noise_var, rng))
    return np.concatenate(pieces, axis=1), h


def run_receiver(plan, samples, n_frames):
    """Items y [n_frames, K, M] and data [n_frames, n_data, S], and the noise variances on y."""
    tags = []
    for i in range(n_frames):
        tag = gr.tag_t()
        tag.offset, tag.key, tag.value = i * plan.frame_length, pmt.intern("thzum_frame"), pmt.from_long(i)
        tags.append(tag)
    receiver = thzum.pilot_receiver(
        plan.n_subarrays, plan.n_noise, plan.n_slots, plan.n_users, plan.n_data, plan.user_sequences
    )
    top = gr.top_block()
    y, data = blocks.vector_sink_c(plan.n_observations), blocks.vector_sink_c(plan.n_subarrays)
    for s in range(plan.n_subarrays):
        chain = samples[s].astype(np.complex64).tolist()
        source = blocks.vector_source_c(chain, False, 1, tags if s == 0 else [])
        top.connect(source, (receiver, s))
    top.connect((receiver, 0), y)
    top.connect((receiver, 1), data)
    top.run()
    noise_var = [pmt.to_double(t.value) for t in y.tags() if str(t.key) == "thzum_noise_var"]
    return (
        np.array(y.data()).reshape(n_frames, plan.n_users, -1),
        np.array(data.data()).reshape(n_frames, plan.n_data, -1),
        np.array(noise_var).reshape(n_frames, plan.n_users),
    )


def test_frames_over_the_air_are_received_as_by_the_reference():
    plan, channel, n_frames, noise_var = PilotPlan(PRESET, n_slots=32), preset(PRESET), 3, 0.05
    samples, h = air_frames(plan, channel, n_frames, noise_var, np.random.default_rng(3))
    y, data, noise_vars = run_receiver(plan, samples, n_frames)
    for i in range(n_frames):
        reference = receive_frame(plan, samples[:, i * plan.frame_length : (i + 1) * plan.frame_length])
        np.testing.assert_allclose(y[i], reference.y, atol=1e-5 * np.abs(reference.y).max())
        np.testing.assert_allclose(data[i], reference.data, atol=1e-6 * np.abs(reference.data).max())
        np.testing.assert_allclose(noise_vars[i], reference.noise_var, rtol=1e-5)
    # y = A h + noise of the variance that despreading leaves
    error = y - plan.operator.measure(h.reshape(-1, plan.n_antennas)).reshape(y.shape)
    despread_var = noise_var / plan.n_users
    assert abs(np.mean(np.abs(error) ** 2) / despread_var - 1) < 5 / np.sqrt(error.size)
    silent = n_frames * plan.n_noise * plan.n_subarrays
    assert abs(noise_vars.mean() / despread_var - 1) < 5 / np.sqrt(silent)


def test_drop_down_lists_every_preset():
    text = (pathlib.Path(__file__).parents[1] / "grc" / "thzum_hybrid_field_channel.block.yml").read_text()
    options = next(p for p in yaml.safe_load(text)["parameters"] if p["id"] == "preset")["options"]
    assert sorted(options) == sorted(presets() + ["custom"])
