# SPDX-License-Identifier: GPL-3.0-or-later
"""Blocks that compare what a receiver finds with the truth beside a recording."""

import functools

import numpy as np
import pmt
from gnuradio import gr

from .. import metrics

_FRAME, _USER = pmt.intern("thzum_frame"), pmt.intern("thzum_user")


class Truth:
    """The truth of a recording by the frame numbers of a source that may repeat it."""

    def __init__(self, recording):
        self._truth = recording.truth
        self._period = 1 + max(frame.frame for frame in recording.frames)
        self.channels = functools.lru_cache(maxsize=8)(self._channels)

    def _channels(self, frame):
        return self._truth.channels(frame % self._period)

    def symbols(self, frame):
        """int8 [K, n_data], -1 where a user is absent; None for a frame that the truth does not know."""
        try:
            return self._truth.symbols(frame % self._period)
        except ValueError:
            return None


def _numbers(block, key, count):
    """{item: integer value} of a tag on the items at hand."""
    tags = block.get_tags_in_window(0, 0, count, key)
    return {tag.offset - block.nitems_read(0): pmt.to_long(tag.value) for tag in tags if pmt.is_integer(tag.value)}


class nmse_scorer(gr.sync_block):
    """NMSE of channel estimates [N] tagged with frame and user; message port out: ``report``, as nmse_probe's."""

    def __init__(self, truth, n_antennas):
        gr.sync_block.__init__(self, name="nmse_scorer", in_sig=[(np.complex64, n_antennas)], out_sig=None)
        self._truth = truth
        self._sum, self._count = 0.0, 0
        self.message_port_register_out(pmt.intern("report"))

    def work(self, input_items, output_items):
        """Scores the items; see the class."""
        items = input_items[0]
        frames, users = (_numbers(self, key, len(items)) for key in (_FRAME, _USER))
        for index in sorted(frames.keys() & users.keys()):
            self._score(frames[index], users[index], items[index])
        return len(items)

    def _score(self, frame, user, h_hat):
        try:
            h = self._truth.channels(frame)[user]
        except (ValueError, IndexError):  # no frame or user of the recording
            return
        if h.any() and h_hat.any():
            nmse = float(metrics.nmse(h_hat, h))
            self._sum, self._count = self._sum + nmse, self._count + 1
            entry = dict(frame=frame, user=user, nmse_db=10 * np.log10(max(nmse, 1e-30)))
            self.message_port_pub(pmt.intern("report"), pmt.to_pmt(entry))

    def count(self):
        """Channels scored."""
        return self._count

    def nmse_db(self):
        """Mean of the ratios in dB; NaN before the first."""
        return 10 * np.log10(self._sum / self._count) if self._count else float("nan")


class symbol_scorer(gr.sync_block):
    """Wrong symbols among decided ones [K] of a section of each frame, ``section.length`` after a tag thzum_frame."""

    def __init__(self, truth, n_users, section):
        gr.sync_block.__init__(self, name="symbol_scorer", in_sig=[(np.int32, n_users)], out_sig=None)
        self._truth, self._section = truth, section
        self._sent, self._next = None, 0
        self._errors, self._count = 0, 0

    def start(self):
        """Begin outside a frame whenever the flowgraph starts."""
        self._sent = None
        return True

    def work(self, input_items, output_items):
        """Compares the items; see the class."""
        items = input_items[0]
        frames = _numbers(self, _FRAME, len(items))
        bounds = [0, *sorted(frames), len(items)]
        for begin, end in zip(bounds, bounds[1:]):
            if begin in frames:
                self._sent, self._next = self._truth.symbols(frames[begin]), self._section.first
            self._compare(items[begin:end])
        return len(items)

    def _compare(self, decided):
        if self._sent is None:
            return
        end = self._section.first + self._section.length
        sent = self._sent[:, self._next : min(self._next + len(decided), end)].T
        self._next += len(sent)
        errors, count = metrics.symbol_errors(decided[: len(sent)], sent)
        self._errors, self._count = self._errors + errors, self._count + count

    def errors(self):
        """Wrong symbols."""
        return self._errors

    def count(self):
        """Symbols compared."""
        return self._count
