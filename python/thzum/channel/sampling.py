# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing channels of a configuration, in pieces that do not change the result.

The random numbers of channels i BLOCK .. (i + 1) BLOCK - 1 come from
``numpy.random.SeedSequence(seed).spawn(...)[i]``. Channel number n of a configuration and seed is therefore
the same in a batch of any size, however it is divided into pieces.
"""

from dataclasses import fields

import numpy as np

from .batch import ChannelBatch
from .hardware.checks import integer
from .paths import PathTable
from .response import response

#: Channels that share a random generator.
BLOCK = 64

# Complex values of the response that are computed at once, to bound the memory.
_VALUES_AT_ONCE = 1 << 22


def block_rng(seed, index):
    """The generator of block ``index``, equal to that of ``SeedSequence(seed).spawn(index + 1)[index]``."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(index,)))


def draw(config, batch=None, seed=None, progress=None):
    """The :class:`ChannelBatch` of a :class:`ChannelConfig`; see :meth:`ChannelConfig.draw`."""
    batch = config.batch if batch is None else integer("batch", batch, 1)
    seed = config.seed if seed is None else integer("seed", seed, 0)
    config = config.replace(batch=batch, seed=seed)
    pieces = []
    for piece in draw_pieces(config):
        pieces.append(piece)
        if progress is not None:
            progress(len(piece))
    return joined(pieces, config)


def draw_pieces(config):
    """Iterate over the channels of ``config`` as batches of at most :data:`BLOCK`, in order."""
    model, plain = config.build(), config.to_dict()
    frequencies = None if config.frequencies is None else config.frequencies.values()
    for index in range(-(-config.batch // BLOCK)):
        rng = block_rng(config.seed, index)
        paths = draw_paths(model, config.users, rng)[: min(BLOCK, config.batch - index * BLOCK)]
        yield ChannelBatch(evaluate(config, model, paths, frequencies), paths, frequencies, plain, config.seed)


def draw_paths(model, users, rng):
    """A whole block of path tables, [BLOCK, L] or [BLOCK, users, L]."""
    paths = model.draw_paths(BLOCK * (users or 1), rng)
    return paths if users is None else _reshaped(paths, (BLOCK, users))


def evaluate(config, model, paths, frequencies):
    """Channels complex64 [B, (K,) (F,) N] of a path table, a bounded number of them at a time."""
    per_channel = int(np.prod(paths.shape[1:])) * model.array.n_antennas
    step = max(1, _VALUES_AT_ONCE // per_channel)
    resolution = config.resolution or getattr(model, "resolution", "subarray")
    options = dict(wavefront=config.wavefront, resolution=resolution, normalise=config.normalise)
    parts = [
        response(model.array, paths[start : start + step], frequencies, **options)
        for start in range(0, paths.shape[0], step)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def joined(pieces, config):
    """One :class:`ChannelBatch` of several that follow each other."""
    table = {}
    for field in fields(PathTable):
        values = [getattr(piece.paths, field.name) for piece in pieces]
        table[field.name] = None if values[0] is None else np.concatenate(values)
    return ChannelBatch(
        channels=np.concatenate([piece.channels for piece in pieces]),
        paths=PathTable(**table),
        frequencies=pieces[0].frequencies,
        config=config.to_dict(),
        seed=config.seed,
    )


def _reshaped(paths, shape):
    values = {field.name: getattr(paths, field.name) for field in fields(PathTable)}
    return PathTable(**{name: v if v is None else v.reshape(*shape, *v.shape[1:]) for name, v in values.items()})
