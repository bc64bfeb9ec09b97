# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio source block that replays a SigMF recording of several RF chains with its frame tags."""

import warnings

import numpy as np
import pmt
from gnuradio import gr

from .frame.recording import Recording


class recording_source(gr.sync_block):
    """Replay a multi-channel SigMF recording: one stream of complex samples per RF chain.

    Tags on every output at the first sample of a frame: thzum_frame (long), thzum_users (long, bit k set
    when user k sends), thzum_beams (s32vector) and thzum_snr_db (double), each where the annotation has
    it. With ``repeat`` the frame numbers go on counting: round r adds r times one more than the largest
    number of the recording.

    Args:
        path: metadata file, with or without suffix; "" takes the shipped recording.
        n_channels: RF chains that the recording must have; 0 takes what it has.
        repeat: start again at the end, without pause.
        n_frames: end before frame n_frames + 1 begins; 0 replays the whole recording.

    Raises:
        FileNotFoundError: a file is missing.
        ValueError: not SigMF, a sample format other than ci16_le and cf32_le, or another number of chains.

    A recording whose data are truncated is replayed as far as it goes, with a warning in the log.
    """

    def __init__(self, path="", n_channels=0, repeat=False, n_frames=0):
        if int(n_frames) != n_frames or n_frames < 0:
            raise ValueError(f"n_frames: expected an integer of at least 0, got {n_frames!r}")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.recording = Recording(path or None)
        found = self.recording.n_channels
        if n_channels not in (0, found):
            path = self.recording.path
            raise ValueError(f"n_channels: {path} has {found} RF chains, expected {n_channels}")
        outputs = [np.complex64] * found
        gr.sync_block.__init__(self, name="thzum_recording_source", in_sig=None, out_sig=outputs)
        log = gr.logger(self.alias())
        for warning in caught:
            log.warn(str(warning.message))
        self._repeat = bool(repeat)
        self._position = 0
        self._round = 0
        self._starts = np.array([frame.start for frame in self.recording.frames], np.int64)
        cut_short = 0 < n_frames < len(self._starts)
        self._end = int(self._starts[int(n_frames)]) if cut_short else self.recording.n_samples
        self._next_number = 1 + max((frame.frame for frame in self.recording.frames), default=-1)

    def start(self):
        """Begin at the first sample whenever the flowgraph starts."""
        self._position = 0
        self._round = 0
        return True

    def work(self, input_items, output_items):
        if self._position == self._end:
            if not self._repeat:
                return -1
            self._position = 0
            self._round += 1
        count = min(len(output_items[0]), self._end - self._position)
        samples = self.recording.samples(self._position, count)
        for stream, chain in zip(output_items, samples.T):
            stream[: len(samples)] = chain
        self._tag_frames(self._position, self._position + len(samples))
        self._position += len(samples)
        return len(samples)

    def _tag_frames(self, begin, end):
        first, last = np.searchsorted(self._starts, [begin, end])
        for frame in self.recording.frames[first:last]:
            entries = [
                ("thzum_frame", pmt.from_long(frame.frame + self._round * self._next_number)),
                ("thzum_users", pmt.from_long(frame.user_mask)),
            ]
            if frame.beams:
                entries.append(("thzum_beams", pmt.init_s32vector(len(frame.beams), list(frame.beams))))
            if np.isfinite(frame.snr_db):
                entries.append(("thzum_snr_db", pmt.from_double(frame.snr_db)))
            for port in range(self.recording.n_channels):
                offset = self.nitems_written(port) + frame.start - begin
                for key, value in entries:
                    self.add_item_tag(port, offset, pmt.intern(key), value)
