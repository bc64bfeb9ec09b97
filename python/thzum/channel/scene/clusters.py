# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters of rays: the Saleh-Valenzuela model with parameters of indoor terahertz channels."""

from dataclasses import dataclass

import numpy as np

from ...array import SPEED_OF_LIGHT
from ..hardware.checks import boolean, integer, real
from ..paths import PathKind
from .component import Component
from .rays import scattered, unit_vectors

# Weight and standard deviation in degrees of two zero-mean Gaussians.
_AZIMUTH = ((0.583, 1.895), (0.417, 5.487))
_ELEVATION = ((0.724, 2.198), (0.276, 7.297))


@dataclass(frozen=True)
class Clusters(Component):
    """Clusters of rays with doubly exponential decay (Saleh and Valenzuela).

    The number of clusters and that of the rays in each are Poisson numbers, at least 1. Clusters arrive after
    the direct path as a Poisson process, and so do the rays of a cluster after its first one. A ray that is
    T + t late, T for its cluster and t inside it, has the mean power
    P_0 10^(offset_db / 10) exp(-T / cluster_decay - t / ray_decay), P_0 being that of the unobstructed direct
    path. Clusters come from directions uniform in elevation and azimuth before the array, the rays from
    around them. The scatterer stands where a single bounce explains delay and direction, on the ellipsoid with
    the user and the array as foci, but no nearer to the array than ``min_distance``.

    The defaults for 300 GHz are those of TeraMIMO's code, which names Priebe and Kuerner, IEEE Trans. Wireless
    Commun. 12 (9), 2013 as their source. Its Gaussian mixtures of angles are taken here as standard deviations
    in degrees.

    Attributes:
        mean_clusters, mean_rays: means of the Poisson numbers.
        cluster_rate, ray_rate: arrivals per second.
        cluster_decay, ray_decay: decay constants of the power in s.
        offset_db: mean power of a ray without delay, relative to the direct path.
        rayleigh: True draws Rayleigh amplitudes of that mean power, False takes its square root.
        azimuth_mixture, elevation_mixture: angles of rays from that of their cluster, a list of
            [weight, standard deviation in degrees].
        min_distance: of a scatterer from the array's origin in m.
        max_clusters: numbers of clusters above it are cut off.
        max_paths: places for rays in the path table; rays beyond it, of the latest clusters, are left out.
    """

    mean_clusters: float = 1 / 0.13
    mean_rays: float = 1 / 0.37
    cluster_rate: float = 0.13e9
    ray_rate: float = 0.37e9
    cluster_decay: float = 3.12e-9
    ray_decay: float = 0.91e-9
    offset_db: float = 0.0
    rayleigh: bool = False
    azimuth_mixture: tuple = _AZIMUTH
    elevation_mixture: tuple = _ELEVATION
    min_distance: float = 1.0
    max_clusters: int = 40
    max_paths: int = 64

    def __post_init__(self):
        for name in ("mean_clusters", "mean_rays"):
            self._set(**{name: real(name, getattr(self, name), above=0.0, high=1000.0)})
        for name in ("cluster_rate", "ray_rate", "cluster_decay", "ray_decay", "min_distance"):
            self._set(**{name: real(name, getattr(self, name), above=0.0)})
        self._set(
            offset_db=real("offset_db", self.offset_db, low=-200, high=200),
            rayleigh=boolean("rayleigh", self.rayleigh),
            azimuth_mixture=_mixture("azimuth_mixture", self.azimuth_mixture),
            elevation_mixture=_mixture("elevation_mixture", self.elevation_mixture),
            max_clusters=integer("max_clusters", self.max_clusters, 1),
            max_paths=integer("max_paths", self.max_paths, 1, 100000),
        )
        if self.mean_clusters > self.max_clusters:
            raise ValueError(
                f"mean_clusters: expected at most max_clusters = {self.max_clusters}, got {self.mean_clusters:g}; "
                "raise max_clusters well above the mean"
            )
        if self.mean_clusters * self.mean_rays > self.max_paths:
            raise ValueError(
                f"max_paths: expected at least mean_clusters * mean_rays = {self.mean_clusters * self.mean_rays:g} "
                f"places, got {self.max_paths}; raise it to about twice that"
            )

    @property
    def n_paths(self):
        """Places for paths."""
        return self.max_paths

    def draw_delays(self, n, rng):
        """Rays of ``n`` channels, packed to the front: (cluster, cluster_delay, ray_delay), each [n, max_paths].

        ``cluster`` is the number of a ray's cluster in its channel, or -1 where there is no ray; delays in s.
        """
        n_clusters = np.minimum(np.maximum(1, rng.poisson(self.mean_clusters, n)), self.max_clusters)
        n_rays = np.maximum(1, rng.poisson(self.mean_rays, (n, n_clusters.max())))
        n_rays[np.arange(n_rays.shape[1]) >= n_clusters[:, None]] = 0
        late = np.cumsum(rng.exponential(1 / self.cluster_rate, n_rays.shape), axis=1)
        end = np.cumsum(n_rays, axis=1)
        # Ray number r of a channel belongs to the first cluster whose rays end after r.
        places = np.arange(self.max_paths)
        cluster = np.sum(places[:, None] >= end[:, None, :], axis=-1)
        taken = places < end[:, -1:]
        cluster = np.where(taken, cluster, -1)
        gap = rng.exponential(1 / self.ray_rate, cluster.shape)
        first = np.take_along_axis(end - n_rays, np.maximum(cluster, 0), axis=1)
        total = np.cumsum(gap, axis=1)
        ray_delay = total - np.take_along_axis(total, np.minimum(first, self.max_paths - 1), axis=1)
        cluster_delay = np.take_along_axis(late, np.maximum(cluster, 0), axis=1)
        return cluster, np.where(taken, cluster_delay, 0.0), np.where(taken, ray_delay, 0.0)

    def draw(self, array, users, loss, rng):
        """:class:`Rays` [B, K, max_paths]."""
        shape = (*users.shape[:-1], self.max_paths)
        n = int(np.prod(shape[:-1]))
        cluster, late, ray = (part.reshape(shape) for part in self.draw_delays(n, rng))
        user = array.to_local(users)
        direct = np.linalg.norm(user, axis=-1)[..., None]
        power = loss.gain(direct) ** 2 * 10 ** (0.1 * self.offset_db)
        power = power * np.exp(-late / self.cluster_decay - ray / self.ray_decay)
        if self.rayleigh:
            power = power * rng.exponential(1.0, shape)
        direction = self._directions(cluster, rng)
        length = direct + SPEED_OF_LIGHT * (late + ray)
        along = np.einsum("...li,...i->...l", direction, user)
        single_bounce = (length**2 - direct**2) / np.maximum(2 * (length - along), 1e-9 * length)
        distance = np.maximum(single_bounce, self.min_distance)
        amplitude = np.where(cluster >= 0, np.sqrt(power), 0.0)
        return scattered(array, amplitude, loss.delay(length), direction, distance, PathKind.CLUSTERED, rng)

    def _directions(self, cluster, rng):
        """Unit vectors of the array's frame, float64 [..., L, 3]."""
        means = (*cluster.shape[:-1], max(1, int(cluster.max()) + 1))
        index = np.maximum(cluster, 0)
        angles = []
        for low, mixture in ((-0.5 * np.pi, self.elevation_mixture), (-np.pi, self.azimuth_mixture)):
            mean = np.take_along_axis(rng.uniform(low, -low, means), index, axis=-1)
            weight, deviation = np.array(mixture).T
            spread = deviation[rng.choice(len(weight), cluster.shape, p=weight / weight.sum())]
            angles.append(mean + np.deg2rad(spread) * rng.standard_normal(cluster.shape))
        # A ray that would come from behind the array's plane comes from its mirror image before it.
        direction = unit_vectors(*angles)
        direction[..., 2] = np.abs(direction[..., 2])
        return direction


def _mixture(name, value):
    try:
        pairs = np.asarray(value, float).reshape(-1, 2)
    except (TypeError, ValueError):
        pairs = np.full((1, 2), np.nan)
    if not (len(pairs) and np.all(np.isfinite(pairs)) and np.all(pairs[:, 0] > 0) and np.all(pairs[:, 1] >= 0)):
        raise ValueError(
            f"{name}: expected a list of [weight above 0, standard deviation of at least 0 in degrees], got {value!r}"
        )
    return tuple((float(weight), float(deviation)) for weight, deviation in pairs)
