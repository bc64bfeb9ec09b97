# SPDX-License-Identifier: GPL-3.0-or-later
"""Several users from a model that draws one."""

from dataclasses import fields

import numpy as np

from .hardware.checks import integer, real
from .paths import PathTable


def draw_users(model, n_users, n_realisations=1, max_doppler=0.0, seed=0):
    """Independent users of a channel model, a :class:`PathTable` [n_realisations, n_users, L].

    Args:
        model: has ``draw_paths(batch, rng)``, such as a :class:`HybridFieldChannel`.
        n_users: users K.
        n_realisations: realisations B.
        max_doppler: largest Doppler shift in Hz; every path gets max_doppler * cos(angle) with a uniform angle
            (Clarke, BSTJ 1968) on top of the model's own.
        seed: an integer or a ``numpy.random.Generator``.

    Raises:
        ValueError: an argument out of range, a model that draws no paths.
    """
    if not hasattr(model, "draw_paths"):
        raise ValueError(f"model: expected one with draw_paths(batch, rng), got {type(model).__name__}")
    n_users, n_realisations = integer("n_users", n_users, 1), integer("n_realisations", n_realisations, 1)
    max_doppler = real("max_doppler", max_doppler, low=0)
    rng = np.random.default_rng(seed)
    drawn = model.draw_paths(n_realisations * n_users, rng)
    values = {field.name: getattr(drawn, field.name) for field in fields(drawn)}
    shape = (n_realisations, n_users)
    paths = PathTable(
        **{name: None if value is None else value.reshape(*shape, *value.shape[1:]) for name, value in values.items()}
    )
    if max_doppler:
        paths.doppler = paths.doppler + max_doppler * np.cos(rng.uniform(0, 2 * np.pi, paths.shape))
    return paths
