# SPDX-License-Identifier: GPL-3.0-or-later
"""The lessons of docs/tutorial.md: every number in it is asserted here, and its pictures are made here.

THZUM_FIGURES=docs/figures ./run test -k tutorial writes the pictures.
"""

import os
import pathlib
import time

import numpy as np
import pytest

from flowgraphs import ROOT, TIME_LIMIT, top_block
from gnuradio.thzum import plots

FAST = 1e6  # items per second of a throttle that is out of the way


class Lesson:
    """A running lesson: its generated window, driven as a student drives it."""

    def __init__(self, graph, qt):
        self.graph, self.qt = graph, qt

    def __enter__(self):
        self.graph.start()
        return self

    def __exit__(self, *failure):
        self.graph.stop()
        self.graph.wait()
        self.graph.close()

    def set(self, **values):
        """Move sliders and choosers."""
        for name, value in values.items():
            getattr(self.graph, f"set_{name}")(value)

    def until(self, reached):
        """Let the flowgraph run until ``reached()``."""
        deadline = time.monotonic() + TIME_LIMIT
        while not reached():
            self.qt.processEvents()
            time.sleep(0.01)
            assert time.monotonic() < deadline

    def run(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def nmse_db(self, names, count, waiting=16):
        """Mean NMSE in dB of the probes ``names`` over ``count`` channels, once ``waiting`` old ones are through."""
        probes = [getattr(self.graph, name) for name in names]
        for number in (waiting, count):
            for probe in probes:
                probe.reset()
            self.until(lambda: all(probe.count() >= number for probe in probes))
        return np.array([probe.nmse_db() for probe in probes])

    def picture(self, name, draw, width=1000, height=800):
        """Write the window as it stands, with what ``draw(axes)`` adds beside it, where THZUM_FIGURES says."""
        folder = os.environ.get("THZUM_FIGURES")
        if not folder:
            return
        self.graph.resize(width, height)
        self.graph.show()
        self.run(3)
        window = self.graph.grab().toImage().convertToFormat(4)  # Format_RGB32
        pixels = window.constBits().asarray(window.sizeInBytes())
        pixels = np.reshape(np.array(pixels, np.uint8), (window.height(), -1, 4))[:, :, 2::-1]
        figure = plots.new_figure(16.0, 8.0)
        left = figure.add_axes((0.005, 0.0, 0.615, 1.0))
        left.imshow(pixels)
        left.set_axis_off()
        draw(figure.add_axes((0.68, 0.1, 0.31, 0.82)))
        figure.savefig(pathlib.Path(folder) / f"tutorial_{name}.png", dpi=100)


@pytest.fixture
def lesson(compiled, qt):
    """Function from the name of a lesson (and its arguments) to the Lesson."""
    return lambda name, **arguments: Lesson(top_block(compiled(name))(**arguments), qt)


def test_every_lesson_is_in_the_tutorial():
    text = (ROOT.parent / "docs" / "tutorial.md").read_text()
    lessons = sorted(ROOT.glob("tutorial/*.grc"))
    assert [lesson.name[:7] for lesson in lessons] == [f"lesson{n}" for n in range(1, 6)]
    for number, name in enumerate(lessons, 1):
        assert f"examples/tutorial/{name.name}" in text and f"figures/tutorial_lesson{number}.png" in text


def test_lesson_1_least_squares_leaves_what_was_not_observed(lesson):
    slots, snrs_db = np.array([64, 128, 256]), [-10, 0, 10, 20, 30]
    names = [f"nmse_{q}" for q in slots]
    measured = {}
    with lesson("lesson1_one_path") as running:
        running.set(channels_per_second=FAST)
        for dictionary in ("identity", "visible_region"):
            running.set(dictionary=dictionary)
            for snr_db in snrs_db:
                running.set(snr_db=snr_db)
                measured[dictionary, snr_db] = running.nmse_db(names, 150, waiting=100)
        running.set(channels_per_second=20, dictionary="identity", snr_db=10)
        running.picture("lesson1", lambda axes: draw_lesson_1(axes, slots, snrs_db, measured))
    print(measured)


def draw_lesson_1(axes, slots, snrs_db, measured):
    fine = np.linspace(snrs_db[0], snrs_db[-1], 100)
    for colour, row, q in zip(plots.COLOURS, range(3), slots):
        axes.plot(fine, least_squares_db(q / 256, fine), color=colour)
        for dictionary, marker in (("identity", "o"), ("visible_region", "s")):
            line = "" if marker == "o" else ":"
            values = [measured[dictionary, snr_db][row] for snr_db in snrs_db]
            label = f"{q} slots" + ("" if marker == "o" else ", plane waves only")
            axes.plot(snrs_db, values, marker + line, color=colour, label=label)
    axes.set(xlabel="SNR in dB", ylabel="NMSE in dB", title="Measured (dots) and 1 - M/N + (M/N)/SNR (lines)")
    axes.grid(alpha=0.3)
    axes.legend()


def least_squares_db(share, snr_db):
    """NMSE in dB of least squares from ``share`` of the observations that it needs."""
    return 10 * np.log10(1 - share + share * 10 ** (-np.asarray(snr_db) / 10))
