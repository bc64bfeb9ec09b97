# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of quantities over time, one above the other."""

from dataclasses import dataclass

import numpy as np
from PyQt5 import QtCore, QtGui

from ..plots import COLOURS
from .screen import LINE, Screen, faint, ticks

_LEFT = 44  # pixels for the numbers beside a chart
_BIN = 3  # pixels in which values share a point


@dataclass(frozen=True)
class Chart:
    """One chart: its title, the series in it as {key: (name, colour)}, and its range if that is fixed."""

    title: str
    series: dict
    range: tuple = None


def binned(pairs, duration, width):
    """(x, mean, smallest, largest) of the bins of ``_BIN`` pixels that hold values; x from 0 to ``width``."""
    n_bins = max(int(width) // _BIN, 1)
    index = np.clip(((pairs[0] / duration + 1) * n_bins).astype(int), 0, n_bins - 1)
    # Times ascend, so the values of a bin are neighbours.
    first = np.flatnonzero(np.diff(index, prepend=-1))
    if not len(first):
        return (np.empty(0),) * 4
    count = np.diff(np.append(first, len(index)))
    values = pairs[1]
    x = (index[first] + 0.5) * width / n_bins
    reduced = (np.add.reduceat(values, first) / count, np.minimum.reduceat(values, first))
    return (x, *reduced, np.maximum.reduceat(values, first))


class HistoryChart(Screen):
    """NMSE, iterations and latency over the last seconds."""

    def __init__(self, refresh, update_time, nmse_range):
        self._charts = (
            Chart(
                "NMSE (dB)",
                {"nmse_db": ("true", COLOURS[0]), "predicted_nmse_db": ("predicted", COLOURS[1])},
                nmse_range,
            ),
            Chart("iterations", {"iterations": ("per estimate", COLOURS[2])}),
            Chart(
                "latency (ms)",
                {"latency_us": ("estimation", COLOURS[4]), "detection_us": ("detection", COLOURS[3])},
            ),
        )
        super().__init__(refresh, update_time, 260, 210)
        self._series, self._duration = {}, 1.0

    def show_series(self, series, duration):
        """Take {key: [2, n]} of seconds before now and values, and the seconds shown."""
        self._series, self._duration = series, duration
        self.update()

    def place(self, number):
        """Rectangle of a chart in the widget, its title above it."""
        height = (self.height() - LINE) / len(self._charts)
        return QtCore.QRectF(_LEFT, number * height + LINE, self.width() - _LEFT - 8, height - LINE - 6)

    def range(self, number):
        """(lowest, highest) value of a chart."""
        chart = self._charts[number]
        if chart.range:
            return chart.range
        values = [self._series[key][1] for key in chart.series if key in self._series]
        highest = max((part.max() for part in values if len(part)), default=1.0)
        # Powers of two, so that the scale is quiet.
        return 0.0, float(2.0 ** np.ceil(np.log2(max(highest, 1e-3) * 1.02)))

    def paintEvent(self, event):
        painter = self.painter()
        for number, chart in enumerate(self._charts):
            self._draw_chart(painter, number, chart)
        left, width = _LEFT, self.width() - _LEFT - 8
        foot = self.height() - LINE
        self.write(painter, left, foot, width, f"-{self._duration:g} s", QtCore.Qt.AlignLeft)
        self.write(painter, left, foot, width, "now", QtCore.Qt.AlignRight)

    def _draw_chart(self, painter, number, chart):
        place, (lowest, highest) = self.place(number), self.range(number)
        painter.fillRect(place, self.palette().base())
        painter.save()
        painter.setPen(QtGui.QPen(faint(self.palette().text().color(), 50)))
        for tick in ticks(lowest, highest, max(int(place.height() / 24), 1)):
            y = place.bottom() - (tick - lowest) / (highest - lowest) * place.height()
            painter.drawLine(QtCore.QPointF(place.left(), y), QtCore.QPointF(place.right(), y))
            painter.setPen(self.palette().text().color())
            self.write(painter, 0, y - LINE / 2, _LEFT - 4, f"{tick:g}", QtCore.Qt.AlignRight)
            painter.setPen(QtGui.QPen(faint(self.palette().text().color(), 50)))
        painter.restore()
        self._draw_title(painter, place, chart)
        painter.save()
        painter.setClipRect(place)
        for key, (_, colour) in chart.series.items():
            if key in self._series:
                self._draw_series(painter, place, self._series[key], colour, lowest, highest)
        painter.restore()

    def _draw_title(self, painter, place, chart):
        self.write(painter, place.left(), place.top() - LINE, place.width(), chart.title, QtCore.Qt.AlignLeft)
        painter.save()
        right = place.width()
        for key, (name, colour) in reversed(chart.series.items()):
            newest = self._series.get(key, np.empty((2, 0)))[1]
            text = f"{name} {newest[-1]:.3g}" if len(newest) else name
            painter.setPen(QtGui.QColor(colour))
            self.write(painter, place.left(), place.top() - LINE, right, text, QtCore.Qt.AlignRight)
            right -= 110
        painter.restore()

    def _draw_series(self, painter, place, pairs, colour, lowest, highest):
        x, mean, smallest, largest = binned(pairs, self._duration, place.width())
        x = place.left() + x
        scale = place.height() / (highest - lowest)
        parts = (np.clip(part, lowest, highest) for part in (mean, smallest, largest))
        mean, smallest, largest = (place.bottom() - (part - lowest) * scale for part in parts)
        painter.setPen(QtGui.QPen(faint(colour, 90), _BIN - 1))
        lines = zip(x.tolist(), smallest.tolist(), largest.tolist())
        painter.drawLines([QtCore.QLineF(at, low, at, high) for at, low, high in lines if low != high])
        painter.setPen(QtGui.QPen(QtGui.QColor(colour), 1.6))
        points = [QtCore.QPointF(at, y) for at, y in zip(x.tolist(), mean.tolist())]
        if len(points) > 1:
            painter.drawPolyline(QtGui.QPolygonF(points))
        elif points:
            painter.drawEllipse(points[0], 2, 2)
