# SPDX-License-Identifier: GPL-3.0-or-later
"""Code books of an array: far-field (DFT), polar (direction and distance) and hybrid-field."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .geometry import SubarrayArray
from .steering import steering_vectors

def visible_directions(rows, cols, spacing, oversampling=2):
    """Beam directions in cycles per element, float64 [n_beams, 2] as (row axis, column axis).

    They lie on the grid of a 2-D DFT of ``oversampling * rows`` by ``oversampling * cols`` bins, inside
    the disc |u| <= ``spacing`` (element spacing in wavelengths) that plane waves can occupy.
    """
    if int(oversampling) != oversampling or oversampling < 1:
        raise ValueError(f"oversampling: expected an integer of at least 1, got {oversampling!r}")
    if not (np.isfinite(spacing) and spacing > 0):
        raise ValueError(f"spacing: expected a positive number of wavelengths, got {spacing!r}")

    def axis(size):
        bins = int(oversampling) * size
        bin_number = np.arange(-(bins // 2), (bins + 1) // 2)
        return bin_number / bins

    v, u = np.meshgrid(axis(rows), axis(cols), indexing="ij")
    seen = u**2 + v**2 <= spacing**2
    return np.stack([v[seen], u[seen]], axis=1)


@dataclass(frozen=True)
class Codebook:
    """Steering vectors that sample directions and distances; field [A] each.

    Attributes:
        array: the :class:`SubarrayArray`.
        ux, uy: float64, direction cosines of the sources seen from the array's centre.
        distance: float64, of the sources from the array's centre in m; infinity is the far field.
        wavefront: of the atoms with a distance, see :func:`~gnuradio.thzum.array.steering_vectors`.
    """

    array: SubarrayArray
    ux: np.ndarray
    uy: np.ndarray
    distance: np.ndarray
    wavefront: str = "spherical"

    def __len__(self):
        return len(self.distance)

    @cached_property
    def atoms(self):
        """The steering vectors, complex128 [A, N] of unit norm; channels are sums of them without conjugation."""
        uz = np.sqrt(np.maximum(1.0 - self.ux**2 - self.uy**2, 0.0))
        far = np.isinf(self.distance)
        reach = np.where(far, 0.0, self.distance)[:, None]
        points = np.concatenate([0.5 * self.array.aperture, [0.0]]) + reach * np.stack([self.ux, self.uy, uz], axis=1)
        # What is far has one direction from everywhere; the other sources move with the origin.
        direction = np.where(far[:, None], np.stack([self.ux, self.uy, uz], axis=1), points)
        across = np.hypot(direction[:, 0], direction[:, 1])
        elevation, azimuth = np.arctan2(across, direction[:, 2]), np.arctan2(direction[:, 1], direction[:, 0])
        distance = np.where(far, np.inf, np.linalg.norm(points, axis=1))
        atoms = steering_vectors(self.array, elevation, azimuth, distance, self.wavefront)
        return atoms / np.linalg.norm(atoms, axis=1, keepdims=True)

    def coherence(self):
        """Largest magnitude of the inner product of two different atoms."""
        gram = np.abs(self.atoms.conj() @ self.atoms.T)
        np.fill_diagonal(gram, 0.0)
        return float(gram.max())

    def ring_coherence(self):
        """Largest magnitude of the inner product of two atoms of the same direction; 0 if there is one distance."""
        gram = np.abs(self.atoms.conj() @ self.atoms.T)
        np.fill_diagonal(gram, 0.0)
        same = (self.ux[:, None] == self.ux) & (self.uy[:, None] == self.uy)
        return float(np.where(same, gram, 0.0).max())


def far_field_codebook(array, oversampling=1):
    """Plane waves over the whole array in the directions that a DFT resolves, a :class:`Codebook`.

    A line along x of N elements has the N directions (2 n - N + 1) / (2 N spacing) of the centred DFT, those of
    them that are visible. Planar arrays have the visible bins of the 2-D DFT of one subarray
    (:func:`visible_directions`); between subarrays that stand apart, the response turns faster than that grid
    follows, so raise ``oversampling`` where atoms must be close to every plane wave.
    """
    ux, uy = _directions(array, oversampling)
    return Codebook(array, ux, uy, np.full(len(ux), np.inf))


def polar_codebook(array, min_distance, beta=1.2, oversampling=1, max_distance=None, wavefront="spherical"):
    """Code book over direction and distance (Cui and Dai, IEEE Trans. Commun. 2022), a :class:`Codebook`.

    Each direction u has the far field as ring s = 0 and sources at r_s = (Z / s) (1 - u^2), s = 1, 2, …, down to
    ``min_distance``; Z = D^2 / (2 beta^2 lambda) with D = N d on a line. Rings of one direction are evenly spaced
    in 1/r, and neighbours have the coherence |C(beta) + j S(beta)| / beta (Fresnel integrals): 0.79 for
    beta = 1.2, 0.46 for 1.6. On planar arrays D^2 (1 - u^2) is that of the axis along which it is larger; the
    wavefront bends along the other one too, so the coherence is lower by at most that axis's own factor, and the
    gaps of an array of subarrays change it in either direction: see :meth:`Codebook.ring_coherence`.

    Args:
        array: a :class:`SubarrayArray`.
        min_distance: of the nearest ring from the array's centre in m; sources must be outside the array.
        beta: ring spacing, positive; larger is coarser and less coherent.
        oversampling: of the directions, see :func:`far_field_codebook`.
        max_distance: rings farther than this are left out (the far field is kept); None keeps all.
        wavefront: "spherical", "subarray" or "exact".
    """
    min_distance, beta = _positive("min_distance", min_distance), _positive("beta", beta)
    limit = np.inf if max_distance is None else _positive("max_distance", max_distance)
    if min_distance < array.wavelength:
        raise ValueError(
            f"min_distance: expected at least a wavelength, {array.wavelength:g} m, got {min_distance:g} m"
        )
    if limit < min_distance:
        raise ValueError(f"max_distance: expected at least min_distance = {min_distance:g} m, got {limit:g}")
    ux, uy = _directions(array, oversampling)
    step = array.spacing * array.wavelength
    width, height = np.where(array.aperture > 0, array.aperture + step, 0.0)
    bending = np.maximum(width**2 * (1 - ux**2), height**2 * (1 - uy**2))
    nearest = bending / (2 * beta**2 * array.wavelength)
    rings = int(np.floor(np.max(nearest) / min_distance))
    s = np.arange(rings + 1)
    distance = np.where(s == 0, np.inf, nearest[:, None] / np.maximum(s, 1))
    kept = (s == 0) | ((distance >= min_distance) & (distance <= limit))
    of_direction, _ = np.nonzero(kept)
    return Codebook(array, ux[of_direction], uy[of_direction], distance[kept], wavefront)


def hybrid_field_codebook(array, min_distance, beta=1.2, oversampling=1):
    """Far-field and near-field atoms of an array of subarrays, a :class:`Codebook`.

    The far-field atoms are those of :func:`far_field_codebook`, the near-field ones the rings of
    :func:`polar_codebook` between ``min_distance`` and the Rayleigh distance, spherical between subarrays and
    plane inside them (spherical throughout on an array of one subarray): the two kinds of paths of a
    hybrid-field channel.
    """
    far_from = array.rayleigh_distance()
    if not min_distance < far_from:
        raise ValueError(
            f"min_distance: expected less than the Rayleigh distance of {far_from:.3g} m, got {min_distance!r}; "
            "farther sources are in far_field_codebook"
        )
    wavefront = "subarray" if array.n_subarrays > 1 else "spherical"
    return polar_codebook(array, min_distance, beta, oversampling, far_from, wavefront)


def _directions(array, oversampling):
    """Direction cosines ux, uy, two float64 [A]."""
    if array.sub_rows == array.rows == 1:
        if int(oversampling) != oversampling or oversampling < 1:
            raise ValueError(f"oversampling: expected an integer of at least 1, got {oversampling!r}")
        count = int(oversampling) * array.sub_cols * array.cols
        ux = (2 * np.arange(count) - count + 1) / (2 * count * array.spacing)
        ux = ux[np.abs(ux) <= 1]
        return ux, np.zeros_like(ux)
    uy, ux = visible_directions(array.rows, array.cols, array.spacing, oversampling).T / array.spacing
    return ux, uy


def _positive(name, value):
    if not (np.isscalar(value) and np.isreal(value) and np.isfinite(value) and value > 0):
        raise ValueError(f"{name}: expected a positive number, got {value!r}")
    return float(value)
