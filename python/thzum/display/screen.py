# SPDX-License-Identifier: GPL-3.0-or-later
"""What all displays are: a widget with a timer that asks for what is new, and places for text and ticks."""

import math

import numpy as np
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
        #: Pictures drawn so far.
        self.pictures = 0
        self._still = None
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
        """A painter for one picture of this widget, in the colour of its text."""
        self.pictures += 1
        return self._painter_on(self)

    def _painter_on(self, device):
        painter = QtGui.QPainter(device)
        painter.setFont(self.font())
        painter.setPen(self.palette().text().color())
        return painter

    def draw_still(self, painter, draw):
        """Draw what ``draw(painter)`` draws on a transparent ground, which it is asked for once per size."""
        if self._still is None:
            ratio = self.devicePixelRatioF()
            self._still = QtGui.QPixmap(self.size() * ratio)
            self._still.setDevicePixelRatio(ratio)
            self._still.fill(QtCore.Qt.transparent)
            draw(self._painter_on(self._still))
        painter.drawPixmap(0, 0, self._still)

    def forget_still(self):
        """Ask for the still part again."""
        self._still = None
        self.update()

    def resizeEvent(self, event):
        self.forget_still()

    def pixels(self):
        """The widget as it is drawn, uint8 [height, width, 3] of red, green and blue."""
        image = self.grab().toImage().convertToFormat(QtGui.QImage.Format_RGB888)
        rows = np.frombuffer(image.constBits().asstring(image.sizeInBytes()), np.uint8)
        return rows.reshape(image.height(), image.bytesPerLine())[:, : 3 * image.width()].reshape(
            image.height(), image.width(), 3
        )

    def write(self, painter, left, top, width, text, align=QtCore.Qt.AlignCenter):
        """A line of text in a box of one line's height."""
        painter.drawText(QtCore.QRectF(left, top, width, LINE), align | QtCore.Qt.AlignVCenter, text)


def fitting(metrics, width, forms):
    """The first of ``forms``, lists of texts, of which each text is at most ``width`` pixels wide; else the last."""
    fit = (texts for texts in forms if max(map(metrics.horizontalAdvance, texts)) <= width)
    return next(fit, forms[-1])


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
