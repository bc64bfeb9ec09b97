# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of channels: named arrays and a JSON header, as NPZ or as HDF5. Nothing is pickled."""

import itertools
import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

#: What the header of every file says.
FORMAT = "thzum-channels"
VERSION = 1

_NPZ, _HDF5 = (".npz",), (".h5", ".hdf5")


def write(path, header, common, count, pieces):
    """Write a file; the suffix of ``path`` says the format.

    Args:
        path: where to write.
        header: dictionary of plain data.
        common: {name: array} of what is no axis of channels.
        count: number of channels.
        pieces: iterable of {name: array [b, ...]}, the same names in each, whose b add up to ``count``. They are
            written as they come, so that no more than the small arrays of a large batch are ever in memory.
    """
    path = check_target(path)
    text = json.dumps({"format": FORMAT, "version": VERSION, **header}, allow_nan=False)
    # A file that was not finished must not bear the name of one that was.
    part = path.with_name(path.name + ".part")
    try:
        (_write_npz if _kind(path) == "npz" else _write_hdf5)(part, text, common, count, pieces)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def check_target(path):
    """``path`` as a Path, or an error where :func:`write` could not succeed."""
    path = Path(path)
    if _kind(path) == "hdf5":
        _hdf5()
    if not path.parent.is_dir():
        raise ValueError(f"path: expected an existing folder, got {str(path.parent)!r}")
    if path.is_dir():
        raise ValueError(f"path: expected the name of a file, got the folder {str(path)!r}")
    return path


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


def _write_npz(path, text, common, count, pieces):
    """Large arrays go to the file piece by piece, the others when all have come; bytes depend on contents alone."""
    pieces = iter(pieces)
    first = next(pieces)
    large = max(first, key=lambda name: first[name].nbytes)
    small = {name: [] for name in first if name != large}
    written = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        _put(archive, "header", np.array(text))
        for name, array in common.items():
            _put(archive, name, array)
        with archive.open(zipfile.ZipInfo(f"{large}.npy"), "w", force_zip64=True) as member:
            layout = np.lib.format.header_data_from_array_1_0(np.ascontiguousarray(first[large]))
            layout["shape"] = (count, *first[large].shape[1:])
            np.lib.format.write_array_header_1_0(member, layout)
            for piece in itertools.chain([first], pieces):
                member.write(np.ascontiguousarray(piece[large]).data)
                written += len(piece[large])
                for name, parts in small.items():
                    parts.append(piece[name])
        for name, parts in small.items():
            _put(archive, name, np.concatenate(parts))
    _check_count(written, count)


def _put(archive, name, array):
    with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
        np.lib.format.write_array(member, np.ascontiguousarray(array).reshape(np.shape(array)), allow_pickle=False)


def _check_count(written, count):
    if written != count:
        raise ValueError(f"pieces: expected {count} channels in all, got {written}")


def _read_npz(path):
    try:
        with np.load(path, allow_pickle=False) as members:
            arrays = {name: members[name] for name in members.files}
    except Exception as error:  # there is no end to the ways in which parsing a damaged file fails
        raise ValueError(f"{path}: expected a whole NPZ file without pickles, got: {error}") from None
    return str(arrays.pop("header", "")), arrays


def _hdf5():
    try:
        import h5py
    except ImportError:
        raise ValueError("path: expected the package h5py for HDF5 files; install it or use .npz") from None
    return h5py


def _write_hdf5(path, text, common, count, pieces):
    """HDF5 has no checksums by itself where a ZIP archive has: the attribute ``checksums`` holds them."""
    written, sums = 0, {"header": zlib.crc32(text.encode())}
    with _hdf5().File(path, "w") as file:
        file.attrs["header"] = text
        for name, array in common.items():
            file[name] = array
            sums[name] = _checksum(array)
        for piece in pieces:
            size = len(next(iter(piece.values())))
            for name, array in piece.items():
                # As an integer: HDF5's enumeration for booleans is awkward outside Python.
                array = array.astype(np.uint8) if array.dtype == bool else array
                if name not in file:
                    file.create_dataset(name, (count, *array.shape[1:]), array.dtype)
                file[name][written : written + size] = array
                sums[name] = _checksum(array, sums.get(name))
            written += size
        file.attrs["checksums"] = json.dumps(sums)
    _check_count(written, count)


def _checksum(array, before=None):
    """CRC-32 of type, trailing shape and values; with that of ``before``, of an array in pieces along axis 0."""
    array = np.ascontiguousarray(array)
    if before is None:
        before = zlib.crc32(f"{array.dtype.str}{array.shape[1:]}".encode())
    return zlib.crc32(array, before)


def _read_hdf5(path):
    h5py = _hdf5()
    try:
        with h5py.File(path, "r") as file:
            text, sums = file.attrs.get("header", ""), file.attrs.get("checksums", "{}")
            arrays = {name: item[()] for name, item in file.items() if isinstance(item, h5py.Dataset)}
        sums = json.loads(sums)
        found = {"header": zlib.crc32(text.encode()), **{name: _checksum(array) for name, array in arrays.items()}}
    except Exception as error:  # as with NPZ
        raise ValueError(f"{path}: expected a whole HDF5 file, got: {error}") from None
    if sums and sums != found:
        wrong = sorted(name for name in {*sums, *found} if sums.get(name) != found.get(name))
        raise ValueError(f"{path}: expected a whole HDF5 file, got one in which {wrong[0]!r} is damaged")
    return (text if sums else ""), arrays
