# SPDX-License-Identifier: GPL-3.0-or-later
"""The polar plot of paths: half a disc in front of the array."""

import functools
import math

import numpy as np
from PyQt5 import QtCore, QtGui

from ..plots import COLOURS
from .screen import LINE, Screen, faint, fitting

#: Planes through the array's normal, and where the direction cosine in them is found.
PLANES = {"xz": "ux", "yz": "uy"}

_HOLE = 0.15  # radius of the nearest distance, of that of the rim
_LAST_RING = 0.92  # radius of the farthest distance; the rim is for plane waves


@functools.lru_cache(maxsize=4096)
def marker(colour, alpha, diameter, is_filled):
    """A disc or ring of ``diameter`` pixels; drawn once, because smooth circles take their time."""
    pixmap = QtGui.QPixmap(diameter + 4, diameter + 4)
    pixmap.fill(QtCore.Qt.transparent)
    painter = QtGui.QPainter(pixmap)
    painter.setRenderHint(QtGui.QPainter.Antialiasing)
    painter.setPen(QtGui.QPen(faint(COLOURS[colour], alpha), 1.5))
    painter.setBrush(faint(COLOURS[colour], alpha) if is_filled else QtCore.Qt.NoBrush)
    painter.drawEllipse(QtCore.QRectF(2, 2, diameter, diameter))
    painter.end()
    return pixmap


class PathChart(Screen):
    """Angle from the normal, -90 degrees on the left, against distance, the array at the bottom."""

    def __init__(self, refresh, update_time, nearest, farthest, rayleigh):
        super().__init__(refresh, update_time, 260, 170)
        self._nearest, self._farthest, self._rayleigh = nearest, farthest, rayleigh
        self._plane, self._floor_db, self._persistence, self._shown = "xz", -30.0, 1, []

    def set_plane(self, plane):
        """"xz" or "yz"."""
        self._plane = plane
        self.forget_still()

    def show_paths(self, shown, persistence, floor_db):
        """Take [(age, paths)] of which those at most ``floor_db`` below the strongest are drawn."""
        self._shown, self._persistence, self._floor_db = shown, persistence, floor_db
        self.update()

    def centre(self):
        """(x, y, radius of the rim) in pixels."""
        radius = max(min(self.width() / 2 - 2 * LINE, self.height() - 3 * LINE), 1)
        return self.width() / 2, self.height() - 1.5 * LINE, radius

    def radius(self, distance):
        """Share of the rim's radius at distances in m; 1 where they are infinite or not known."""
        distance = np.where(np.isnan(distance), np.inf, distance)
        share = np.log(np.clip(distance, self._nearest, self._farthest) / self._nearest)
        share = _HOLE + (_LAST_RING - _HOLE) * share / math.log(self._farthest / self._nearest)
        return np.where(np.isinf(distance), 1.0, share)

    def positions(self, paths):
        """Pixels [L, 2] of the paths."""
        x, y, radius = self.centre()
        across = getattr(paths, PLANES[self._plane])
        ahead = np.sqrt(np.maximum(1 - paths.ux**2 - paths.uy**2, 0))
        angle = np.arctan2(across, ahead)
        length = radius * self.radius(paths.distance)
        return np.stack([x + length * np.sin(angle), y - length * np.cos(angle)], axis=1)

    def paintEvent(self, event):
        painter = self.painter()
        self.draw_still(painter, self._draw_scale)
        for age, paths in self._shown:
            self._draw_paths(painter, paths, 255 - 200 * age // self._persistence)
        if not self._shown:
            text = "no paths: none came yet, or this estimator gives none"
            self.write(painter, 0, LINE, self.width(), text)
        self._draw_legend(painter)

    def _draw_scale(self, painter):
        painter.setRenderHint(QtGui.QPainter.Antialiasing)
        titles = (
            [f"paths in the {self._plane} plane; radius: distance in m, dashed: Rayleigh distance"],
            [f"paths, {self._plane} plane; distance in m, dashed: Rayleigh"],
            [f"paths, {self._plane} plane; distance in m"],
        )
        self.write(painter, 0, 0, self.width(), *fitting(painter.fontMetrics(), self.width(), titles))
        x, y, radius = self.centre()
        grid = QtGui.QPen(faint(self.palette().text().color(), 60))
        painter.setPen(grid)
        for degrees in range(-90, 91, 30):
            across, ahead = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
            painter.drawLine(
                QtCore.QPointF(x + _HOLE * radius * across, y - _HOLE * radius * ahead),
                QtCore.QPointF(x + radius * across, y - radius * ahead),
            )
        for distance in self._rings():
            self._ring(painter, float(self.radius(distance)))
        painter.setPen(QtGui.QPen(grid.color(), 2))
        self._ring(painter, 1.0)
        painter.setPen(QtGui.QPen(QtGui.QColor(COLOURS[4]), 1, QtCore.Qt.DashLine))
        self._ring(painter, float(self.radius(self._rayleigh)))
        painter.setPen(self.palette().text().color())
        for degrees in (-60, -30, 0, 30, 60):
            across, ahead = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
            length = radius + 0.6 * LINE
            self.write(painter, x + length * across - 30, y - length * ahead - LINE / 2, 60, f"{degrees}°")
        self._write_distances(painter)
        self.write(painter, x + radius - 10, y - LINE, 40, "∞")

    def _write_distances(self, painter):
        x, y, radius = self.centre()
        free = math.inf  # left of what is written, from the farthest on
        for distance in reversed(self._rings()):
            at, text = x + radius * float(self.radius(distance)), f"{distance:g}"
            half = painter.fontMetrics().horizontalAdvance(text) / 2 + 2
            if at + half < free:
                self.write(painter, at - half, y, 2 * half, text)
                free = at - half

    def _rings(self):
        """Distances of the rings in m: powers of ten, with 2 and 5 times them where there are few."""
        decades = range(math.floor(math.log10(self._nearest)), math.ceil(math.log10(self._farthest)) + 1)
        factors = (1, 2, 5) if len(decades) <= 3 else (1,)
        rings = [factor * 10.0**decade for decade in decades for factor in factors]
        return [ring for ring in rings if 0.999 * self._nearest <= ring <= 1.001 * self._farthest]

    def _ring(self, painter, share):
        x, y, radius = self.centre()
        radius *= share
        painter.drawArc(QtCore.QRectF(x - radius, y - radius, 2 * radius, 2 * radius), 0, 180 * 16)

    def _draw_paths(self, painter, paths, alpha):
        for (x, y), distance, level in zip(self.positions(paths), paths.distance, paths.level_db):
            if level >= self._floor_db:
                size = 2.5 + 5 * (1 - level / self._floor_db)
                disc = marker(paths.user % len(COLOURS), alpha, round(2 * size), bool(np.isfinite(distance)))
                painter.drawPixmap(QtCore.QPointF(x - disc.width() / 2, y - disc.height() / 2), disc)

    def _draw_legend(self, painter):
        for row, user in enumerate(sorted({paths.user for _, paths in self._shown})[:12]):
            painter.setPen(QtGui.QColor(COLOURS[user % len(COLOURS)]))
            self.write(painter, 4, LINE * (row + 1), 80, f"user {user}", QtCore.Qt.AlignLeft)
