# SPDX-License-Identifier: GPL-3.0-or-later
"""QT GUI sink that shows estimated paths by angle and distance."""

import collections
import threading

import numpy as np
import pmt
from gnuradio import gr

from ..array import SubarrayArray
from ..channel.hardware.checks import integer, real
from .. import messages
from .path_chart import PLANES, PathChart

_MOST_PATHS = 256  # of one message
_MOST_MESSAGES = 512  # that are shown at a time


class Paths:
    """Paths of one message: ``frame`` (-1 if not told), ``user``, and ux, uy, distance (m), level_db, each [L].

    Paths that no wave can have, with a direction outside the unit disc or a power that is not positive, are left
    out; levels are relative to the strongest that is left.
    """

    def __init__(self, found, wavelength):
        ux = messages.vector(found, "ux")
        uy, distance, power = (messages.vector(found, key, len(ux)) for key in ("uy", "distance", "power"))
        kept = np.flatnonzero((np.hypot(ux, uy) <= 1) & (power > 0) & (power < np.inf))[:_MOST_PATHS]
        self.ux, self.uy, self.distance = ux[kept], uy[kept], distance[kept] * wavelength
        self.level_db = 10 * np.log10(power[kept] / power[kept].max(initial=1e-300))
        self.frame = int(messages.number(found, "frame", -1))
        self.user = int(messages.number(found, "user", 0))


class path_sink(gr.basic_block):
    """Show estimated paths in a polar plot: the angle from the array's normal against the distance.

    Message port in: ``paths``, the dictionaries of a channel_estimator: ux, uy (direction cosines), distance
    (wavelengths; infinite for a plane wave, NaN if not known) and power, vectors of one length, with frame and user
    where known. Others are logged once, counted and dropped. Each user has a colour; stronger paths are larger
    and older frames fainter. Paths without a known distance lie on the rim.

    Args:
        array: :class:`gnuradio.thzum.array.SubarrayArray`; its wavelength turns distances into metres.
        plane: "xz" shows angles along the columns, "yz" along the rows: the direction projected on that plane.
        nearest, farthest: distances in m at the innermost and the outermost ring; radii are logarithmic between.
        floor_db: weakest path shown, in dB relative to the strongest of its user, negative.
        persistence: frames that stay visible, 1 to 64.
        update_time: seconds between two pictures.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(
        self, array, plane="xz", nearest=1.0, farthest=100.0, floor_db=-30.0, persistence=4, update_time=0.05
    ):
        if not isinstance(array, SubarrayArray):
            raise ValueError(f"array: expected a SubarrayArray, got {type(array).__name__}")
        gr.basic_block.__init__(self, name="thzum_path_sink", in_sig=None, out_sig=None)
        nearest = real("nearest", nearest, above=0)
        farthest = real("farthest", farthest, above=nearest)
        self._wavelength = array.wavelength
        self._persistence = integer("persistence", persistence, 1, 64)
        self._floor_db = real("floor_db", floor_db, low=-200, high=-1)
        self._lock, self._is_new = threading.Lock(), False
        self._recent = collections.deque(maxlen=_MOST_MESSAGES)
        self._refusals = messages.Refusals(gr.logger(self.alias()))
        self._widget = PathChart(self.refresh, update_time, nearest, farthest, array.rayleigh_distance())
        self.set_plane(plane)
        port = pmt.intern("paths")
        self.message_port_register_in(port)
        self.set_msg_handler(port, self.take)

    def widget(self):
        """The Qt widget."""
        return self._widget

    def set_plane(self, plane):
        """Show angles in another plane, "xz" or "yz"."""
        if plane not in PLANES:
            raise ValueError(f"plane: expected one of {', '.join(PLANES)}, got {plane!r}")
        self._widget.set_plane(plane)

    def set_update_time(self, update_time):
        """Seconds between two pictures."""
        self._widget.set_update_time(update_time)

    def set_floor_db(self, floor_db):
        """Weakest path shown in dB."""
        self._floor_db = real("floor_db", floor_db, low=-200, high=-1)

    def refused(self):
        """Messages that were dropped."""
        return self._refusals.count

    def clear(self):
        """Forget all paths."""
        with self._lock:
            self._recent.clear()
            self._is_new = True

    def take(self, message):
        """Handler of the port ``paths``."""
        try:
            paths = Paths(messages.entries(message), self._wavelength)
        except ValueError as error:
            self._refusals.add(error)
            return
        with self._lock:
            self._recent.append(paths)
            self._is_new = True

    def paths(self):
        """[(age in frames, :class:`Paths`)] that are shown, oldest first; weak paths are left in."""
        with self._lock:
            recent, self._is_new = list(self._recent), False
        if not recent:
            return []
        newest = recent[-1].frame
        # Frames above the newest are those before a restart.
        shown = [(newest - paths.frame, paths) for paths in recent]
        return [(age, paths) for age, paths in shown if 0 <= age < self._persistence]

    def refresh(self):
        """Draw the paths if there are new ones; the timer calls it."""
        if self._is_new:
            self._widget.show_paths(self.paths(), self._persistence, self._floor_db)
