# SPDX-License-Identifier: GPL-3.0-or-later
"""What bounds an estimator: genies that know the paths, Cramer-Rao bounds, and all antennas observed.

Errors are mean-square errors ||h_hat - h||^2 over ||h||^2 of a channel, not in dB. Noise is white after the pilot
operator's whitening, of variance ``noise_var``. Bounds on unbiased estimates are no bounds on estimators that leave
out paths too weak to find: at low SNR those may do better.
"""

import numpy as np

from .channel import subarray_waves

MODELS = ("free", "coherent")


def pilot_matrix(op):
    """What the whitened pilots see of each subarray, complex128 [S, R, rows * cols]."""
    n = op.n_antennas // op.shape.n_subarrays
    probes = np.tile(np.eye(n, dtype=np.complex64), (1, op.shape.n_subarrays))
    seen = op.whiten(op.measure(probes)).reshape(n, op.shape.n_subarrays, -1)
    return np.moveaxis(seen, 0, -1).astype(complex)


def path_responses(array, paths):
    """Share of each path in a channel, complex128 [..., L, S, n]; their sum has the squared norm N."""
    waves = subarray_waves(array, paths).per_path()
    waves = waves.reshape(*waves.shape[:-2], -1)
    power = np.sum(np.abs(waves.sum(axis=-3)) ** 2, axis=(-2, -1), keepdims=True)
    return waves * np.sqrt(array.n_antennas / power)[..., None]


class Genie:
    """Least squares with the waves of one channel known, its gains not.

    Args:
        op: the pilot operator.
        waves: complex [L, S, n], as :func:`path_responses` gives them.
        model: "free", a gain of its own for each path in each subarray (the directions are known, the phases between
            subarrays are not), or "coherent", one gain for each path (its distance is known as well).
    """

    def __init__(self, op, waves, model):
        _check_model(model)
        self.op = op
        self.pilots = pilot_matrix(op)
        self.waves = np.moveaxis(np.asarray(waves, complex), 0, -1)  # [S, n, L]
        if self.waves.shape[:2] != (self.pilots.shape[0], self.pilots.shape[2]):
            expected = f"[L, {self.pilots.shape[0]}, {self.pilots.shape[2]}]"
            raise ValueError(f"waves: expected {expected}, got {np.shape(waves)}")
        # Blocks of unknowns that are fitted together: one for each subarray, or one for all.
        stack = (lambda x: x) if model == "free" else (lambda x: x.reshape(1, -1, x.shape[-1]))
        self.basis = stack(self.waves)
        self.seen = stack(self.pilots @ self.waves)
        self.fit = np.linalg.pinv(self.seen, rcond=1e-9)

    def estimate(self, y):
        """h_hat [N] from the pilots [M]."""
        u = np.reshape(self.op.whiten(np.asarray(y, np.complex64)), (len(self.fit), -1, 1))
        return (self.basis @ (self.fit @ u)).ravel()

    def error(self, noise_var):
        """Expected error of :meth:`estimate` in closed form: noise_var ||basis fit||_F^2 / ||h||^2."""
        energy = np.sum(np.abs(self.waves.sum(axis=-1)) ** 2)
        return noise_var * np.sum(np.abs(self.basis @ self.fit) ** 2) / energy


def wave_slopes(array, paths):
    """Derivatives of the phase of every path at every antenna, float64 [..., L, 3, S, n].

    By the direction cosines ux, uy and the inverse distance (1/wavelength) of the source, all three counted from the
    middle of the array. At p wavelengths from the middle a spherical wave's phase is -2 pi (rho - 1) / kappa with
    rho^2 = 1 - 2 kappa p.u + kappa^2 |p|^2; at kappa = 0 its derivatives are those of the quadratic term.
    """
    position = array.element_positions().reshape(array.n_antennas, -1)[:, :2]
    middle = position.mean(axis=0)
    x, y = ((position - middle) / array.wavelength).T
    source = paths.source_positions() - np.append(middle, 0.0)
    distance = np.linalg.norm(source, axis=-1)
    ux, uy = paths.direction_cosines()
    ux, uy = (np.where(paths.near, source[..., k] / distance, u)[..., None] for k, u in ((0, ux), (1, uy)))
    kappa = np.where(paths.near, array.wavelength / distance, 0.0)[..., None]
    along, square = x * ux + y * uy, x**2 + y**2
    rho = np.sqrt(1 - 2 * kappa * along + kappa**2 * square)
    bend = 0.5 * (square - along**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_kappa = np.where(kappa > 0, ((kappa * square - along) / rho - (rho - 1) / kappa) / kappa, bend)
    slopes = 2 * np.pi * np.stack([x / rho, y / rho, -by_kappa], axis=-2)
    return slopes.reshape(*slopes.shape[:-1], array.n_subarrays, -1)


def jacobian(array, paths, model):
    """Derivatives of a channel by its real parameters, complex128 [..., S, n, P].

    "free": of each path ux, uy and in each subarray the two parts of a relative gain; P = (2 + 2 S) L.
    "coherent": of each path ux, uy, inverse distance and the two parts of one relative gain; P = 5 L.
    """
    _check_model(model)
    waves = path_responses(array, paths)
    slopes = wave_slopes(array, paths)
    if model == "free":
        # The mean over a subarray belongs to its gain.
        slopes = slopes[..., :2, :, :] - slopes[..., :2, :, :].mean(axis=-1, keepdims=True)
        own = np.eye(array.n_subarrays)[..., None]
        gains = np.concatenate([own * waves[..., None, :, :], 1j * own * waves[..., None, :, :]], axis=-3)
    else:
        gains = np.stack([waves, 1j * waves], axis=-3)
    columns = np.concatenate([1j * slopes * waves[..., None, :, :], gains], axis=-3)
    columns = columns.reshape(*columns.shape[:-4], -1, *columns.shape[-2:])
    return np.moveaxis(columns, -3, -1)


def cramer_rao(op, array, paths, model, noise_var=1.0):
    """Cramer-Rao bound on the error of unbiased estimates of each channel, float64 [...], as an NMSE.

    With the Jacobian D of the channel and G = B D what the pilots see of it, the bound is noise_var / 2 times the
    trace of Re(D^H D) Re(G^H G)^-1, over ||h||^2. Arguments as of :func:`jacobian`.
    """
    derivatives = jacobian(array, paths, model)
    pilots = pilot_matrix(op)
    energy = np.sum(np.abs(path_responses(array, paths).sum(axis=-3)) ** 2, axis=(-2, -1))
    errors = np.array([_trace_bound(pilots, d) for d in derivatives.reshape(-1, *derivatives.shape[-3:])])
    return 0.5 * noise_var * errors.reshape(energy.shape) / energy


def fully_digital_lmmse(covariance, noise_var):
    """Error of the LMMSE estimate with every antenna observed: tr(C - C (C + noise_var I)^-1 C) / tr C."""
    values = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    return float(np.sum(values * noise_var / (values + noise_var)) / np.sum(values))


def _trace_bound(pilots, derivatives):
    seen = (pilots @ derivatives).reshape(-1, derivatives.shape[-1])
    flat = derivatives.reshape(-1, derivatives.shape[-1])
    scale = 1 / np.maximum(np.linalg.norm(seen, axis=0), 1e-30)
    information = (seen.conj().T @ seen).real * scale * scale[:, None]
    inverse = np.linalg.pinv(information, 1e-10, hermitian=True)
    return np.sum((flat.conj().T @ flat).real * scale * scale[:, None] * inverse)


def _check_model(model):
    if model not in MODELS:
        raise ValueError(f"model: expected one of {MODELS}, got {model!r}")
