#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The path sink puts paths where they are, forgets old frames, and survives any message."""

import os
import time

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest
from PyQt5 import QtWidgets

from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.display import path_sink

ARRAY = SubarrayArray(1, 2, 8, 8, carrier_frequency=300e9, spacing=0.4, gap=10.0)
WAVELENGTH = 1e-3  # of 300 GHz, in m


def message(ux=(0.0,), uy=(0.0,), distance=(1e4,), power=(1.0,), frame=0, user=0):
    """A dictionary as channel_estimator puts it out; distances in wavelengths."""
    columns = dict(ux=ux, uy=uy, distance=distance, power=power)
    entries = {key: pmt.init_f32vector(len(values), list(values)) for key, values in columns.items()}
    entries |= dict(frame=pmt.from_long(frame), user=pmt.from_long(user))
    found = pmt.make_dict()
    for key, value in entries.items():
        found = pmt.dict_add(found, pmt.intern(key), value)
    return found


class qa_display_paths(gr_unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["qa"])

    def coloured(self, sink):
        """Mean place (x, y) in pixels of what has the blue of user 0, in a picture of 600 x 400."""
        sink.widget().resize(600, 400)
        sink.refresh()
        pixels = sink.widget().pixels()[:360].astype(int)
        blue = pixels[..., 2] > pixels[..., 0] + 60
        blue[:, :100] = False  # the legend
        return np.argwhere(blue)[:, ::-1].mean(axis=0) if blue.any() else None

    def test_path_is_at_its_pixel(self):
        sink = path_sink(ARRAY, nearest=1, farthest=100)
        # 30 degrees to the right, at the geometric mean of nearest and farthest.
        sink.take(message(ux=[0.5], distance=[10 / WAVELENGTH]))
        self.assertIsNone(self.coloured(path_sink(ARRAY)))
        found = self.coloured(sink)
        x, y, radius = sink.widget().centre()
        share = 0.15 + 0.5 * (0.92 - 0.15)
        expected = (x + radius * share * 0.5, y - radius * share * np.sqrt(0.75))
        np.testing.assert_allclose(found, expected, atol=1.5)

    def test_the_other_plane(self):
        sink = path_sink(ARRAY, plane="yz")
        sink.take(message(ux=[0.5], uy=[-0.5], distance=[np.inf]))
        x, y, radius = sink.widget().centre()
        # tan(angle) = uy / uz, with uz^2 = 1 - ux^2 - uy^2; a plane wave is on the rim.
        found = sink.widget().positions(sink.paths()[0][1])[0]
        angle = np.arctan2(-0.5, np.sqrt(0.5))
        np.testing.assert_allclose(found, (x + radius * np.sin(angle), y - radius * np.cos(angle)))
        sink.set_plane("xz")
        self.assertGreater(sink.widget().positions(sink.paths()[0][1])[0][0], x)

    def test_messages_come_in_by_the_port(self):
        graph, sink = gr.top_block(), path_sink(ARRAY)
        strobe = blocks.message_strobe(message(), 5)
        graph.msg_connect(strobe, "strobe", sink, "paths")
        graph.start()
        deadline = time.monotonic() + 60
        while not sink.paths() and time.monotonic() < deadline:
            time.sleep(0.01)
        graph.stop()
        graph.wait()
        self.assertGreater(len(sink.paths()), 0)

    def test_old_frames_and_frames_before_a_restart_go(self):
        sink = path_sink(ARRAY, persistence=2)
        for frame in (4, 5, 6):
            for user in (0, 1):
                sink.take(message(frame=frame, user=user))
        shown = [(age, paths.frame, paths.user) for age, paths in sink.paths()]
        self.assertEqual(shown, [(1, 5, 0), (1, 5, 1), (0, 6, 0), (0, 6, 1)])
        sink.take(message(frame=0, user=1))
        self.assertEqual([(age, p.frame) for age, p in sink.paths()], [(0, 0)])
        sink.clear()
        self.assertEqual(sink.paths(), [])

    def test_levels_are_relative_and_impossible_paths_left_out(self):
        sink = path_sink(ARRAY)
        ux, power = [0.1, 0.2, 0.9, 0.3, 0.4, np.nan], [4.0, 0.4, 1.0, 0.0, np.nan, 1.0]
        sink.take(message(ux=ux, uy=[0.0, 0, 0.9, 0, 0, 0], distance=[100, np.nan, 1, 1, 1, 1], power=power))
        ((_, paths),) = sink.paths()
        np.testing.assert_allclose(paths.ux, [0.1, 0.2], rtol=1e-6)
        np.testing.assert_allclose(paths.level_db, [0, -10], atol=1e-5)
        np.testing.assert_allclose(paths.distance, [0.1, np.nan], rtol=1e-6)
        self.coloured(sink)

    def test_hostile_messages_are_dropped(self):
        sink = path_sink(ARRAY)
        long = np.zeros(100_000)
        hostile = [
            pmt.PMT_T, pmt.intern("paths"), pmt.from_long(3), pmt.make_dict(), pmt.to_pmt({"ux": 1.0}),
            pmt.cons(pmt.make_dict(), pmt.init_u8vector(3, [1, 2, 3])), message(uy=[0.0, 0.0]),
            pmt.dict_add(message(), pmt.intern("ux"), pmt.intern("left")),
            pmt.dict_add(message(), pmt.intern("power"), pmt.init_c32vector(1, [1j])),
        ]
        for entry in hostile:
            sink.take(entry)
        self.assertEqual((sink.refused(), sink.paths()), (len(hostile), []))
        fine = [message(ux=[], uy=[], distance=[], power=[]), message(long, long, long, long + 1),
                pmt.dict_add(message(), pmt.intern("frame"), pmt.intern("x")), message(distance=[0.0]),
                message(distance=[-5.0])]
        for entry in fine:
            sink.take(entry)
            self.coloured(sink)
        self.assertEqual(sink.refused(), len(hostile))
        self.assertLessEqual(max(len(paths.ux) for _, paths in sink.paths()), 256)

    def test_bad_arguments_are_refused(self):
        wrong = dict(plane="xy", nearest=0, farthest=1, floor_db=0, persistence=0, update_time=-1)
        for name, value in wrong.items():
            with self.assertRaisesRegex(ValueError, name):
                path_sink(ARRAY, **{name: value})
        with self.assertRaisesRegex(ValueError, "array"):
            path_sink("thz300_aosa4x256")


if __name__ == "__main__":
    gr_unittest.run(qa_display_paths)
