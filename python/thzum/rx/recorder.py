# SPDX-License-Identifier: GPL-3.0-or-later
"""Recording of the RF chains' streams to SigMF while a receiver runs."""

import datetime
import json
import threading

import numpy as np
import pmt
from gnuradio import gr

from ..frame.recording import EXTENSION, array_to_metadata, find_recording, plan_to_metadata


class frame_notes(gr.sync_block):
    """Tells ``note(sample, entries)`` of each frame: the annotation entries of its tags, and where it begins.

    Input: a stream of which the first sample of a frame has the tag thzum_frame. Where frame_sync found it, the tag
    thzum_sample says where it began in the stream that came in; else it is the place of the tag.
    """

    def __init__(self, note):
        gr.sync_block.__init__(self, name="frame_notes", in_sig=[np.complex64], out_sig=None)
        self._note = note

    def work(self, input_items, output_items):
        """Reads tags; see the class."""
        count = len(input_items[0])
        frames = {}
        for tag in self.get_tags_in_window(0, 0, count):
            frames.setdefault(tag.offset, {})[pmt.symbol_to_string(tag.key)] = tag.value
        for offset, tags in frames.items():
            if "thzum_frame" in tags:
                values = {key: pmt.to_python(value) for key, value in tags.items()}
                self._note(int(values.get("thzum_sample", offset)), annotation_entries(values))
        return count


def annotation_entries(tags):
    """Entries of a SigMF annotation from the tags of a frame, {name: Python value}."""
    entries = {"core:label": f"frame {tags['thzum_frame']}", "thzum:frame": int(tags["thzum_frame"])}
    if "thzum_users" in tags:
        mask = int(tags["thzum_users"])
        entries["thzum:users"] = [user for user in range(mask.bit_length()) if mask >> user & 1]
    if "thzum_beams" in tags:
        entries["thzum:beams"] = [int(beam) for beam in tags["thzum_beams"]]
    if "thzum_snr_db" in tags:
        entries["thzum:snr_db"] = float(tags["thzum_snr_db"])
    return entries


class sigmf_recorder(gr.sync_block):
    """Write S streams into a SigMF recording (cf32_le) between :meth:`begin` and :meth:`end`.

    Frames are annotated as :meth:`note` tells them, see :class:`frame_notes`; those that are recorded whole.

    Args:
        plan: :class:`~gnuradio.thzum.frame.PilotPlan`; it goes into the metadata unless its combiner is an array.
        sample_rate: in Hz; 0 = not known.
        defaults: annotation entries of every frame whose tags do not have them.
    """

    def __init__(self, plan, sample_rate=0.0, defaults=None):
        inputs = [np.complex64] * plan.n_subarrays
        gr.sync_block.__init__(self, name="thzum_sigmf_recorder", in_sig=inputs, out_sig=None)
        self._plan, self._sample_rate, self._defaults = plan, float(sample_rate), dict(defaults or {})
        self._lock = threading.Lock()
        self._file, self._path, self._error = None, None, None

    def begin(self, path):
        """Record from the next samples on into ``path`` (with or without suffix).

        Raises:
            ValueError: there is such a recording already, or one is being made.
            OSError: the file cannot be written.
        """
        path = find_recording(path)
        if path.exists() or path.with_suffix(".sigmf-data").exists():
            raise ValueError(f"record: {path} exists; give another name or remove it")
        with self._lock:
            if self._file:
                raise ValueError(f"record: {self._path} is being written; end it first")
            data = path.with_suffix(".sigmf-data")
            try:
                self._file = open(data, "wb")
            except OSError as error:
                raise type(error)(f"record: cannot write {data}: {error.strerror}") from None
            self._path, self._error = path, None
            self._first, self._written, self._frames = None, 0, {}
            self._begun = datetime.datetime.now(datetime.timezone.utc)

    def is_recording(self):
        """Whether samples are being written."""
        return self._file is not None

    def note(self, sample, entries):
        """A frame begins at ``sample`` of the streams; ``entries`` are those of its annotation."""
        with self._lock:
            if self._file:
                self._frames[sample] = entries

    def work(self, input_items, output_items):
        """Writes the samples; see the class."""
        count = len(input_items[0])
        with self._lock:
            if self._file and not self._error:
                self._write(input_items)
        return count

    def _write(self, input_items):
        if self._first is None:
            self._first = self.nitems_read(0)
        try:
            np.stack(input_items, axis=1).tofile(self._file)
            self._written += len(input_items[0])
        except OSError as error:  # a full disk ends the recording, not the receiver
            self._error = error

    def end(self):
        """End the recording and write its metadata; returns (path, samples, frames), None if there is none.

        Raises:
            OSError: not all could be written; what was is readable.
        """
        with self._lock:
            if not self._file:
                return None
            self._file.close()
            self._file = None
            metadata = self._metadata()
        self._path.write_text(json.dumps(metadata, indent=4) + "\n")
        if self._error:
            raise OSError(f"record: {self._path} is incomplete: {self._error}")
        return self._path, self._written, len(metadata["annotations"])

    def _metadata(self):
        entries = {
            "core:datatype": "cf32_le",
            "core:version": "1.2.6",
            "core:num_channels": self._plan.n_subarrays,
            "core:recorder": "gr-thzum thzum-rx",
            "core:extensions": [EXTENSION],
        }
        if self._sample_rate > 0:
            entries["core:sample_rate"] = self._sample_rate
        if self._plan.has_hadamard_combiner:
            entries["thzum:plan"] = plan_to_metadata(self._plan, array_to_metadata(self._plan.array))
        capture = {
            "core:sample_start": 0,
            "core:frequency": self._plan.array.carrier_frequency,
            "core:datetime": self._begun.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }
        return {"global": entries, "captures": [capture], "annotations": self._annotations()}

    def _annotations(self):
        first, length = self._first or 0, self._plan.air_length
        whole = [s for s in sorted(self._frames) if first <= s and s + length <= first + self._written]
        place = [{"core:sample_start": sample - first, "core:sample_count": length} for sample in whole]
        return [{**at, **self._defaults, **self._frames[sample]} for at, sample in zip(place, whole)]
