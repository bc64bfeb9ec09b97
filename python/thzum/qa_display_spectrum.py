#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The angular spectrum sink shows a plane wave where it comes from, and refuses what it cannot show."""

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pmt
from gnuradio import blocks, gr, gr_unittest
from PyQt5 import QtWidgets

from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.display import angular_spectrum_sink
from gnuradio.thzum.display.heat import levels_db

ARRAY = SubarrayArray(1, 2, 8, 8, carrier_frequency=300e9, spacing=0.4, gap=10.0)


def plane_wave(uy, ux):
    """Channel vector [N] of a plane wave from the direction cosines (uy, ux), the same on both subarrays."""
    row, col = np.mgrid[:8, :8]
    wave = np.exp(2j * np.pi * ARRAY.spacing * (uy * row + ux * col))
    return np.tile(wave.ravel(), 2).astype(np.complex64)


class qa_display_spectrum(gr_unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["qa"])

    def shown(self, *streams, **settings):
        graph = gr.top_block()
        labels = [f"input {k}" for k in range(len(streams))]
        sink = angular_spectrum_sink(ARRAY, labels, **settings)
        for k, stream in enumerate(streams):
            graph.connect(blocks.vector_source_c(np.ravel(stream), False, ARRAY.n_antennas), (sink, k))
        graph.run()
        return sink

    def test_newest_plane_wave_is_brightest_where_it_comes_from(self):
        sink = self.shown([plane_wave(-0.5, 0), plane_wave(0.25, -0.5)], [plane_wave(0, 0)] * 2)
        levels = sink.levels()
        self.assertEqual(set(levels), {(row, column) for row in (0, 1) for column in (0, 1)})
        grid = np.linspace(-1, 1, len(levels[0, 0]))
        for row in (0, 1):
            uy, ux = np.unravel_index(levels[row, 0].argmax(), levels[row, 0].shape)
            self.assertLess(abs(grid[uy] - 0.25), 0.06)
            self.assertLess(abs(grid[ux] + 0.5), 0.06)
            self.assertEqual(levels[row, 0].max(), 255)

    def test_levels_are_relative_to_the_first_input(self):
        sink = self.shown(plane_wave(0, 0), plane_wave(0, 0) * np.sqrt(0.1), subarrays=[1], floor_db=-20)
        levels = sink.levels()
        self.assertEqual(set(levels), {(0, 0), (0, 1)})
        self.assertAlmostEqual(levels[0, 1].max() / 255, 0.5, delta=0.01)

    def tagged(self, items, tags, **settings):
        """A sink that had ``items`` with ``tags`` [(item, key, value)]."""
        made = []
        for offset, key, value in tags:
            made.append(gr.tag_t())
            made[-1].offset, made[-1].key, made[-1].value = offset, pmt.intern(key), value
        graph = gr.top_block()
        sink = angular_spectrum_sink(ARRAY, **settings)
        graph.connect(blocks.vector_source_c(np.ravel(items), False, ARRAY.n_antennas, made), sink)
        graph.run()
        return sink

    def test_skipped_items_are_passed_over(self):
        wave, skipped = plane_wave(0.5, 0.25), np.zeros(ARRAY.n_antennas, np.complex64)
        tag = (1, "thzum_skipped", pmt.intern("zero"))
        sink = self.tagged([wave, skipped], [tag])
        self.assertEqual(sink.levels()[0, 0].max(), 255)
        self.assertEqual(self.tagged([skipped], [(0, *tag[1:])]).levels(), {})

    def test_users_have_columns_of_their_own(self):
        waves = {0: plane_wave(0, 0.5), 1: 0.01 * plane_wave(0, -0.5), 2: plane_wave(0.5, 0)}
        order = [2, 1, 0, 1, 7]
        items = [waves.get(user, plane_wave(0, 0)) for user in order]
        tags = [(i, "thzum_user", pmt.from_long(user)) for i, user in enumerate(order)]
        tags.append((4, "thzum_user", pmt.intern("no number")))
        sink = self.tagged(items, tags, users=[1, 0, 3], subarrays=[0])
        levels = sink.levels()
        self.assertEqual(set(levels), {(0, 0), (0, 1), (0, 2)})
        grid = np.linspace(-1, 1, len(levels[0, 0]))
        for column, ux in ((0, -0.5), (1, 0.5)):
            self.assertLess(abs(grid[levels[0, column].argmax() % len(grid)] - ux), 0.06)
            # Each user by its own strongest direction, however weak it is.
            self.assertEqual(levels[0, column].max(), 255)
        self.assertEqual(levels[0, 2].max(), 0)

    def test_users_and_subarrays_shown_change(self):
        waves = np.array([plane_wave(0, 0.5), plane_wave(0, -0.5), plane_wave(0.5, 0)])
        waves[:, ARRAY.n_antennas // 2 :] = plane_wave(-0.5, 0)[: ARRAY.n_antennas // 2]
        tags = [(user, "thzum_user", pmt.from_long(user)) for user in range(3)]
        sink = self.tagged(waves, tags, users=[0, 1], subarrays=[0])
        first = sink.levels()
        sink.set_subarrays([1])
        other = sink.levels()
        self.assertEqual(set(other), set(first))
        grid = np.linspace(-1, 1, len(other[0, 0]))
        for column in (0, 1):  # of the items that were there already
            self.assertLess(abs(grid[other[0, column].argmax() // len(grid)] + 0.5), 0.06)
            self.assertLess(abs(grid[first[0, column].argmax() // len(grid)]), 0.06)
        sink.set_users([2])
        self.assertEqual(sink.levels(), {})  # until an item of the user comes
        sink.keep([(0, 0, waves[2])])
        sink.set_subarrays([0])
        self.assertEqual(set(sink.levels()), {(0, 0)})
        self.assertLess(abs(grid[sink.levels()[0, 0].argmax() // len(grid)] - 0.5), 0.06)
        for setter, value in ((sink.set_users, [-1]), (sink.set_subarrays, [2])):
            with self.assertRaisesRegex(ValueError, "expected numbers from 0"):
                setter(value)
        self.assertEqual(set(sink.levels()), {(0, 0)})

    def test_peak_is_at_its_pixel(self):
        sink = self.shown(plane_wave(0.5, -0.25), subarrays=[1])
        sink.widget().resize(400, 430)
        sink.refresh()
        place = sink.widget().place(0, 0)
        values = sink.widget().pixels().sum(axis=2, dtype=int)
        values = values[place.top() : place.bottom(), place.left() : place.right()]
        row, column = np.unravel_index(np.argmax(values), np.shape(values))
        # The lobe of 8 elements is flat within some pixels of its middle.
        tolerance = 0.06 * place.width() / 2
        self.assertLess(abs(column - (1 - 0.25) * place.width() / 2), tolerance)
        self.assertLess(abs(row - (1 - 0.5) * place.height() / 2), tolerance)

    def test_nothing_is_drawn_while_nothing_is_new(self):
        sink = self.shown(plane_wave(0, 0))
        drawn = []
        sink.widget().show_levels = drawn.append
        sink.refresh()
        sink.refresh()
        self.assertEqual(len(drawn), 1)

    def test_levels_of_known_powers(self):
        power = np.array([[1.0, 0.1, 0.01, 1e-9, 5.0, np.nan]])
        np.testing.assert_array_equal(levels_db(power, 1.0, -20.0), [[255, 127, 0, 0, 255, 0]])

    def test_widget_draws_before_and_after_the_first_item_and_with_bad_ones(self):
        empty = angular_spectrum_sink(ARRAY)
        self.assertEqual(empty.levels(), {})
        empty.refresh()
        empty.widget().grab()
        for value in (np.nan, np.inf, 0):
            sink = self.shown(np.full(ARRAY.n_antennas, value, np.complex64))
            sink.refresh()
            self.assertFalse(sink.widget().grab().isNull())

    def test_bad_arguments_are_refused(self):
        wrong = dict(labels=[], subarrays=[2], floor_db=3.0, update_time=0, users=[-1])
        for name, value in wrong.items():
            with self.assertRaisesRegex(ValueError, name):
                angular_spectrum_sink(ARRAY, **{name: value})


if __name__ == "__main__":
    gr_unittest.run(qa_display_spectrum)
