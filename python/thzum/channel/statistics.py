# SPDX-License-Identifier: GPL-3.0-or-later
"""Statistics of channels, from path tables and from the channels themselves.

Functions of a path table weight each path with its power: amplitude squared times the share of the subarrays
that see it. They return one value for each channel, of the table's leading shape. Functions of channels take
the arrays of a :class:`~gnuradio.thzum.channel.ChannelBatch`, whose last axis is the antennas'.
"""

import numpy as np

from .hardware.checks import real
from .keys import one_of
from .paths import PathKind

#: Definitions of :func:`coherence_bandwidth` and of :func:`coherence_time`.
BANDWIDTH_DEFINITIONS = ("rms", "correlation")
TIME_DEFINITIONS = ("maximum", "correlation")

# Points in one period of the fastest beat of two paths when a correlation is scanned, and beats scanned.
_POINTS_PER_BEAT = 64
_BEATS = 64


def path_power(paths):
    """Power of each path, float64 [..., L]."""
    power = np.asarray(paths.amplitude, float) ** 2
    return power if paths.visible is None else power * np.mean(paths.visible, axis=-1)


def total_power(paths):
    """Sum of the powers of a channel's paths, float64 [...]."""
    return np.sum(path_power(paths), axis=-1)


def k_factor(paths):
    """Power of the line of sight over that of all other paths: 0 without one, inf with nothing else."""
    power = path_power(paths)
    direct = np.asarray(paths.kind) == PathKind.LINE_OF_SIGHT
    return _ratio(np.sum(power * direct, axis=-1), np.sum(power * ~direct, axis=-1))


def mean_excess_delay(paths):
    """Mean delay behind the first path in s, weighted with power; nan for a channel without power."""
    power = path_power(paths)
    first = np.min(np.where(power > 0, paths.delay, np.inf), axis=-1, keepdims=True)
    return _moments(power, np.where(power > 0, paths.delay - first, 0.0))[0]


def rms_delay_spread(paths):
    """Standard deviation of the delay in s, weighted with power; nan for a channel without power."""
    return _moments(path_power(paths), paths.delay)[1]


def coherence_bandwidth(paths, definition="rms", level=0.5):
    """Coherence bandwidth in Hz.

    Args:
        paths: a :class:`PathTable`.
        definition: "rms" is 1 / (5 tau_rms). "correlation" is the smallest frequency difference at which the
            correlation |sum_l p_l exp(-j 2 pi df tau_l)| / sum_l p_l has fallen to ``level``.
        level: above 0 and below 1.

    Returns float64 [...]; inf where a channel has one path or never falls so far (within 64 beats of
    its extreme delays).
    """
    one_of("definition", definition, BANDWIDTH_DEFINITIONS)
    if definition == "rms":
        return _ratio(1.0, 5 * rms_delay_spread(paths))
    return _correlation_width(path_power(paths), paths.delay, level)


def doppler_spread(paths):
    """Standard deviation of the Doppler shift in Hz, weighted with power; nan for a channel without power."""
    return _moments(path_power(paths), paths.doppler)[1]


def maximum_doppler(paths):
    """Largest magnitude of a Doppler shift among the paths with power, in Hz."""
    return np.max(np.where(path_power(paths) > 0, np.abs(paths.doppler), 0.0), axis=-1)


def coherence_time(paths, definition="correlation", level=0.5):
    """Coherence time in s.

    Args:
        paths: a :class:`PathTable`.
        definition: "correlation" is the smallest time difference at which the correlation
            |sum_l p_l exp(j 2 pi dt nu_l)| / sum_l p_l has fallen to ``level``; "maximum" is the rule
            9 / (16 pi nu_max), made for the Doppler spectrum of Clarke's model.
        level: above 0 and below 1.

    Returns float64 [...]; inf where nothing moves and where the correlation never falls so far.
    """
    one_of("definition", definition, TIME_DEFINITIONS)
    if definition == "maximum":
        return _ratio(9 / (16 * np.pi), maximum_doppler(paths))
    return _correlation_width(path_power(paths), paths.doppler, level)


