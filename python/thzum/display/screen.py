# SPDX-License-Identifier: GPL-3.0-or-later
"""What all displays are: a widget with a timer that asks for what is new, and places for text and ticks."""

import math

from PyQt5 import QtCore, QtGui, QtWidgets

from ..channel.hardware.checks import real

#: Height of a line of text in pixels.
LINE = 18


class Screen(QtWidgets.QWidget):
    """A widget that calls ``refresh`` every ``update_time`` seconds while it is visible.

    Args:
        refresh: function without arguments, called in the thread of the Qt application.
        update_time: seconds, above 0 and at most 60.
        width, height: smallest size in pixels.
    """

    def __init__(self, refresh, update_time, width, height):
        update_time = real("update_time", update_time, high=60, above=0)
        QtWidgets.QWidget.__init__(self)
        self._refresh = refresh
        self.setMinimumSize(width, height)
        policy = QtWidgets.QSizePolicy.Expanding
        self.setSizePolicy(policy, policy)
        font = self.font()
        font.setPixelSize(11)
        self.setFont(font)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(max(1, round(1000 * update_time)))

    def _tick(self):
        if self.isVisible():
            self._refresh()

    def set_update_time(self, update_time):
        """Seconds between two pictures."""
        self._timer.setInterval(max(1, round(1000 * real("update_time", update_time, high=60, above=0))))

    def painter(self):
        """A painter of this widget in the colour of its text."""
        painter = QtGui.QPainter(self)
        painter.setPen(self.palette().text().color())
        return painter

    def write(self, painter, left, top, width, text, align=QtCore.Qt.AlignCenter):
        """A line of text in a box of one line's height."""
        painter.drawText(QtCore.QRectF(left, top, width, LINE), align | QtCore.Qt.AlignVCenter, text)


def faint(colour, alpha):
    """The colour with the opacity ``alpha``, 0 to 255."""
    colour = QtGui.QColor(colour)
    colour.setAlpha(alpha)
    return colour


def ticks(low, high, most=5):
    """Round numbers from ``low`` to ``high``, at most ``most`` + 1 of them."""
    if not high > low:
        return [low]
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (factor * step) <= most)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]
