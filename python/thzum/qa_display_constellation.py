#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The constellation sink puts each user's symbols into its own picture, and leaves out what is no symbol."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from gnuradio import blocks, gr, gr_unittest
from PyQt5 import QtCore, QtTest, QtWidgets

from gnuradio.thzum.display import constellation_sink
from gnuradio.thzum.frame import constellation


class qa_display_constellation(gr_unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["qa"])

    def shown(self, *streams, constellations=None, **settings):
        n_users = np.shape(streams[0])[1]
        graph = gr.top_block()
        sink = constellation_sink(n_users, constellations or [""] * len(streams), **settings)
        for port, stream in enumerate(streams):
            source = blocks.vector_source_c(np.ravel(stream).astype(np.complex64), False, n_users)
            graph.connect(source, (sink, port))
        graph.run()
        return sink

    def test_every_symbol_is_counted_in_its_bin(self):
        points = constellation("16qam")
        rng = np.random.default_rng(1)
        sent = rng.integers(0, 16, (300, 2))
        counts = self.shown(points[sent], limit=1.6).counts()
        self.assertEqual(counts.shape[0], 2)
        for user in range(2):
            rows, columns = np.nonzero(counts[user])
            bins = counts.shape[1]
            centres = ((columns + 0.5) + 1j * (rows + 0.5)) * 2 * 1.6 / bins - 1.6 - 1.6j
            nearest = np.abs(centres[:, None] - points).argmin(1)
            self.assertLess(np.abs(centres - points[nearest]).max(), 1.6 / bins * 1.5)
            np.testing.assert_array_equal(
                np.bincount(nearest, counts[user][rows, columns], 16), np.bincount(sent[:, user], minlength=16)
            )

    def test_only_the_newest_stay(self):
        x_hat = np.repeat([[1 + 1j], [-1 - 1j]], (50, 7), axis=0)
        counts = self.shown(x_hat, n_points=10).counts()[0]
        bins = len(counts)
        self.assertEqual((counts[: bins // 2, : bins // 2].sum(), counts.sum()), (7, 10))

    def test_absent_users_and_bad_items_are_left_out(self):
        x_hat = np.array([[0, 1j, np.nan], [0, complex(np.inf, 0), 1], [0, -1j, complex(0, np.nan)]])
        counts = self.shown(x_hat).counts()
        np.testing.assert_array_equal(counts.sum((1, 2)), [0, 2, 1])

    def test_what_is_far_out_lies_on_the_border(self):
        counts = self.shown(np.array([[1e30 - 1e30j]])).counts()[0]
        self.assertEqual(counts[0, -1], 1)

    def test_symbols_are_at_their_pixels(self):
        x_hat = np.tile([[0.8 + 0.4j, 0], [0, -0.8 - 0.8j]], (20, 1))
        sink = self.shown(x_hat, x_hat[:, ::-1], limit=1.6)
        sink.widget().resize(600, 640)
        sink.refresh()
        bright = sink.widget().pixels().max(axis=2) > 100
        for number, symbol in enumerate((0.8 + 0.4j, -0.8 - 0.8j, -0.8 - 0.8j, 0.8 + 0.4j)):
            place = sink.widget().place(number).toRect()
            # Black but for the symbol, clear of the border.
            inside = bright[place.top() + 2 : place.bottom() - 2, place.left() + 2 : place.right() - 2]
            found = np.argwhere(inside)[:, ::-1] + [place.left() + 2, place.top() + 2]
            expected = place.left() + place.width() * (1 + symbol.real / 1.6) / 2, (
                place.top() + place.height() * (1 - symbol.imag / 1.6) / 2
            )
            # A bin is a 96th of the picture.
            np.testing.assert_allclose(np.mean(found, axis=0), expected, atol=place.width() / 96 + 1)

    def test_points_are_marked(self):
        sink = constellation_sink(1, ["qpsk"])
        sink.widget().resize(200, 220)
        light, place = sink.widget().pixels().max(axis=2), sink.widget().place(0)
        x = int(place.center().x() + place.width() / 2 * np.sqrt(0.5) / 1.6)
        y = int(place.center().y() - place.height() / 2 * np.sqrt(0.5) / 1.6)
        self.assertGreater(light[y - 1 : y + 2, x - 1 : x + 2].max(), 200)
        self.assertLess(light[int(place.center().y()), int(place.center().x())], 10)

    def test_pictures_are_as_large_as_fit(self):
        widget = constellation_sink(8).widget()
        widget.resize(800, 220)
        self.assertEqual({widget.place(k).top() for k in range(8)}, {widget.place(0).top(), widget.place(7).top()})
        for k in range(8):
            self.assertLessEqual(widget.place(k).right(), 800)
            self.assertLessEqual(widget.place(k).bottom(), 220)

    def test_24_users_are_seen_and_one_alone_after_a_click(self):
        rng = np.random.default_rng(2)
        x_hat = constellation("qpsk")[np.arange(24) % 4] + 0.1 * rng.standard_normal((60, 24, 2)) @ [1, 1j]
        sink = self.shown(x_hat, x_hat, constellations=["qpsk", "qpsk"])
        widget = sink.widget()
        widget.resize(600, 430)
        sink.refresh()
        self.assertEqual(len(widget.shown()), 48)
        places = [widget.place(number) for number in widget.shown()]
        self.assertGreaterEqual(min(place.width() for place in places), 50)
        self.assertTrue(all(widget.rect().contains(place.toAlignedRect()) for place in places))
        self.assertFalse(any(a.intersects(b) for k, a in enumerate(places) for b in places[:k]))
        # Symbols round one of the points: bright (red, which the marks have less of) in one quadrant.
        pixels = widget.pixels().astype(int)
        for number in (0, 1, 26, 47):
            centre = places[number].center()
            bright = []
            for sign in constellation("qpsk"):
                x = int(centre.x() + places[number].width() / 2 * sign.real / 1.6)
                y = int(centre.y() - places[number].width() / 2 * sign.imag / 1.6)
                bright.append(pixels[y - 5 : y + 6, x - 5 : x + 6, 0].max())
            self.assertEqual(np.argmax(bright), number % 24 % 4)
        self.click(widget, places[26])
        self.assertEqual(list(widget.shown()), [26])
        self.assertGreater(widget.place(26).width(), 400)
        widget.grab()
        self.click(widget, widget.place(26))
        self.assertEqual(len(widget.shown()), 48)

    def click(self, widget, place):
        QtTest.QTest.mouseClick(widget, QtCore.Qt.LeftButton, QtCore.Qt.NoModifier, place.center().toPoint())

    def test_bad_arguments_are_refused(self):
        wrong = dict(n_users=0, constellations=[], n_points=0, limit=0, update_time=0)
        for name, value in wrong.items():
            with self.assertRaisesRegex(ValueError, name):
                constellation_sink(**{"n_users": 2, name: value})
        with self.assertRaisesRegex(ValueError, "9qam"):
            constellation_sink(2, ["9qam"])


if __name__ == "__main__":
    gr_unittest.run(qa_display_constellation)
