# SPDX-License-Identifier: GPL-3.0-or-later
"""Do two sets of channels of an array of subarrays come from one distribution?

A set is described by a few vectors of averages over its channels. Each vector gives one number: how far it lies
from the centre of own sets, in units of their scatter. Every number is standardised by its mean and standard
deviation over own sets, and the largest is the one statistic of a set. A foreign set's is ranked among those of M
own sets of the same size (Barnard's Monte-Carlo test): if all come from one distribution, it is the largest of the
M + 1 with probability 1 / (M + 1), whatever the distribution of the statistic and of the numbers it is made of.
"""

import numpy as np

COSINES = np.linspace(-1.25, 1.25, 11)


def beam_grid(size, spacing):
    """Beams along one axis of a subarray at the direction COSINES, complex64 [11, size]."""
    beams = np.exp(-2j * np.pi * spacing * np.outer(COSINES, np.arange(size))) / np.sqrt(size)
    return beams.astype(np.complex64)


def averages(h, spacing):
    """Vectors that describe a set of channels [B, S, rows, cols]; a dict of float64 [k].

    angular: power of beams over the visible disc and its rim. eigenvalues: log10 of the ten largest of the
    covariances along x and along y, the last of which lie on the edge of the visible region. energy: means and
    standard deviations of the subarrays'. cross: mean of <h_s, h_t>. coherence: mean of |<h_s, h_t>|^2 /
    (|h_s|^2 |h_t|^2). kurtosis: mean of the fourth moment of the antennas.
    """
    batch, n_subarrays, rows, cols = h.shape
    vectors = h.reshape(batch, n_subarrays, rows * cols)
    beams = beam_grid(rows, spacing) @ h @ beam_grid(cols, spacing).T
    inside = np.add.outer(COSINES**2, COSINES**2) < 1.3**2
    squared = np.abs(vectors) ** 2
    power = np.sum(squared, axis=2, dtype=float)
    first, second = np.triu_indices(n_subarrays, 1)
    inner = (vectors.conj() @ vectors.swapaxes(1, 2))[:, first, second]
    cross = np.mean(inner, axis=0) / (rows * cols)
    return {
        "angular": np.mean(np.abs(beams) ** 2, axis=(0, 1))[inside],
        "eigenvalues": np.concatenate([axis_profile(h), axis_profile(h.swapaxes(2, 3))]),
        "energy": np.concatenate([np.mean(power, axis=0), np.std(power, axis=0)]) / (rows * cols),
        "cross": np.concatenate([cross.real, cross.imag]),
        "coherence": np.mean(np.abs(inner) ** 2 / (power[:, first] * power[:, second]), axis=0),
        "kurtosis": np.mean(squared**2, dtype=float, keepdims=True).ravel(),
    }


def axis_profile(h, count=10):
    """log10 of the largest eigenvalues of the covariance along the last axis, descending, float64 [count]."""
    lines = h.reshape(-1, h.shape[-1])
    return np.log10(np.linalg.eigvalsh(lines.T @ lines.conj() / len(lines))[::-1][:count])


def subarray_covariances(h):
    """Covariance of each subarray, complex [S, n, n], of channels [B, S, rows, cols]."""
    vectors = h.reshape(*h.shape[:2], -1).swapaxes(0, 1)
    return vectors.swapaxes(1, 2) @ vectors.conj() / h.shape[0]


class OwnSets:
    """Centre, scatter and statistic of own sets, each set [B, S, rows, cols] and all of one size.

    Three disjoint groups of sets fix the centre and scatter, the scale of the distances, and the statistic's
    distribution, so that the rank of a set against the last group is exact.

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
        stacked = _columns(found)
        self.mean = {name: np.mean(values, axis=0) for name, values in stacked.items()}
        self.scatter = {name: np.std(values, axis=0, ddof=1) for name, values in stacked.items()}
        self.covariance = covariance / len(found)
        scale = [self.distances(h) for h in scale]
        self.scale = {name: (np.mean(v), np.std(v, ddof=1)) for name, v in _columns(scale).items()}
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
        """The largest of a set's distances, each standardised by its mean and standard deviation over own sets."""
        return max((value - self.scale[name][0]) / self.scale[name][1] for name, value in distances.items())

    def report(self, distances):
        """A line per distance: it, median and 95 % quantile of own sets, and its rank among them in [0, 1]."""
        own = _columns(self.ranked)
        return "\n".join(
            f"{name}: {value:.3f}, own sets' median {np.median(own[name]):.3f}, 95 % below "
            f"{np.quantile(own[name], 0.95):.3f}, rank {np.mean(own[name] < value):.3f}"
            for name, value in distances.items()
        )


def _columns(rows):
    """A dict of arrays from a list of dicts of numbers."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
