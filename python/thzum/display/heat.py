# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of levels 0 to 255 from dark to bright."""

import numpy as np
from PyQt5 import QtGui

#: Colours between which the table is interpolated, from 0 to 255: lightness rises throughout.
_ANCHORS = ((0, 0, 4), (62, 15, 114), (145, 42, 129), (222, 73, 104), (254, 159, 109), (252, 253, 191))


def _table():
    at = np.linspace(0, len(_ANCHORS) - 1, 256)
    channels = [np.interp(at, range(len(_ANCHORS)), channel).round().astype(int) for channel in zip(*_ANCHORS)]
    return [QtGui.qRgb(*map(int, colour)) for colour in zip(*channels)]


TABLE = _table()


def picture(levels):
    """QImage of ``levels``, uint8 [rows, columns], the first row at the bottom."""
    levels = np.ascontiguousarray(levels[::-1])
    height, width = levels.shape
    image = QtGui.QImage(levels.data, width, height, width, QtGui.QImage.Format_Indexed8)
    image.setColorTable(TABLE)
    return image.copy()


def levels_db(power, reference, floor_db):
    """Levels 0 to 255, uint8, of ``power`` from ``floor_db`` below ``reference`` up to it; NaN gives 0."""
    level_db = 10 * np.log10(np.maximum(np.nan_to_num(power), 1e-30) / max(reference, 1e-20))
    return np.uint8(np.clip(1 - level_db / floor_db, 0, 1) * 255)
