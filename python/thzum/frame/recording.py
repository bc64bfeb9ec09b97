# SPDX-License-Identifier: GPL-3.0-or-later
"""SigMF recordings of the RF chains, annotated frame by frame, with the truth beside them."""

import dataclasses
import json
import os
import warnings
from functools import cached_property
from pathlib import Path

import numpy as np

from ..array import SubarrayArray, array_preset, array_presets
from .plan import PilotPlan

#: Name and version of the SigMF extension whose keys begin with "thzum:".
EXTENSION = {"name": "thzum", "version": "1.0.0", "optional": True}

#: File name of the recording that is shipped in examples/recordings.
SHIPPED = "thz300_aosa4x256.sigmf-meta"

_DATATYPES = {"ci16_le": np.dtype("<i2"), "cf32_le": np.dtype("<f4")}
_FULL_SCALE = 32768.0


@dataclasses.dataclass(frozen=True)
class FrameAnnotation:
    """One frame of a recording.

    Attributes:
        frame: frame number.
        start: first sample on each RF chain.
        length: samples.
        snr_db: SNR of the despread pilots per antenna in dB.
        users: numbers of the users that send.
        beams: codebook index of each subarray's data beam.
    """

    frame: int
    start: int
    length: int
    snr_db: float
    users: tuple
    beams: tuple

    @property
    def user_mask(self):
        """The users as bits, user k is bit k."""
        return sum(1 << k for k in self.users)


def plan_to_metadata(plan, array):
    """The metadata entry "thzum:plan" of a plan with a Hadamard combiner.

    ``array`` is the name of its array preset, or a dictionary of the arguments of its SubarrayArray.
    """
    names = ("n_slots", "n_users", "seed", "n_noise", "n_data", "oversampling")
    entry = {name: getattr(plan, name) for name in names}
    if plan.air is not None:
        entry |= {"samples_per_symbol": plan.samples_per_symbol, "air": plan.air_options}
    return {"array": array, "combiner": "hadamard", "modulations": list(plan.modulations), **entry}


def array_to_metadata(array):
    """How the plan's metadata tell an array: the name of the preset that equals it, else its arguments."""
    names = (name for name in array_presets() if array_preset(name) == array)
    return next(names, None) or dataclasses.asdict(array)


def plan_from_metadata(entry):
    """The :class:`PilotPlan` of a dictionary as :func:`plan_to_metadata` makes it.

    Raises:
        ValueError: no dictionary, an unknown or missing name, or a value that the plan refuses.
    """
    if not isinstance(entry, dict):
        raise ValueError(f"plan: expected a dictionary of PilotPlan's arguments, got {type(entry).__name__}")
    arguments = dict(entry)
    array = arguments.pop("array", None)
    try:
        array = SubarrayArray(**array) if isinstance(array, dict) else array_preset(array)
        return PilotPlan(array, **arguments)
    except TypeError as error:  # of names that a constructor does not know or misses
        raise ValueError(f"plan: expected the arguments of PilotPlan and SubarrayArray: {error}") from None


def find_recording(path=None):
    """Path of a recording's metadata file.

    ``path`` may name the metadata, the data or both without suffix. None looks for the shipped recording
    in examples/recordings below the present folder, below the source tree of ``./run`` and where the module is
    installed.
    """
    if path is not None:
        path = Path(path)
        stem = path.with_suffix("") if path.suffix in (".sigmf-meta", ".sigmf-data", ".sigmf") else path
        return stem.parent / (stem.name + ".sigmf-meta")
    candidates = [root / "examples" / "recordings" / SHIPPED for root in dict.fromkeys(_search_roots())]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"no {SHIPPED} in {', '.join(str(c.parent) for c in candidates)}; give its path")


def _search_roots():
    below = [os.environ.get(name) for name in ("THZUM_BUILD", "THZUM_MODELS")]
    roots = [Path.cwd(), *(Path(folder).parent for folder in below if folder)]
    roots += [lib.parent / "share" / "gr-thzum" for lib in Path(__file__).resolve().parents if lib.name == "lib"]
    return roots


