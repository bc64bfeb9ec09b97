# SPDX-License-Identifier: GPL-3.0-or-later
"""Do two sets of channels of an array of subarrays come from one distribution?

A set is described by a few vectors of averages over its channels. Each vector gives one number: how far it lies
from the centre of own sets, in units of their scatter. Every number is divided by its 95 % quantile over own sets,
and the largest of these ratios is the one statistic of a set. A foreign set's is ranked among those of M own sets of
the same size (Barnard's Monte-Carlo test): if all come from one distribution, it is the largest of the M + 1 with
probability 1 / (M + 1), whatever the distribution of the statistic and however many numbers it is made of.
"""

import numpy as np


def beam_grid(size, spacing):
    """Beams along one axis of a subarray at direction cosines -1.25 to 1.25 in steps of 0.25, complex128 [11, size]."""
    cosine = np.linspace(-1.25, 1.25, 11)
    return np.exp(-2j * np.pi * spacing * np.outer(cosine, np.arange(size))) / np.sqrt(size)


def averages(h, spacing):
    """Vectors that describe a set of channels [B, S, rows, cols]; a dict of float64 [k].

    angular: power of beams over the visible disc and its rim. eigenvalues: log10 of the ten largest of the
    covariances along x and along y, the last of which lie on the edge of the visible region. energy: means and standard deviations of
    the subarrays'. cross: mean of <h_s, h_t>. coherence: mean of |<h_s, h_t>|^2 / (|h_s|^2 |h_t|^2). kurtosis: mean
    of a channel's fourth moment over its antennas.
    """
    batch, n_subarrays, rows, cols = h.shape
    vectors = h.reshape(batch, n_subarrays, rows * cols)
    beams = beam_grid(rows, spacing) @ h @ beam_grid(cols, spacing).T
    inside = np.add.outer(*2 * [np.linspace(-1.25, 1.25, 11) ** 2]) < 1.3**2
    power = np.sum(np.abs(vectors) ** 2, axis=2, dtype=float)
    first, second = np.triu_indices(n_subarrays, 1)
    inner = np.sum(vectors[:, first].conj() * vectors[:, second], axis=2)
    cross = np.mean(inner, axis=0) / (rows * cols)
    return {
        "angular": np.mean(np.abs(beams) ** 2, axis=(0, 1))[inside],
        "eigenvalues": np.concatenate([axis_profile(h), axis_profile(h.swapaxes(2, 3))]),
        "energy": np.concatenate([np.mean(power, axis=0), np.std(power, axis=0)]) / (rows * cols),
        "cross": np.concatenate([cross.real, cross.imag]),
        "coherence": np.mean(np.abs(inner) ** 2 / (power[:, first] * power[:, second]), axis=0),
        "kurtosis": np.mean(np.abs(vectors) ** 4, axis=(0, 1, 2), keepdims=True).ravel(),
    }


def axis_profile(h, count=10):
    """log10 of the largest eigenvalues of the covariance along the last axis, descending, float64 [count]."""
    lines = h.reshape(-1, h.shape[-1]).astype(complex)
    return np.log10(np.linalg.eigvalsh(lines.T @ lines.conj() / len(lines))[::-1][:count])


def subarray_covariances(h):
    """Covariance of each subarray, complex [S, n, n], of channels [B, S, rows, cols]."""
    vectors = h.reshape(*h.shape[:2], -1).swapaxes(0, 1)
    return vectors.swapaxes(1, 2) @ vectors.conj() / h.shape[0]


class OwnSets:
    """Centre, scatter and statistic of own sets, each set [B, S, rows, cols] and all of one size.

    Three disjoint groups of sets fix the centre and scatter, the quantiles, and the statistic's distribution, so
    that the rank of a set against the last group is exact.

    Args:
        centre, scale, ranked: iterables of sets, the three groups.
        spacing: element spacing in wavelengths, for the beams.
    """

    def __init__(self, centre, scale, ranked, spacing):
        self.spacing = spacing
        found, covariance = [], 0.0
        for h in centre:
            found.append(averages(h, spacing))
            covariance = covariance + subarray_covariances(h)
        stacked = {name: np.stack([f[name] for f in found]) for name in found[0]}
        self.mean = {name: np.mean(values, axis=0) for name, values in stacked.items()}
        self.scatter = {name: np.std(values, axis=0, ddof=1) for name, values in stacked.items()}
        self.covariance = covariance / len(found)
        scale = [self.distances(h) for h in scale]
        self.quantile = {name: float(np.quantile([d[name] for d in scale], 0.95)) for name in scale[0]}
        self.ranked = [self.distances(h) for h in ranked]
        self.bound = max(self.statistic(d) for d in self.ranked)

    def distances(self, h):
        """Numbers that say how far a set lies from the centre, a dict of floats.

        covariance: Frobenius distance of the subarrays' covariances, relative. angular_peak: the largest deviation
        of a beam's power in standard deviations. All others: rms deviation in standard deviations.
        """
        found = averages(h, self.spacing)
        deviation = {name: (found[name] - self.mean[name]) / self.scatter[name] for name in found}
        numbers = {name: float(np.sqrt(np.mean(value**2))) for name, value in deviation.items()}
        numbers["angular_peak"] = float(np.max(np.abs(deviation["angular"])))
        error = np.linalg.norm(subarray_covariances(h) - self.covariance)
        numbers["covariance"] = float(error / np.linalg.norm(self.covariance))
        return numbers

    def statistic(self, distances):
        """The largest of a set's distances over its 95 % quantile."""
        return max(value / self.quantile[name] for name, value in distances.items())

    def report(self, distances):
        """A line per number: it, its 95 % quantile, and its rank among own sets in [0, 1]."""
        rank = {name: np.mean([own[name] < value for own in self.ranked]) for name, value in distances.items()}
        return "\n".join(
            f"{name}: {value:.3f}, 95 % of own sets below {self.quantile[name]:.3f}, rank {rank[name]:.3f}"
            for name, value in distances.items()
        )
