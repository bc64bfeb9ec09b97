# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sink that shows channel vectors as angular spectra, one row of pictures per subarray."""

import threading

import numpy as np
import pmt
from gnuradio import gr
from PyQt5 import QtCore

from ..channel.hardware.checks import real
from ..plots import angular_spectrum
from . import heat
from .screen import LINE, Screen, fitting

_MARGIN = 6
_SIDE = 90  # of the smallest picture, in pixels
_USER, _SKIPPED = pmt.intern("thzum_user"), pmt.intern("thzum_skipped")


class _Pictures(Screen):
    """A table of square pictures with a title per column and the scale below.

    Titles come in forms from long to short; the first that fits all columns is written.
    """

    def __init__(self, refresh, update_time):
        super().__init__(refresh, update_time, _SIDE, _SIDE)
        self._titles, self._n_columns, self._n_rows, self._caption = [[""]], 1, 1, ""
        self._pictures = {}

    def show_table(self, titles, n_rows, caption):
        """Take another table, which is dark until levels come."""
        self._titles, self._n_columns, self._n_rows, self._caption = titles, len(titles[0]), n_rows, caption
        self._pictures = {}
        self.setMinimumSize(_SIDE * self._n_columns, _SIDE * n_rows + 2 * LINE)
        self.update()

    def show_levels(self, levels):
        """Take ``levels`` {(row, column): uint8 [grid, grid]}, first row at the bottom of its picture."""
        self._pictures = {place: heat.picture(values) for place, values in levels.items()}
        self.update()

    def place(self, row, column):
        """Rectangle of a picture in the widget."""
        width = self.width() // self._n_columns
        side = max(min(width, (self.height() - 2 * LINE) // self._n_rows) - _MARGIN, 1)
        return QtCore.QRect(column * width + (width - side) // 2, LINE + row * (side + _MARGIN), side, side)

    def paintEvent(self, event):
        painter = self.painter()
        width = self.width() // self._n_columns
        for column, title in enumerate(fitting(painter.fontMetrics(), width - _MARGIN, self._titles)):
            self.write(painter, column * width, 0, width, title)
            for row in range(self._n_rows):
                place = self.place(row, column)
                painter.fillRect(place, QtCore.Qt.black)
                if (row, column) in self._pictures:
                    painter.drawImage(place, self._pictures[row, column])
        self.write(painter, 0, self.height() - LINE, self.width(), self._caption)


def _checked_subarrays(array, subarrays):
    subarrays = list(subarrays) or list(range(array.n_subarrays))
    if not all(0 <= s < array.n_subarrays for s in subarrays):
        raise ValueError(f"subarrays: expected numbers from 0 to {array.n_subarrays - 1}, got {subarrays}")
    return subarrays


def _checked_users(users):
    users = tuple(users)
    if not all(isinstance(user, (int, np.integer)) and user >= 0 for user in users):
        raise ValueError(f"users: expected numbers from 0 on, got {users}")
    return users


class angular_spectrum_sink(gr.sync_block):
    """Show the beamformer power of channel vectors over the visible region, subarray by subarray.

    Every subarray shown is a row of pictures, every input a column, or a column for each of ``users``. Direction
    cosines run from -1 to 1, u_x to the right and u_y upwards. The newest item is shown. Items tagged
    thzum_skipped are passed over; with ``users`` they leave that user's column dark.

    Args:
        array: :class:`gnuradio.thzum.array.SubarrayArray`; it sets the vector length.
        labels: titles of the inputs; their number is the number of inputs.
        subarrays: numbers of the subarrays to show; empty shows all.
        floor_db: level of the darkest colour, in dB below the strongest direction, negative.
        update_time: seconds between two pictures.
        users: show the items tagged thzum_user with these numbers, each in a column of its own, and nothing
            untagged; empty shows the newest item whatever its user.

    Without ``users`` levels are relative to the strongest direction of the first input, so put the true channel
    there where it is known. With ``users`` they are relative to the strongest direction of each user's first
    input, because users are received at different powers.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(self, array, labels=("estimate",), subarrays=(), floor_db=-25.0, update_time=0.05, users=()):
        labels = [str(label) for label in labels]
        if not labels:
            raise ValueError("labels: expected one title per input, got none")
        inputs = [(np.complex64, array.n_antennas)] * len(labels)
        gr.sync_block.__init__(self, name="thzum_angular_spectrum_sink", in_sig=inputs, out_sig=None)
        self._array, self._labels, self._floor_db = array, labels, real("floor_db", floor_db, low=-200, high=-1)
        self._subarrays = _checked_subarrays(array, subarrays)
        # A setter and work() call what takes the lock again.
        self._lock, self._is_new = threading.RLock(), False
        self._widget = _Pictures(self.refresh, update_time)
        self.set_users(users)

    def widget(self):
        """The Qt widget."""
        return self._widget

    def set_update_time(self, update_time):
        """Seconds between two pictures."""
        self._widget.set_update_time(update_time)

    def set_floor_db(self, floor_db):
        """Level of the darkest colour in dB."""
        self._floor_db = real("floor_db", floor_db, low=-200, high=-1)
        self._show_table()

    def set_users(self, users):
        """Show other users, from their next items on; ValueError as of the class."""
        users = _checked_users(users)
        with self._lock:
            self._users = users
            # One column of pictures for each input, or for each user and input.
            self._columns = np.zeros((len(users) or 1, len(self._labels), self._array.n_antennas), np.complex64)
            self._has_items = False
        self._show_table()

    def set_subarrays(self, subarrays):
        """Show other subarrays; ValueError as of the class."""
        self._subarrays = _checked_subarrays(self._array, subarrays)
        self._show_table()

    def _show_table(self):
        titles = [self._labels]
        if self._users:
            columns = [(label, user) for user in self._users for label in self._labels]
            forms = ("{}, user {}", "user {1}" if len(self._labels) == 1 else "{} {}", "{1}")
            titles = [[form.format(*column) for column in columns] for form in forms]
        shown = ", ".join(map(str, self._subarrays))
        caption = f"rows: subarray {shown}; bright to dark: 0 to {self._floor_db:g} dB"
        self._widget.show_table(titles, len(self._subarrays), caption)
        self._is_new = True

    def work(self, input_items, output_items):
        """Keeps the newest items; see the class."""
        with self._lock:
            newest = self._newest_of_users if self._users else self._newest
            found = [
                (group, port, items[index])
                for port, items in enumerate(input_items)
                for group, index in newest(port, len(items)).items()
            ]
            if found:
                self.keep(found)
        return len(input_items[0])

    def keep(self, found):
        """Take [(place in users or 0, input, item [N])] as the newest."""
        with self._lock:
            for group, port, item in found:
                self._columns[group, port] = item
            self._is_new = self._has_items = True

    def _newest(self, port, count):
        """{0: index of the newest item that was not skipped}."""
        tags = self.get_tags_in_window(port, 0, count, _SKIPPED)
        skipped = {tag.offset - self.nitems_read(port) for tag in tags}
        return {0: index for index in range(count) if index not in skipped}

    def _newest_of_users(self, port, count):
        """{place in users: index of that user's newest item}."""
        tags = [tag for tag in self.get_tags_in_window(port, 0, count, _USER) if pmt.is_integer(tag.value)]
        newest = {pmt.to_long(tag.value): tag.offset - self.nitems_read(port) for tag in tags}
        return {group: newest[user] for group, user in enumerate(self._users) if user in newest}

    def levels(self):
        """{(row, column): uint8 [grid, grid]} of the newest items; empty before the first ones."""
        with self._lock:
            columns, has_items, self._is_new = self._columns.copy(), self._has_items, False
        if not has_items:
            return {}
        shape = (*columns.shape[:2], self._array.n_subarrays, self._array.rows, self._array.cols)
        responses = np.nan_to_num(columns, posinf=0, neginf=0).reshape(shape)[:, :, self._subarrays]
        power = angular_spectrum(responses, self._array.spacing)
        found = {}
        for group, inputs in enumerate(power):
            reference = np.nanmax(inputs[0])
            for port, pictures in enumerate(heat.levels_db(inputs, reference, self._floor_db)):
                column = group * len(inputs) + port
                found.update({(row, column): levels for row, levels in enumerate(pictures)})
        return found

    def refresh(self):
        """Draw the newest items if there are any; the timer calls it."""
        if self._is_new:
            self._widget.show_levels(self.levels())
