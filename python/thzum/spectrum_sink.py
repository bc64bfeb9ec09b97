# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sink that shows channel vectors as angular spectra, one column of pictures per input."""

import threading

import numpy as np
from gnuradio import gr
from PyQt5 import QtCore, QtGui, QtWidgets

from .plots import angular_spectrum

_MARGIN, _TITLE, _LEVELS = 6, 20, 256


def _colour_table():
    from matplotlib import colormaps

    return [QtGui.qRgb(*map(int, colour[:3])) for colour in colormaps["magma"](np.arange(_LEVELS), bytes=True)]


def spectrum_levels(power, reference, floor_db):
    """Colour numbers 0 .. 255, uint8, of ``power`` from ``floor_db`` below ``reference`` up to it; NaN gives 0."""
    level_db = 10 * np.log10(np.maximum(np.nan_to_num(power), 1e-30) / max(reference, 1e-20))
    return np.uint8(np.clip(1 - level_db / floor_db, 0, 1) * (_LEVELS - 1))


class _Pictures(QtWidgets.QWidget):
    """A table of square pictures with a title per column and the scale below."""

    def __init__(self, labels, n_rows, caption):
        QtWidgets.QWidget.__init__(self)
        self._labels, self._n_rows, self._caption = labels, n_rows, caption
        self._colours = _colour_table()
        self._pictures = {}
        self.setMinimumSize(90 * len(labels), 90 * n_rows + 2 * _TITLE)
        policy = QtWidgets.QSizePolicy.Expanding
        self.setSizePolicy(policy, policy)

    def show_levels(self, levels):
        """Take ``levels`` {(row, column): uint8 [grid, grid]}, first row at the bottom of its picture."""
        self._pictures = {place: self._picture(values[::-1]) for place, values in levels.items()}
        self.update()

    def _picture(self, values):
        values = np.ascontiguousarray(values)
        height, width = values.shape
        picture = QtGui.QImage(values.tobytes(), width, height, width, QtGui.QImage.Format_Indexed8)
        picture.setColorTable(self._colours)
        return picture.copy()

    def paintEvent(self, event):
        painter = QtGui.QPainter(self)
        width = self.width() // len(self._labels)
        side = max(min(width, (self.height() - 2 * _TITLE) // self._n_rows) - _MARGIN, 1)
        for column, label in enumerate(self._labels):
            painter.drawText(column * width, 0, width, _TITLE, QtCore.Qt.AlignCenter, label)
            for row in range(self._n_rows):
                left, top = column * width + (width - side) // 2, _TITLE + row * (side + _MARGIN)
                place = QtCore.QRect(left, top, side, side)
                painter.fillRect(place, QtCore.Qt.black)
                if (row, column) in self._pictures:
                    painter.drawImage(place, self._pictures[row, column])
        foot = QtCore.QRect(0, self.height() - _TITLE, self.width(), _TITLE)
        painter.drawText(foot, QtCore.Qt.AlignCenter, self._caption)


class angular_spectrum_sink(gr.sync_block):
    """Show the beamformer power of channel vectors over the visible region, subarray by subarray.

    Every input is a column of pictures, every subarray shown a row; direction cosines run from -1 to 1, u_x to
    the right and u_y upwards. The levels are relative to the strongest direction of the first input, so
    put the true channel there where it is known. The newest item of each input is shown.

    Args:
        array: :class:`gnuradio.thzum.array.SubarrayArray`; it sets the vector length.
        labels: titles of the inputs; their number is the number of inputs.
        subarrays: numbers of the subarrays to show; empty shows all.
        floor_db: level of the darkest colour, in dB below the strongest direction, negative.
        update_time: seconds between two pictures.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(self, array, labels=("estimate",), subarrays=(), floor_db=-25.0, update_time=0.2):
        labels = [str(label) for label in labels]
        if not labels:
            raise ValueError("labels: expected one title per input, got none")
        subarrays = tuple(subarrays) or tuple(range(array.n_subarrays))
        if not all(0 <= s < array.n_subarrays for s in subarrays):
            raise ValueError(f"subarrays: expected numbers from 0 to {array.n_subarrays - 1}, got {subarrays}")
        if not -200 <= floor_db < 0:
            raise ValueError(f"floor_db: expected a negative number of dB of at least -200, got {floor_db!r}")
        if not update_time > 0:
            raise ValueError(f"update_time: expected a positive number of seconds, got {update_time!r}")
        inputs = [(np.complex64, array.n_antennas)] * len(labels)
        gr.sync_block.__init__(self, name="thzum_angular_spectrum_sink", in_sig=inputs, out_sig=None)
        self._array, self._subarrays, self._floor_db = array, subarrays, float(floor_db)
        self._newest, self._lock = None, threading.Lock()
        shown = ", ".join(str(s + 1) for s in subarrays)
        caption = f"rows: subarray {shown}; bright to dark: 0 to {floor_db:g} dB"
        self._widget = _Pictures(labels, len(subarrays), caption)
        self._timer = QtCore.QTimer(self._widget)
        self._timer.timeout.connect(self.refresh)
        self._timer.start(int(1000 * update_time))

    def widget(self):
        """The Qt widget."""
        return self._widget

    def work(self, input_items, output_items):
        newest = np.stack([items[-1] for items in input_items])
        with self._lock:
            self._newest = newest
        return len(input_items[0])

    def levels(self):
        """{(row, column): uint8 [grid, grid]} of the newest items; empty before the first ones."""
        with self._lock:
            newest = self._newest
        if newest is None:
            return {}
        shape = (-1, self._array.n_subarrays, self._array.rows, self._array.cols)
        responses = np.nan_to_num(newest).reshape(shape)
        power = {
            (row, column): angular_spectrum(response[s], self._array.spacing)
            for column, response in enumerate(responses)
            for row, s in enumerate(self._subarrays)
        }
        reference = max(np.nanmax(values) for (_, column), values in power.items() if column == 0)
        return {place: spectrum_levels(values, reference, self._floor_db) for place, values in power.items()}

    def refresh(self):
        """Draw the newest items; the timer calls it."""
        self._widget.show_levels(self.levels())
