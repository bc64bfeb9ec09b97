# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of channels with everything that is known about them."""

import itertools
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from . import batch_files
from .paths import PathTable


@dataclass
class ChannelBatch:
    """Channels, the paths they consist of, and the configuration and seed that give them again.

    Attributes:
        channels: complex64 [B, N]; [B, K, N] with K users; [B, F, N] or [B, K, F, N] over F subcarriers.
            Antennas are ordered [subarray][row][column].
        paths: the :class:`PathTable` of shape [B, L] or [B, K, L].
        frequencies: float64 [F] in Hz, or None where the channels have no frequency axis (carrier only).
        config: dictionary of :meth:`ChannelConfig.to_dict`, plain data.
        seed: integer of at least 0.
    """

    channels: np.ndarray
    paths: PathTable
    frequencies: np.ndarray | None
    config: dict
    seed: int

    def __post_init__(self):
        self.channels = _checked_channels(self.channels)
        if not isinstance(self.paths, PathTable):
            raise ValueError(f"paths: expected a PathTable, got {type(self.paths).__name__}")
        leading = self.paths.shape[:-1]
        if self.frequencies is not None:
            self.frequencies = np.asarray(self.frequencies, float)
            leading += (len(np.atleast_1d(self.frequencies)),)
        expected_axes = len(self.paths.shape) in (2, 3) and np.ndim(self.frequencies) in (0, 1)
        if not expected_axes or self.channels.shape[:-1] != leading:
            raise ValueError(
                f"channels: expected shape {leading} + (antennas,) for paths {self.paths.shape}, "
                f"got {self.channels.shape}"
            )
        if not isinstance(self.config, dict):
            raise ValueError(f"config: expected a dictionary, got {type(self.config).__name__}")
        if not isinstance(self.seed, (int, np.integer)) or self.seed < 0:
            raise ValueError(f"seed: expected an integer of at least 0, got {self.seed!r}")
        self.seed = int(self.seed)

    def __len__(self):
        return len(self.channels)

    def __repr__(self):
        shape = "x".join(map(str, self.channels.shape))
        return f"ChannelBatch({shape}, {self.paths.shape[-1]} paths, seed {self.seed})"

    @property
    def n_users(self):
        """Number of users K, or None where the channels have no user axis."""
        return self.paths.shape[1] if len(self.paths.shape) == 3 else None

    @property
    def n_antennas(self):
        """Number of antennas N."""
        return self.channels.shape[-1]

    def configuration(self):
        """The :class:`ChannelConfig` of :attr:`config`; ValueError where this version does not know it."""
        from .config import ChannelConfig

        return ChannelConfig.from_dict(self.config)

    def save(self, path):
        """Write to ``path``: NPZ for the suffix ``.npz``, HDF5 for ``.h5`` and ``.hdf5``.

        Both hold the same: ``channels``, ``frequencies`` (where there are several), ``paths_*`` for each
        field of the path table, and the configuration and seed as JSON text. Nothing is pickled.

        Raises:
            ValueError: another suffix, or HDF5 without the package h5py.
            OSError: the file cannot be written.
        """
        save_pieces(path, len(self), [self])

    @classmethod
    def load(cls, path):
        """The batch in a file that :meth:`save` wrote.

        Raises:
            ValueError: the file is damaged, not of this format, or of a newer version of it.
            OSError: the file cannot be read.
        """
        header, arrays = batch_files.read(path)
        try:
            return cls._from_contents(header, arrays)
        except (KeyError, TypeError, ValueError) as error:
            missing = f"{error} is missing" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{Path(path)}: expected a whole file of channels, got one in which {missing}") from None

    def _arrays(self):
        table = {f"paths_{field.name}": getattr(self.paths, field.name) for field in fields(PathTable)}
        table = {name: np.asarray(value) for name, value in table.items() if value is not None}
        return {"channels": self.channels, **table}

    @classmethod
    def _from_contents(cls, header, arrays):
        names = [field.name for field in fields(PathTable)]
        unknown = set(arrays) - {"channels", "frequencies", *(f"paths_{name}" for name in names)}
        if unknown:
            raise ValueError(f"{sorted(unknown)[0]!r} is not known")
        table = {name: arrays["paths_" + name] for name in names if name != "visible"}
        for name, value in table.items():
            if value.dtype.kind not in {"near": "bu", "kind": "iu"}.get(name, "f"):
                raise ValueError(f"'paths_{name}' has dtype {value.dtype}")
            if value.dtype.kind == "f" and not np.isfinite(value).all():
                raise ValueError(f"'paths_{name}' has values that are not finite")
        table["near"] = _as_bool("paths_near", table["near"])
        visible = arrays.get("paths_visible")
        return cls(
            channels=arrays["channels"],
            paths=PathTable(**table, visible=None if visible is None else _as_bool("paths_visible", visible)),
            frequencies=arrays.get("frequencies"),
            config=header["config"],
            seed=header["seed"],
        )


def save_pieces(path, count, pieces):
    """Write an iterable of batches that follow each other, ``count`` channels in all, as one file.

    The file equals that of one batch of all of them; only a piece at a time is in memory.
    """
    pieces = iter(pieces)
    first = next(pieces)
    common = {} if first.frequencies is None else {"frequencies": first.frequencies}
    header = {"config": first.config, "seed": first.seed}
    arrays = (piece._arrays() for piece in itertools.chain([first], pieces))
    batch_files.write(path, header, common, count, arrays)


def _as_bool(name, values):
    """bool from bool or from the integers 0 and 1, as HDF5 files hold them."""
    if values.dtype != bool and not (values.dtype.kind in "iu" and np.isin(values, (0, 1)).all()):
        raise ValueError(f"'{name}' has values other than 0 and 1")
    return values.astype(bool)


def _checked_channels(channels):
    channels = np.asarray(channels)
    if channels.dtype != np.complex64:
        raise ValueError(f"channels: expected dtype complex64, got {channels.dtype}")
    if channels.ndim not in (2, 3, 4) or 0 in channels.shape:
        raise ValueError(f"channels: expected shape [B, (K,) (F,) N] without empty axes, got {channels.shape}")
    if not np.isfinite(channels).all():
        raise ValueError("channels: expected finite values, got NaN or infinity")
    return channels
