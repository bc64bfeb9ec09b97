# SPDX-License-Identifier: GPL-3.0-or-later
"""Orthogonal matching pursuit on the polar grid in NumPy float64, with every atom written out."""

import numpy as np


def spherical_wave(array, ux, uy, curvature):
    """Response [S, rows, cols] to a source at 1/curvature wavelengths: plane inside each subarray.

    Written with the source's position. Phases count from the middle of the array.
    """
    centres = array.subarray_centres() / array.wavelength
    centres = centres - centres.mean(axis=0)
    row = np.arange(array.rows) - (array.rows - 1) / 2
    col = np.arange(array.cols) - (array.cols - 1) / 2
    wave = []
    for x, y in centres:
        if curvature == 0:
            phase, vx, vy = 2 * np.pi * (x * ux + y * uy), ux, uy
        else:
            height = np.sqrt(max(0.0, 1 - ux**2 - uy**2)) / curvature
            away = np.array([ux / curvature - x, uy / curvature - y, height])
            distance = np.linalg.norm(away)
            phase, vx, vy = 2 * np.pi * (1 / curvature - distance), *(away[:2] / distance)
        step = 2j * np.pi * array.spacing
        wave.append(np.exp(1j * phase + step * (vy * row[:, None] + vx * col)))
    return np.array(wave)


def grid(array, oversampling, min_distance, ring_cycles):
    """Waves (ux, uy, curvature) of the grid [A, 3], rings one after the other."""
    centres = array.subarray_centres() / array.wavelength
    centres = centres - centres.mean(axis=0)

    def cosines(axis, elements):
        aperture = np.ptp(centres[:, axis]) + elements * array.spacing
        return np.linspace(-1, 1, 2 * int(np.ceil(oversampling * aperture - 1e-9)) + 1)

    radius = np.linalg.norm(centres, axis=1).max()
    rings = int(np.ceil(radius**2 / 2 / min_distance / ring_cycles - 1e-9)) + 1
    curvatures = np.linspace(0, 1 / min_distance, rings)
    kappa, uy, ux = np.meshgrid(curvatures, cosines(1, array.rows), cosines(0, array.cols), indexing="ij")
    atoms = np.stack([ux, uy, kappa], axis=-1).reshape(-1, 3)
    return atoms[np.hypot(atoms[:, 0], atoms[:, 1]) <= 1 + 1e-12]


def observed_atoms(model, array, atoms):
    """Coefficients [S k, A] of the grid's waves and what the pilots see of them [S r, A]."""
    c = np.stack([model.analyze(spherical_wave(array, *atom)) for atom in atoms], axis=1)
    g = np.stack([(model.s * model.to_singular(column)).ravel() for column in c.T], axis=1)
    return c, g


def polar_omp(model, y, noise_var, coefficients, observed, stages, false_alarm):
    """h_hat [N] and the support; stages are pairs of a mask over the atoms and the support's largest size."""
    z, noise_var, amplitude = model.scaled(y, noise_var)
    z = z.ravel()
    support, gains, residual = [], np.zeros(0), z
    energy = np.sum(np.abs(observed) ** 2, axis=0)
    for mask, most in stages:
        threshold = noise_var * np.log(mask.sum() / false_alarm)
        while len(support) < most:
            metric = np.where(mask, np.abs(observed.conj().T @ residual) ** 2 / energy, 0.0)
            if metric.max() < threshold:
                break
            support.append(int(np.argmax(metric)))
            gains = np.linalg.lstsq(observed[:, support], z, rcond=None)[0]
            residual = z - observed[:, support] @ gains
    return amplitude * model.synthesize(coefficients[:, support] @ gains), support