def channel_loss_db(paths):
    """Loss from one isotropic antenna to another in dB, -10 log10 of :func:`total_power`; inf without power."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(total_power(paths))


def frequency_correlation(channels):
    """Correlation of each channel between subcarriers of a given distance, complex128 [..., F].

    R(m) = sum h(f)^* h(f + m) / ((F - m) mean |h|^2), summed over the antennas and the F - m pairs of
    subcarriers; R(0) = 1, and nan for a channel without power.

    Args:
        channels: complex [..., F, N].
    """
    channels = _channels(channels, 2).astype(complex)
    count = channels.shape[-2]
    transformed = np.fft.fft(channels, 2 * count, axis=-2)
    lags = np.fft.ifft(np.sum(np.abs(transformed) ** 2, axis=-1), axis=-1)[..., :count] / np.arange(count, 0, -1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return lags / lags[..., :1].real


def coherence_bandwidth_of_channels(channels, frequencies, level=0.5):
    """Frequency difference in Hz at which :func:`frequency_correlation` has fallen to ``level``, float64 [...].

    Linear between subcarriers, whose spacing it should exceed; inf where the correlation does not fall so far
    within half the band (beyond it a few pairs of subcarriers alone would decide).

    Args:
        channels: complex [..., F, N].
        frequencies: float64 [F], uniform, in Hz.
        level: above 0 and below 1.
    """
    level = real("level", level, above=0.0, high=1.0 - 1e-9)
    step = _step(channels, frequencies)
    magnitude = np.abs(frequency_correlation(channels))[..., : max(2, (len(frequencies) + 1) // 2)]
    below = magnitude <= level
    k = np.maximum(np.argmax(below, axis=-1), 1)[..., None]
    before, after = (np.take_along_axis(magnitude, at, axis=-1)[..., 0] for at in (k - 1, k))
    with np.errstate(invalid="ignore", divide="ignore"):
        width = step * (k[..., 0] - 1 + (before - level) / (before - after))
    return np.where(np.any(below, axis=-1), width, np.inf)[()]


def power_delay_profile(channels, frequencies, window="hann"):
    """Power against delay, averaged over all antennas and leading axes.

    The response over F subcarriers of spacing s shows delays modulo 1 / s with the resolution 1 / (F s).

    Args:
        channels: complex [..., F, N].
        frequencies: float64 [F], uniform, in Hz.
        window: "hann" (side lobes fall fast) or "rectangular" (finest resolution).

    Returns delays in s and power, two float64 [F]; the powers add up to the mean of ||h||^2 over the
    frequencies with the rectangular window.
    """
    one_of("window", window, ("hann", "rectangular"))
    channels = _channels(channels, 2)
    step, count = _step(channels, frequencies), len(frequencies)
    taper = np.ones(count) if window == "rectangular" else 0.5 - 0.5 * np.cos(
        2 * np.pi * (np.arange(count) + 0.5) / count
    )
    taper /= np.sqrt(np.mean(taper**2))
    impulse = np.fft.ifft(channels * taper[:, None], axis=-2)
    power = np.sum(np.mean(np.abs(impulse.reshape(-1, *impulse.shape[-2:])) ** 2, axis=0), axis=-1)
    return np.arange(count) / (count * step), power


def delay_spread_of_channels(channels, frequencies, window="hann"):
    """Standard deviation of the delay in s under :func:`power_delay_profile`.

    Delays are taken modulo 1 / spacing around their circular mean. The window's own width is part of the
    result: for "hann" about 0.7 / bandwidth.
    """
    delays, power = power_delay_profile(channels, frequencies, window)
    period = len(delays) * (delays[1] - delays[0])
    centre = np.angle(np.sum(power * np.exp(2j * np.pi * delays / period))) * period / (2 * np.pi)
    around = np.remainder(delays - centre + 0.5 * period, period) - 0.5 * period
    return float(_moments(power, around)[1])


def singular_values(channels):
    """Singular values of the users' matrices, descending, float64 [..., min(K, N)].

    Args:
        channels: complex [..., K, N]. Of channels [B, K, F, N] pass ``np.moveaxis(channels, 1, 2)``.
    """
    return np.linalg.svd(_channels(channels, 2).astype(complex), compute_uv=False)


def rank(channels, tolerance=None):
    """Number of singular values above ``tolerance`` times the largest, integer [...].

    The default tolerance is max(K, N) times the resolution of the channels' own precision.
    """
    channels = _channels(channels, 2)
    if tolerance is None:
        tolerance = max(channels.shape[-2:]) * np.finfo(channels.real.dtype).eps
    tolerance = real("tolerance", tolerance, low=0.0, high=1.0)
    values = singular_values(channels)
    return np.sum(values > tolerance * values[..., :1], axis=-1)


def effective_rank(channels):
    """exp of the entropy of the normalised singular values (Roy and Vetterli, EUSIPCO 2007), float64 [...]."""
    values = singular_values(channels)
    share = _ratio(values, np.sum(values, axis=-1, keepdims=True))
    return np.exp(-np.sum(share * np.log(np.where(share > 0, share, 1.0)), axis=-1))


def condition_number(channels):
    """Largest over smallest of the min(K, N) singular values, float64 [...]; inf for a singular matrix."""
    values = singular_values(channels)
    return _ratio(values[..., 0], values[..., -1])


def summary(batch):
    """Statistics of a :class:`ChannelBatch`: {name: {"unit", "mean", "median", "low", "high"}}.

    ``low`` and ``high`` are the 5 and 95 % quantiles over the channels (and users). A statistic that needs
    an axis or a motion that the batch lacks is left out. Ratios stand in dB, and their mean is that of the
    dB values; values that are infinite are left out of it and counted under "infinite".
    """
    paths = batch.paths
    found = {}
    if "scene" in batch.config.get("model", {}):
        # The amplitudes of the other models are relative to the line of sight.
        found["path_loss"] = ("dB", channel_loss_db(paths))
    found |= {
        "k_factor": ("dB", _db(k_factor(paths))),
        "mean_excess_delay": ("s", mean_excess_delay(paths)),
        "rms_delay_spread": ("s", rms_delay_spread(paths)),
        "coherence_bandwidth": ("Hz", coherence_bandwidth(paths)),
        "coherence_bandwidth_correlation": ("Hz", coherence_bandwidth(paths, "correlation")),
    }
    if np.any(paths.doppler):
        found["doppler_spread"] = ("Hz", doppler_spread(paths))
        found["maximum_doppler"] = ("Hz", maximum_doppler(paths))
        found["coherence_time"] = ("s", coherence_time(paths))
    if batch.n_users is not None:
        matrices = batch.channels if batch.frequencies is None else np.moveaxis(batch.channels, 1, 2)
        found["rank"] = ("", rank(matrices))
        found["effective_rank"] = ("", effective_rank(matrices))
        found["condition_number"] = ("dB", 2 * _db(condition_number(matrices)))
    if batch.frequencies is not None and len(batch.frequencies) > 2:
        wide = coherence_bandwidth_of_channels(batch.channels, batch.frequencies)
        found["coherence_bandwidth_of_channels"] = ("Hz", wide)
    return {name: {"unit": unit, **_described(values)} for name, (unit, values) in found.items()}


def _described(values):
    values = np.ravel(np.asarray(values, float))
    finite = values[np.isfinite(values)]
    described = dict.fromkeys(("mean", "median", "low", "high"))
    if len(finite):
        low, median, high = np.quantile(finite, (0.05, 0.5, 0.95))
        described = {"mean": float(np.mean(finite)), "median": median, "low": low, "high": high}
        described = {name: float(value) for name, value in described.items()}
    return {**described, "infinite": int(np.sum(~np.isfinite(values)))}


def _db(ratio):
    with np.errstate(divide="ignore"):
        return 10 * np.log10(ratio)


def _ratio(above, below):
    """above / below with inf over zero, and 0 / 0 = nan."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(above, float) / below


