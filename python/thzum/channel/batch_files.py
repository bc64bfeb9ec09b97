# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of channels: named arrays and a JSON header, as NPZ or as HDF5. Nothing is pickled."""

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

#: What the header of every file says.
FORMAT = "thzum-channels"
VERSION = 1

_NPZ, _HDF5 = (".npz",), (".h5", ".hdf5")


def write(path, header, arrays):
    """Write ``arrays`` {name: array} and the dictionary ``header`` to ``path``; the suffix says the format."""
    path = Path(path)
    kind = _kind(path)
    text = json.dumps({"format": FORMAT, "version": VERSION, **header}, allow_nan=False)
    # A file that was not finished must not bear the name of one that was.
    part = path.with_name(path.name + ".part")
    try:
        (_write_npz if kind == "npz" else _write_hdf5)(part, text, arrays)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read(path):
    """The (header, {name: array}) of a file; ValueError where it is damaged or something else."""
    path = Path(path)
    kind = _kind(path)
    with open(path, "rb") as file:
        start = file.read(8)
    if not start.startswith(b"PK\x03\x04" if kind == "npz" else b"\x89HDF\r\n\x1a\n"):
        raise ValueError(f"{path}: expected a file of channels ({kind}), got something else")
    text, arrays = (_read_npz if kind == "npz" else _read_hdf5)(path)
    return _checked_header(path, text), arrays


def _kind(path):
    suffix = path.suffix.lower()
    if suffix not in _NPZ + _HDF5:
        raise ValueError(f"path: expected a name ending in {', '.join(_NPZ + _HDF5)}, got {str(path)!r}")
    return "npz" if suffix in _NPZ else "hdf5"


def _checked_header(path, text):
    try:
        header = json.loads(text)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"{path}: expected a file of channels ({FORMAT}), got one of another kind")
    version = header.get("version")
    if not isinstance(version, int) or version < 1:
        raise ValueError(f"{path}: expected a format version, got {version!r}")
    if version > VERSION:
        raise ValueError(f"{path}: expected version {VERSION} or older of {FORMAT}, got {version}; update gr-thzum")
    return header


def _write_npz(path, text, arrays):
    # Uncompressed: channels are noise to a compressor, and readers can map the members.
    with open(path, "wb") as file:
        np.savez(file, header=np.array(text), **arrays)


def _read_npz(path):
    try:
        with np.load(path, allow_pickle=False) as members:
            arrays = {name: members[name] for name in members.files}
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, ValueError, NotImplementedError) as error:
        raise ValueError(f"{path}: expected a whole NPZ file without pickles, got: {error}") from None
    text = arrays.pop("header", np.array(""))
    return str(text), arrays


def _hdf5():
    try:
        import h5py
    except ImportError:
        raise ValueError("path: expected the package h5py for HDF5 files; install it or use .npz") from None
    return h5py


def _write_hdf5(path, text, arrays):
    with _hdf5().File(path, "w") as file:
        file.attrs["header"] = text
        for name, array in arrays.items():
            # Checksums, so that a damaged file is refused as a damaged NPZ is.
            file.create_dataset(name, data=array, fletcher32=True, chunks=_chunks(array))


def _chunks(array):
    """Whole channels, up to about a megabyte of them."""
    size = array.itemsize * int(np.prod(array.shape[1:]))
    return (int(np.clip(2**20 // max(size, 1), 1, array.shape[0])), *array.shape[1:])


def _read_hdf5(path):
    h5py = _hdf5()
    try:
        with h5py.File(path, "r") as file:
            text = file.attrs.get("header", "")
            arrays = {name: item[()] for name, item in file.items() if isinstance(item, h5py.Dataset)}
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise ValueError(f"{path}: expected a whole HDF5 file, got: {error}") from None
    return text if isinstance(text, str) else "", arrays
