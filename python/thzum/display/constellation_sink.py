# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sink that shows the detected symbols of every user in a constellation of its own."""

import threading

import numpy as np
from gnuradio import gr
from PyQt5 import QtCore, QtGui

from ..channel.hardware.checks import integer, real
from ..frame.constellation import constellation
from . import heat
from .screen import LINE, Screen, fitting

_BINS = 96  # of a picture, in each direction
_MARGIN = 4
_LEVELS = np.uint8(np.minimum(np.sqrt(np.arange(7)) * 110, 255))  # by the number of symbols in a bin
_SIDE = 50  # of the smallest picture, in pixels


class _Grid(Screen):
    """Square pictures of equal size with a title each, as large as fit; one alone after a click on it.

    Args:
        titles: of every picture some texts, from long to short; the longest that fits all pictures is written.
    """

    def __init__(self, refresh, update_time, titles, limit, points):
        columns = int(np.ceil(np.sqrt(len(titles))))
        super().__init__(refresh, update_time, _SIDE * columns, (_SIDE + LINE) * -(-len(titles) // columns))
        self._titles, self._limit, self._points, self._pictures = titles, limit, points, []
        self._shown = range(len(titles))
        if len(titles) > 1:
            self.setToolTip("click on a picture to enlarge it, and again for all")

    def show_levels(self, levels):
        """Take ``levels`` uint8 [pictures, bins, bins]."""
        self._pictures = [heat.picture(values) for values in levels]
        self.update()

    def shown(self):
        """Numbers of the pictures that are shown: all, or the one that was clicked on."""
        return self._shown

    def mouseReleaseEvent(self, event):
        clicked = [number for number in self._shown if self.place(number).contains(event.pos())]
        if len(self._shown) < len(self._titles):
            self._shown = range(len(self._titles))
        elif clicked:
            self._shown = range(clicked[0], clicked[0] + 1)
        self.forget_still()

    def _side(self, columns):
        rows = -(-len(self._shown) // columns)
        return min(self.width() / columns, self.height() / rows - LINE)

    def n_bins(self):
        """Bins that a picture can show in each direction, none left out: a divisor of _BINS."""
        side = self.place(self._shown[0]).width() * self.devicePixelRatioF()
        return next((_BINS // merged for merged in (1, 2, 3) if _BINS // merged <= side), _BINS // 4)

    def place(self, number):
        """Rectangle of a picture that is shown in the widget."""
        columns = max(range(1, len(self._shown) + 1), key=self._side)
        side = max(self._side(columns), 2 * _MARGIN)
        number -= self._shown[0]
        left, top = number % columns * side, number // columns * (side + LINE) + LINE
        return QtCore.QRectF(left + _MARGIN, top, side - 2 * _MARGIN, side - 2 * _MARGIN)

    def paintEvent(self, event):
        painter = self.painter()
        for number in self._shown:
            place = self.place(number)
            painter.fillRect(place, QtCore.Qt.black)
            if self._pictures:
                painter.drawImage(place, self._pictures[number])
        self.draw_still(painter, self._draw_titles_and_points)

    def _draw_titles_and_points(self, painter):
        for number, title in zip(self._shown, self._fitting_titles(painter.fontMetrics())):
            place = self.place(number)
            left, width = place.left() - _MARGIN, place.width() + 2 * _MARGIN
            self.write(painter, left, place.top() - LINE, width, title)
        painter.setPen(QtGui.QPen(QtGui.QColor("#56B4E9"), 1))
        for number in self._shown:
            self._mark_points(painter, self.place(number), self._points[number])

    def _fitting_titles(self, metrics):
        width = self.place(self._shown[0]).width() + 2 * _MARGIN
        return fitting(metrics, width, list(zip(*(self._titles[number] for number in self._shown))))

    def _mark_points(self, painter, place, points):
        scale = place.width() / 2 / self._limit
        arm = min(max(place.width() / 50, 1), 3)  # so that those of a small picture leave it free
        for point in points:
            x, y = place.center().x() + scale * point.real, place.center().y() - scale * point.imag
            painter.drawLine(QtCore.QPointF(x - arm, y), QtCore.QPointF(x + arm, y))
            painter.drawLine(QtCore.QPointF(x, y - arm), QtCore.QPointF(x, y + arm))


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
        item = (np.complex64, n_users) if n_users > 1 else np.complex64
        inputs = [item] * len(constellations)
        gr.sync_block.__init__(self, name="thzum_constellation_sink", in_sig=inputs, out_sig=None)
        self._limit = real("limit", limit, above=0)
        self._lock, self._is_new = threading.Lock(), False
        # Zeros are not shown, so that what has not come yet needs no counting.
        self._recent = np.zeros((len(inputs), n_points, n_users), np.complex64)
        self._next = [0] * len(inputs)
        users = range(n_users)
        titles = [
            [f"user {user} {name}".rstrip(), f"{user} {name}".rstrip(), f"{user}"]
            for name in constellations for user in users
        ]
        marks = [mark for mark in points for _ in users]
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
        """Levels 0 to 255, uint8, of :meth:`counts`: a single estimate is already clear.

        Bins are merged where the pictures have fewer pixels.
        """
        counts, n_bins = self.counts(), self._widget.n_bins()
        if n_bins < _BINS:
            merged = _BINS // n_bins
            counts = counts.reshape(-1, n_bins, merged, n_bins, merged).sum(axis=(2, 4))
        return _LEVELS[np.minimum(counts, len(_LEVELS) - 1)]

    def refresh(self):
        """Draw the newest estimates if there are any; the timer calls it."""
        if self._is_new:
            self._widget.show_levels(self.levels())