class Recording:
    """A SigMF recording of S RF chains, memory mapped.

    Args:
        path: see :func:`find_recording`.

    Raises:
        FileNotFoundError: metadata or data file is missing.
        ValueError: the metadata are not SigMF, or the sample format is neither ci16_le nor cf32_le.

    Data that end within a sample or before the last annotated frame are announced by a warning; what is
    whole is used.
    """

    def __init__(self, path=None):
        self.path = find_recording(path)
        self.data_path = self.path.with_suffix(".sigmf-data")
        for file in (self.path, self.data_path):
            if not file.is_file():
                raise FileNotFoundError(f"recording: {file} does not exist")
        try:
            self.metadata = json.loads(self.path.read_text())
            self._global = self.metadata["global"]
            self.datatype = self._global["core:datatype"]
            annotations = self.metadata["annotations"]
            self.n_channels = int(self._global.get("core:num_channels", 1))
            self.sample_rate = float(self._global.get("core:sample_rate", 0.0))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"recording: {self.path} is not SigMF metadata ({error!r})") from None
        if self.datatype not in _DATATYPES:
            raise ValueError(
                f"recording: {self.path} holds {self.datatype}, expected {' or '.join(sorted(_DATATYPES))}"
            )
        self._map = self._map_data()
        self.n_samples = len(self._map)
        try:
            self.frames = self._whole_frames(annotations)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"recording: {self.path} has a malformed frame annotation ({error!r})") from None

    def __repr__(self):
        return (
            f"Recording({self.path.name}: {self.n_channels} RF chains, {self.n_samples} samples of "
            f"{self.datatype} at {self.sample_rate / 1e6:g} Msps, {len(self.frames)} frames)"
        )

    def _map_data(self):
        dtype = _DATATYPES[self.datatype]
        size = self.data_path.stat().st_size
        sample_bytes = 2 * self.n_channels * dtype.itemsize
        n_samples = size // sample_bytes
        if n_samples == 0:
            raise ValueError(f"recording: {self.data_path} holds no whole sample of {sample_bytes} bytes")
        if size % sample_bytes:
            warnings.warn(f"recording: {self.data_path} ends within a sample; its last bytes are not used")
        return np.memmap(self.data_path, dtype, mode="r", shape=(n_samples, 2 * self.n_channels))

    def _whole_frames(self, annotations):
        frames = []
        for entry in annotations:
            if "thzum:frame" not in entry:
                continue
            frames.append(
                FrameAnnotation(
                    frame=int(entry["thzum:frame"]),
                    start=int(entry["core:sample_start"]),
                    length=int(entry["core:sample_count"]),
                    snr_db=float(entry.get("thzum:snr_db", np.nan)),
                    users=tuple(map(int, entry.get("thzum:users", ()))),
                    beams=tuple(map(int, entry.get("thzum:beams", ()))),
                )
            )
        frames.sort(key=lambda frame: frame.start)
        whole = [f for f in frames if f.start + f.length <= self.n_samples]
        if len(whole) < len(frames):
            warnings.warn(
                f"recording: {self.data_path} is truncated: {len(frames) - len(whole)} of {len(frames)} "
                "annotated frames lie beyond its end"
            )
        return whole

    def samples(self, start, count):
        """``count`` samples of the RF chains from ``start`` on, complex64 [count, S]; fewer at the end."""
        raw = self._map[start : start + count]
        scale = np.float32(1 / _FULL_SCALE) if self.datatype == "ci16_le" else np.float32(1)
        return np.multiply(raw, scale, dtype=np.float32).view(np.complex64)

    @cached_property
    def plan(self):
        """The :class:`PilotPlan` of the recording; ValueError when the metadata hold none."""
        entry = self._global.get("thzum:plan", {})
        if not entry:
            raise ValueError(f'recording: {self.path} has no "thzum:plan" entry')
        try:
            return plan_from_metadata(entry)
        except ValueError as error:
            raise ValueError(f"{error} (in {self.path})") from None

    @cached_property
    def truth(self):
        """The :class:`Truth` beside the recording; FileNotFoundError when there is none."""
        return Truth(self.path.with_suffix(".truth.npz"))


class Truth:
    """What was sent and through which channels, for scoring.

    Arrays of the file, F frames and K users: ``channel`` int16 [F, K] index into the file of channels
    that ``channel_file`` names, -1 where the user is absent; ``gain`` float64 [F] the channels' factor in
    the recording; ``symbols`` int8 [F, K, n_data] index into the constellation of the data section, -1
    where absent; ``noise_var`` float64 the antenna noise variance after despreading; ``frame`` int [F].
    """

    def __init__(self, path):
        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"truth: {path} does not exist")
        with np.load(path) as file:
            self._frame = {int(number): row for row, number in enumerate(file["frame"])}
            self._channel = file["channel"]
            self._gain = file["gain"]
            self._symbols = file["symbols"]
            self.noise_var = float(file["noise_var"])
            channel_file = path.parent / str(file["channel_file"])
        if not channel_file.is_file():
            raise FileNotFoundError(f"truth: {channel_file} does not exist")
        with np.load(channel_file) as file:
            channels = file["channel"]
        self._channels = channels.reshape(len(channels), -1)

    def channels(self, frame):
        """True channels of ``frame`` as the receiver sees them, complex64 [K, N]; zeros for absent users."""
        row = self._row(frame)
        h = self._channels[self._channel[row]] * np.complex64(self._gain[row])
        h[self._channel[row] < 0] = 0
        return h

    def symbols(self, frame):
        """Symbol indices sent in ``frame``, int8 [K, n_data]; -1 for absent users."""
        return self._symbols[self._row(frame)]

    def _row(self, frame):
        try:
            return self._frame[int(frame)]
        except KeyError:
            raise ValueError(f"frame: the truth has {len(self._frame)} frames, not number {frame}") from None
