# SPDX-License-Identifier: GPL-3.0-or-later
"""Confidence intervals of Monte-Carlo means."""

import numpy as np


def mean_interval(values, level=0.95):
    """Mean of independent values of at least 0 and its confidence interval: (mean, low, high).

    The interval is Student's t for the mean, carried to the logarithm by its first-order expansion (delta
    method): log mean +- t s / (mean sqrt(n)), s the sample deviation. It is symmetric in dB and its lower end
    stays above 0, which is what an error plotted in dB needs. The error of its coverage falls as
    skewness / sqrt(n).

    Args:
        values: float [n]; an infinite value makes the mean infinite.
        level: probability with which such an interval holds the true mean, above 0 and below 1.

    Returns:
        floats; the interval is NaN where it is not known: for one value, and for a mean of 0 or infinity.
    """
    from scipy.special import stdtrit

    values = np.asarray(values, float)
    if values.ndim != 1 or not len(values) or not (values >= 0).all():
        raise ValueError("values: expected a list of numbers >= 0, at least one")
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number above 0 and below 1, got {level!r}")
    mean = float(np.mean(values))
    if len(values) < 2 or mean == 0 or not np.isfinite(mean):
        return mean, float("nan"), float("nan")
    quantile = stdtrit(len(values) - 1, 0.5 + 0.5 * level)
    half = quantile * np.std(values, ddof=1) / (mean * np.sqrt(len(values)))
    return mean, float(mean * np.exp(-half)), float(mean * np.exp(half))


def rate_interval(values, level=0.95):
    """Mean of independent fractions, such as the part of each vector's symbols that is wrong: (mean, low, high).

    Wilson's score interval with an effective number of trials n_eff = mean (1 - mean) / (s^2 / n), which is what a
    binomial would need to scatter as the values do: errors inside a vector come together, and it is vectors that
    are independent. n_eff is at least n. Where no value differs from zero (or from one) n_eff = n, so that the
    interval reaches from 0 to about (1.96^2 / n) at 95 %.

    Args:
        values: float [n] from 0 to 1.
        level: probability with which such an interval holds the true mean, above 0 and below 1.
    """
    from scipy.special import ndtri

    values = np.asarray(values, float)
    if values.ndim != 1 or not len(values) or not ((0 <= values) & (values <= 1)).all():
        raise ValueError("values: expected a list of numbers from 0 to 1, at least one")
    if not 0 < level < 1:
        raise ValueError(f"level: expected a number above 0 and below 1, got {level!r}")
    n, mean = len(values), float(np.mean(values))
    spread = float(np.var(values, ddof=1)) / n if n > 1 else 0.0
    trials = max(n, mean * (1 - mean) / spread) if spread > 0 else n
    z2 = ndtri(0.5 + 0.5 * level) ** 2
    centre = (mean + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (mean * (1 - mean) / trials + z2 / (4 * trials**2))) / (1 + z2 / trials)
    return mean, float(max(centre - half, 0.0)) if mean > 0 else 0.0, float(min(centre + half, 1.0))
