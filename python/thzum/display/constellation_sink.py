# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sink that shows the detected symbols of every user in a constellation of its own."""

import threading

import numpy as np
from gnuradio import gr
from PyQt5 import QtCore, QtGui

from ..channel.hardware.checks import integer, real
from ..frame.constellation import constellation
from . import heat
from .screen import LINE, Screen

_BINS = 96  # of a picture, in each direction
_MARGIN = 4
_LEVELS = np.uint8(np.minimum(np.sqrt(np.arange(7)) * 110, 255))  # by the number of symbols in a bin
_SIDE = 50  # of the smallest picture, in pixels


class _Grid(Screen):
    """Square pictures of equal size with a title each, as large as fit."""

    def __init__(self, refresh, update_time, titles, limit, points):
        columns = int(np.ceil(np.sqrt(len(titles))))
        super().__init__(refresh, update_time, _SIDE * columns, (_SIDE + LINE) * -(-len(titles) // columns))
        self._titles, self._limit, self._points, self._pictures = titles, limit, points, []

    def show_levels(self, levels):
        """Take ``levels`` uint8 [pictures, bins, bins]."""
        self._pictures = [heat.picture(values) for values in levels]
        self.update()

    def _side(self, columns):
        rows = -(-len(self._titles) // columns)
        return min(self.width() / columns, self.height() / rows - LINE)

    def place(self, number):
        """Rectangle of a picture in the widget."""
        columns = max(range(1, len(self._titles) + 1), key=self._side)
        side = max(self._side(columns), 2 * _MARGIN)
        left, top = number % columns * side, number // columns * (side + LINE) + LINE
        return QtCore.QRectF(left + _MARGIN, top, side - 2 * _MARGIN, side - 2 * _MARGIN)

    def paintEvent(self, event):
        painter = self.painter()
        for number in range(len(self._titles)):
            place = self.place(number)
            painter.fillRect(place, QtCore.Qt.black)
            if self._pictures:
                painter.drawImage(place, self._pictures[number])
        self.draw_still(painter, self._draw_titles_and_points)

    def _draw_titles_and_points(self, painter):
        for number, title in enumerate(self._titles):
            place = self.place(number)
            self.write(painter, place.left(), place.top() - LINE, place.width(), title)
        painter.setPen(QtGui.QPen(QtGui.QColor("#56B4E9"), 1))
        for number, points in enumerate(self._points):
            self._mark_points(painter, self.place(number), points)

    def _mark_points(self, painter, place, points):
        scale = place.width() / 2 / self._limit
        for point in points:
            x, y = place.center().x() + scale * point.real, place.center().y() - scale * point.imag
            painter.drawLine(QtCore.QPointF(x - 3, y), QtCore.QPointF(x + 3, y))
            painter.drawLine(QtCore.QPointF(x, y - 3), QtCore.QPointF(x, y + 3))


class constellation_sink(gr.sync_block):
    """Show the newest symbol estimates of every user as a constellation.

    Inputs: x_hat, complex64 vectors of n_users, as a mimo_detector puts them out; one input for each
    section of a frame. Estimates that are exactly zero (absent users, skipped vectors) or not finite are left out.
    A user with no estimate among the last ``n_points`` vectors has an empty picture.

    Args:
        n_users: users, 1 to 256.
        constellations: of each input a name of ``thzum.constellations()``, whose points are marked, or "" for none;
            their number is the number of inputs.
        n_points: vectors of each input that are shown, 1 to 65536.
        limit: half the width of a picture, above 0; estimates beyond it are on its border.
        update_time: seconds between two pictures.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(self, n_users, constellations=("",), n_points=512, limit=1.6, update_time=0.05):
        n_users = integer("n_users", n_users, 1, 256)
        constellations = [str(name) for name in constellations]
        if not constellations:
            raise ValueError("constellations: expected one name per input, got none")
        points = [constellation(name) if name else np.empty(0, complex) for name in constellations]
        n_points = integer("n_points", n_points, 1, 65536)
        inputs = [(np.complex64, n_users)] * len(constellations)
        gr.sync_block.__init__(self, name="thzum_constellation_sink", in_sig=inputs, out_sig=None)
        self._limit = real("limit", limit, above=0)
        self._lock, self._is_new = threading.Lock(), False
        # Zeros are not shown, so that what has not come yet needs no counting.
        self._recent = np.zeros((len(inputs), n_points, n_users), np.complex64)
        self._next = [0] * len(inputs)
        names = [f"user {user}" for user in range(n_users)]
        titles = [f"{user} {name}".rstrip() for name in constellations for user in names]
        marks = [mark for mark in points for _ in names]
        self._widget = _Grid(self.refresh, update_time, titles, self._limit, marks)

    def widget(self):
        """The Qt widget."""
        return self._widget

    def set_update_time(self, update_time):
        """Seconds between two pictures."""
        self._widget.set_update_time(update_time)

    def work(self, input_items, output_items):
        """Keeps the newest vectors; see the class."""
        n_points = self._recent.shape[1]
        with self._lock:
            for port, items in enumerate(input_items):
                newest = items[-n_points:].reshape(-1, self._recent.shape[2])
                places = (self._next[port] + np.arange(len(newest))) % n_points
                self._recent[port, places] = newest
                self._next[port] = (self._next[port] + len(newest)) % n_points
            self._is_new = True
        return len(input_items[0])

    def counts(self):
        """Estimates in each bin, int [inputs * users, bins, bins], first row the most negative quadrature."""
        with self._lock:
            recent, self._is_new = self._recent.transpose(0, 2, 1).reshape(-1, self._recent.shape[1]).copy(), False
        valid = np.isfinite(recent) & (recent != 0)
        number = np.nonzero(valid)[0]
        x_hat = recent[valid]
        column, row = (self._bins(part) for part in (x_hat.real, x_hat.imag))
        shape = (len(recent), _BINS, _BINS)
        flat = np.bincount((number * _BINS + row) * _BINS + column, minlength=np.prod(shape))
        return flat.reshape(shape)

    def _bins(self, part):
        return np.clip((part / self._limit + 1) * (_BINS / 2), 0, _BINS - 1).astype(int)

    def levels(self):
        """Levels 0 to 255, uint8, of :meth:`counts`: a single estimate is already clear."""
        return _LEVELS[np.minimum(self.counts(), len(_LEVELS) - 1)]

    def refresh(self):
        """Draw the newest estimates if there are any; the timer calls it."""
        if self._is_new:
            self._widget.show_levels(self.levels())