def _moments(power, values):
    """Mean and standard deviation of ``values`` [..., L] under the weights ``power``."""
    total = np.sum(power, axis=-1)
    # Delays are long and their spread is short: differences to one of them keep the digits.
    anchor = np.take_along_axis(values, np.argmax(power, axis=-1)[..., None], axis=-1)
    offset = np.asarray(values, float) - anchor
    mean = _ratio(np.sum(power * offset, axis=-1), total)
    centred = offset - mean[..., None]
    return mean + anchor[..., 0], np.sqrt(_ratio(np.sum(power * centred**2, axis=-1), total))


def _correlation_width(power, values, level):
    """Smallest x at which |sum p exp(-j 2 pi x v)| / sum p is down to ``level``, float64 [...]."""
    level = real("level", level, above=0.0, high=1.0 - 1e-9)
    shape = power.shape[:-1]
    rows = zip(power.reshape(-1, power.shape[-1]), np.broadcast_to(values, power.shape).reshape(-1, power.shape[-1]))
    return np.array([_width_of_one(p, v, level) for p, v in rows]).reshape(shape)[()]


def _width_of_one(power, values, level):
    used = power > 0
    share, offset = power[used] / np.sum(power[used]), values[used]
    # No sum of phasors falls below the strongest's lead over all others together.
    if len(share) == 0 or 2 * np.max(share) - 1 > level or np.ptp(offset) == 0:
        return np.inf
    offset = offset - offset[0]
    beat = 1 / np.ptp(offset)

    def correlation(x):
        return np.abs(np.exp(-2j * np.pi * np.outer(x, offset)) @ share)

    step = beat / _POINTS_PER_BEAT
    for start in range(0, _BEATS, 8):
        grid = (start * _POINTS_PER_BEAT + np.arange(8 * _POINTS_PER_BEAT + 1)) * step
        below = np.flatnonzero(correlation(grid) <= level)
        if len(below):
            return _bisected(correlation, grid[max(below[0] - 1, 0)], grid[below[0]], level)
    return np.inf


def _bisected(function, low, high, level):
    """Where ``function`` crosses ``level`` between ``low``, where it is above, and ``high``."""
    for _ in range(48):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if function(np.array([middle]))[0] <= level else (middle, high)
    return high


def _channels(channels, ndim):
    channels = np.asarray(channels)
    if channels.dtype.kind != "c" or channels.ndim < ndim:
        got = f"{channels.dtype} {channels.shape}"
        raise ValueError(f"channels: expected complex values with at least {ndim} axes, got {got}")
    return channels


def _step(channels, frequencies):
    """Spacing of the uniform grid ``frequencies``."""
    frequencies = np.asarray(frequencies, float)
    if frequencies.ndim != 1 or len(frequencies) < 2 or np.shape(channels)[-2] != len(frequencies):
        raise ValueError(
            "frequencies: expected one value for each of at least 2 subcarriers of channels [..., F, N], "
            f"got shape {frequencies.shape} for channels {np.shape(channels)}"
        )
    steps = np.diff(frequencies)
    if not (steps[0] > 0 and np.allclose(steps, steps[0], rtol=1e-6)):
        raise ValueError("frequencies: expected a uniform, increasing grid")
    return float((frequencies[-1] - frequencies[0]) / (len(frequencies) - 1))
