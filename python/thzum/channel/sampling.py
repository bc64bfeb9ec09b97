# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawing channels of a configuration, in pieces that do not change the result.

The random numbers of channels i BLOCK .. (i + 1) BLOCK - 1 come from
``numpy.random.SeedSequence(seed).spawn(...)[i]``. Channel number n of a configuration and seed is therefore
the same in a batch of any size, however it is divided into pieces.
"""

import numpy as np

from .batch import ChannelBatch
from .hardware.checks import integer
from .path_tables import concatenated, places, reshaped
from .response import response
from .scene import Scene

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
        count = min(BLOCK, config.batch - index * BLOCK)
        paths, seen = draw_block(config, model, block_rng(config.seed, index))
        # Places that nothing in the block has taken; whole blocks decide, so that no sum depends on the batch.
        used = np.any(paths.amplitude > 0, axis=tuple(range(paths.amplitude.ndim - 1)))
        used[0] = True
        part = places(paths[:count], used)
        channels = evaluate(config, model, part, frequencies, None if seen is None else seen[:count])
        yield ChannelBatch(channels, paths[:count], frequencies, plain, config.seed)


def draw_block(config, model, rng):
    """A whole block: path tables [BLOCK, L] or [BLOCK, users, L], and elements seen [BLOCK, (users,) N] or None."""
    users = config.users
    if not isinstance(model, Scene):
        paths = model.draw_paths(BLOCK * (users or 1), rng)
        return (paths if users is None else reshaped(paths, (BLOCK, users))), None
    if model.mobility is None:
        paths = model.draw_paths(BLOCK, rng, users)
    else:
        paths = model.moving(BLOCK, rng, users).at(config.time)
        paths = paths[:, 0] if users is None else paths
    return paths, model.draw_elements(paths.shape[:-1], rng)


def evaluate(config, model, paths, frequencies, seen=None):
    """Channels complex64 [B, (K,) (F,) N] of a path table, a bounded number of them at a time.

    Args:
        config: the :class:`ChannelConfig`, for wavefront, resolution and normalisation.
        model: with the array.
        paths: the :class:`PathTable`.
        frequencies: float64 [F] in Hz, or None for the carrier without an axis.
        seen: elements that receive something, bool [B, (K,) N], or None for all.
    """
    array = model.array
    step = max(1, _VALUES_AT_ONCE // (int(np.prod(paths.shape[1:])) * array.n_antennas))
    options = dict(wavefront=config.wavefront, resolution=config.resolution or model.resolution)
    parts = []
    for piece in (slice(start, start + step) for start in range(0, paths.shape[0], step)):
        if seen is None:
            h = response(array, paths[piece], frequencies, normalise=config.normalise, **options)
        else:
            h = response(array, paths[piece], frequencies, normalise=False, dtype=np.complex128, **options)
            mask = seen[piece] if frequencies is None else seen[piece][..., None, :]
            h = h * mask
            h = (_normalised(h, frequencies is not None) if config.normalise else h).astype(np.complex64)
        parts.append(h)
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _normalised(h, has_frequencies):
    """``h`` scaled to ||h||^2 = N, on average over its frequencies; zero stays zero."""
    power = np.sum(np.abs(h) ** 2, axis=-1, keepdims=True)
    if has_frequencies:
        power = np.mean(power, axis=-2, keepdims=True)
    return h * np.sqrt(h.shape[-1] / np.where(power > 0, power, 1.0))


def joined(pieces, config):
    """One :class:`ChannelBatch` of several that follow each other."""
    return ChannelBatch(
        channels=np.concatenate([piece.channels for piece in pieces]),
        paths=concatenated([piece.paths for piece in pieces]),
        frequencies=pieces[0].frequencies,
        config=config.to_dict(),
        seed=config.seed,
    )
