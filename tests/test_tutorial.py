# SPDX-License-Identifier: GPL-3.0-or-later
"""The lessons of docs/tutorial.md: every number in it is asserted here, and its pictures are made here.

THZUM_FIGURES=docs/figures ./run test -k tutorial writes the pictures,
THZUM_FRAMES=120 ./run test -k payloads_through -rP shows the shares of right payloads that the tutorial tells.
"""

import os
import pathlib
import time

import numpy as np
import pmt
import pytest
from gnuradio import blocks

from flowgraphs import ROOT, top_block, wait_until
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
        wait_until(reached, self.qt)

    def run(self, seconds):
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > end)

    def counted(self, names, count):
        """Let the flowgraph run until the probes ``names`` have seen ``count`` more channels."""
        probes = [getattr(self.graph, name) for name in names]
        wanted = [probe.count() + count for probe in probes]
        self.until(lambda: all(probe.count() >= enough for probe, enough in zip(probes, wanted)))

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


@pytest.fixture
def nmse_db(lesson):
    """Function: NMSE in dB at probes of a lesson over its first ``count`` channels, the same ones at every run."""

    def measured(name, probes, count, arguments={}, **moved):
        running, errors = lesson(name, **arguments), [blocks.vector_sink_f() for _ in probes]
        running.set(channels_per_second=FAST, **moved)
        for probe, sink in zip(probes, errors):
            running.graph.connect(getattr(running.graph, probe), sink)
        with running:
            running.until(lambda: all(len(sink.data()) >= count for sink in errors))
        return np.array([10 * np.log10(np.mean(10 ** (np.array(sink.data()[:count]) / 10))) for sink in errors])

    return measured


def test_every_lesson_is_in_the_tutorial():
    text = (ROOT.parent / "docs" / "tutorial.md").read_text()
    lessons = sorted(ROOT.glob("tutorial/*.grc"))
    assert [lesson.name[:7] for lesson in lessons] == [f"lesson{n}" for n in range(1, 6)]
    for number, name in enumerate(lessons, 1):
        assert f"examples/tutorial/{name.name}" in text and f"figures/tutorial_lesson{number}.png" in text


def test_lesson_1_least_squares_leaves_what_was_not_observed(lesson, nmse_db):
    slots, snrs_db = np.array([64, 128, 256]), [0, 10, 20, 30]
    names = [f"nmse_{q}" for q in slots]
    measured = {
        (dictionary, snr_db): nmse_db("lesson1_one_path", names, 100, dictionary=dictionary, snr_db=snr_db)
        for dictionary in ("identity", "visible_region") for snr_db in snrs_db
    }
    with lesson("lesson1_one_path") as running:
        running.counted(names, 8)
        running.picture("lesson1", lambda axes: draw_lesson_1(axes, slots, snrs_db, measured))
    for snr_db in snrs_db:
        assert np.abs(measured["identity", snr_db] - least_squares_db(slots / 256, snr_db)).max() < 0.3
        # 100 of 256 coefficients hold all plane waves: their share of the noise is left, and behind fewer slots
        # than antennas it is amplified by (256 - 100) / (slots - 100) on average over combiners.
        few, some, all_ = measured["visible_region", snr_db]
        assert abs(all_ - 10 * np.log10(100 / 256) + snr_db) < 0.3
        assert abs(some - 10 * np.log10(100 / 256 * 156 / 28) + snr_db) < 0.8
    assert -5.5 < few < -3.5


def test_lesson_1_more_paths_change_nothing_for_least_squares(nmse_db):
    measured = nmse_db("lesson1_one_path", ["nmse_64", "nmse_128", "nmse_256"], 100, dict(paths=5))
    assert np.abs(measured - least_squares_db(np.array([64, 128, 256]) / 256, 10)).max() < 0.3


def draw_lesson_1(axes, slots, snrs_db, measured):
    fine = np.linspace(snrs_db[0], snrs_db[-1], 100)
    for row, (colour, q) in enumerate(zip(plots.COLOURS, slots)):
        axes.plot(fine, least_squares_db(q / 256, fine), color=colour)
        for dictionary, style, label in (("identity", "o", ""), ("visible_region", "s:", ", plane waves only")):
            values = [measured[dictionary, snr_db][row] for snr_db in snrs_db]
            axes.plot(snrs_db, values, style, color=colour, label=f"{q} slots{label}")
    finish(axes, "SNR in dB", "NMSE in dB", "Measured (points) and 1 - M/N + (M/N)/SNR (lines)")


def finish(axes, x, y, title):
    axes.set(xlabel=x, ylabel=y, title=title)
    axes.grid(alpha=0.3)
    axes.legend()


def least_squares_db(share, snr_db):
    """NMSE in dB of least squares from ``share`` of the observations that it needs."""
    return 10 * np.log10(1 - share + share * 10 ** (-np.asarray(snr_db) / 10))


def test_lesson_2_a_near_source_needs_spherical_waves(lesson, nmse_db):
    pursuits, waves = ("plane", "grid", "newtonized"), (1, 2, 4, 8)
    names = [f"nmse_{user}_{pursuit}" for user in ("far", "near") for pursuit in pursuits]
    measured = {count: nmse_db("lesson2_near_field", names, 40, waves=count) for count in waves}
    with lesson("lesson2_near_field") as running:
        running.counted(names, 24)
        running.picture("lesson2", lambda axes: draw_lesson_2(axes, waves, measured), width=1250)
        distances = [distance for distance in strongest_distances(running.graph.paths) if np.isfinite(distance)]
    far, near = np.split(np.array([measured[count] for count in waves]), 2, axis=1)
    # Far away both dictionaries hold plane waves, and their grids, not the noise at 20 dB, set the error.
    assert np.abs(far[:, 0] - far[:, 1]).max() < 1.5
    assert (far[:, :2] > -30).all()
    assert (far[:, 2] < -38).all()
    # Near the panel plane waves lose 7 dB or more, and half of that comes back with spherical ones.
    assert (near[:, 0] > far[:, 0] + 7).all()
    assert (near[:, 1] < near[:, 0] - 4).all()
    assert (near[:, 2] < -25).all()
    # 0.1 m are 100 wavelengths.
    assert abs(np.median(distances) - 100) < 5


def strongest_distances(reports):
    """Distance in wavelengths of the strongest path of each estimate."""
    for i in range(reports.num_messages()):
        found = pmt.to_python(reports.get_message(i))
        if len(found["power"]):
            yield found["distance"][np.argmax(found["power"])]


def draw_lesson_2(axes, waves, measured):
    for row in range(6):
        pursuit = ("plane waves", "grid", "Newtonized")[row % 3]
        style, user = ("o-", "far") if row < 3 else ("s:", "near")
        values = [measured[count][row] for count in waves]
        axes.plot(waves, values, style, color=plots.COLOURS[row % 3], label=f"{pursuit}, {user} user")
    axes.set_xscale("log", base=2)
    finish(axes, "waves at most", "NMSE in dB", "Waves spent on one path, 20 dB SNR")


def test_lesson_3_iterations_follow_state_evolution_while_the_noise_is_known(lesson, nmse_db):
    names = [f"nmse_{denoiser}_{stage}" for denoiser in ("formula", "network") for stage in (1, 2, 3)]
    told = (-20, -10, 0, 10, 20)
    measured = {
        told_db: nmse_db("lesson3_iterations", names, 40 if told_db == 0 else 16, told_db=told_db) for told_db in told
    }
    with lesson("lesson3_iterations") as running:
        running.counted(names, 4)
        predicted = np.array(running.graph.predicted_formula + running.graph.predicted_network)
        running.picture("lesson3", lambda axes: draw_lesson_3(axes, told, measured, predicted))
    right = measured[0]
    # 40 channels of the chain against 8 of the prediction: one channel's error is within 2 dB or so of the mean.
    assert np.abs(right - predicted).max() < 1.2, (right, predicted)
    assert right[2] < right[1] < right[0] < -3.5 and right[5] < right[4] - 0.5 < right[3] - 3
    assert right[5] < -17 and right[2] > -6.5
    for told_db in told:
        if told_db:
            assert measured[told_db][2] > right[2] + 0.7 and measured[told_db][5] > right[5] + 3


def draw_lesson_3(axes, told, measured, predicted):
    for row, title in enumerate(("formula", "network")):
        for stage in range(3):
            values = [measured[told_db][3 * row + stage] for told_db in told]
            label = f"{title}, iteration {stage + 1}"
            axes.plot(told, values, "os"[row] + ("-", "--")[row], color=plots.COLOURS[stage], label=label)
            axes.plot(0, predicted[3 * row + stage], "x", color="black")
    finish(axes, "noise told too much in dB", "NMSE in dB", "10 dB SNR; crosses: state evolution")


class OnTheAir:
    """Lesson 4 with sliders moved before it starts, and what leaves it."""

    def __init__(self, running, **moved):
        self.running, self.graph = running, running.graph
        self.points = blocks.vector_sink_c(self.graph.plan.n_users)
        self.graph.connect((self.graph.detector, 2), self.points)
        self.payloads = blocks.message_debug()
        self.graph.msg_connect((self.graph.payload, "report"), (self.payloads, "store"))
        running.set(**moved)
        self.graph.throttle.set_sample_rate(FAST)

    def reported(self):
        """The latest report of Frame Sync; {} before the first."""
        count = self.graph.reports.num_messages()
        return pmt.to_python(self.graph.reports.get_message(count - 1)) if count else {}

    def spread_db(self, count):
        """Spread of the points of the first ``count`` frames around those that were sent."""
        wanted = count * self.graph.plan.n_data
        # Not by data(), which copies all of it.
        self.running.until(lambda: self.points.nitems_read(0) >= wanted)
        points = np.array(self.points.data())[: wanted * self.graph.plan.n_users]
        ideal = (np.sign(points.real) + 1j * np.sign(points.imag)) / np.sqrt(2)
        return 10 * np.log10(np.median(np.abs(points - ideal) ** 2) / np.log(2))

    def share_right(self, count):
        """Share of the users' payloads that were right in the first ``count`` frames, of which none may be lost."""
        self.running.until(lambda: self.payloads.num_messages() >= count)
        reports = [pmt.to_python(self.payloads.get_message(i)) for i in range(count)]
        assert [report["frame"] for report in reports] == list(range(count))
        return sum(bin(report["good"]).count("1") for report in reports) / (count * self.graph.plan.n_users)


def test_lesson_4_frames_are_found_and_straightened(lesson):
    bits, spreads = (12, 4, 3, 2), []
    for count in bits:
        air = OnTheAir(lesson("lesson4_frames_on_the_air"), bits=count)
        with air.running:
            spreads.append(air.spread_db(3))
    with lesson("lesson4_frames_on_the_air") as running:
        running.until(lambda: running.graph.sync.frames() >= 4)
        running.picture("lesson4", lambda axes: draw_lesson_4(axes, bits, spreads))
    assert spreads[0] < -18 and spreads == sorted(spreads)
    assert spreads[1] > spreads[0] + 4


@pytest.mark.parametrize("cfo", [0.15, -0.2])
def test_lesson_4_offset_frames_are_decoded(lesson, cfo):
    air = OnTheAir(lesson("lesson4_frames_on_the_air"), cfo=cfo)
    with air.running:
        assert air.share_right(3) == 1
        assert abs(air.reported()["cfo"] - cfo) < 3e-4 and air.graph.sync.lost_frames() == 0


def test_lesson_4_follows_the_offset_while_it_runs(lesson):
    air = OnTheAir(lesson("lesson4_frames_on_the_air"))
    with air.running as running:
        for cfo in (0.15, -0.2):
            running.set(cfo=cfo)
            running.until(lambda: abs(air.reported().get("cfo", 1) - cfo) < 3e-4)
            begin, lost = air.graph.sync.frames(), air.graph.sync.lost_frames()
            running.until(lambda: air.graph.sync.frames() >= begin + 4)
            assert air.graph.sync.lost_frames() == lost and abs(air.reported()["cfo"] - cfo) < 3e-4


#: What the student moves, the share of right payloads of 120 frames, which the tutorial
#: tells, and the frames to see it.
PAYLOADS_RIGHT = (
    (dict(bits=1), 1.0, 8), (dict(linewidth=10), 1.0, 8), (dict(linewidth=30), 0.98, 16),
    (dict(linewidth=100), 0.87, 16), (dict(linewidth=300), 0.21, 16), (dict(linewidth=1, algorithm="ls"), 1.0, 8),
)


@pytest.mark.parametrize("moved,told,n_frames", PAYLOADS_RIGHT)
def test_lesson_4_payloads_through_converters_and_phase_noise(lesson, moved, told, n_frames):
    n_frames = int(os.environ.get("THZUM_FRAMES", n_frames))
    air = OnTheAir(lesson("lesson4_frames_on_the_air"), **moved)
    with air.running:
        right = air.share_right(n_frames)
    print(f"{moved}: {100 * right:.0f} % of the payloads of {n_frames} frames were right")
    # Four users share a frame's noise: as if all of them were right or wrong together, four deviations. All or
    # none of some hundred frames stands for a share of 0.975 or more, or 0.025 or less.
    assert abs(right - told) < 4 * np.sqrt(max(told * (1 - told), 0.025) / n_frames)


def draw_lesson_4(axes, bits, spreads):
    axes.plot(bits, spreads, "o-", color=plots.COLOURS[0], label="15 dB SNR, Newtonized OMP")
    finish(axes, "bits of the converters", "spread of the QPSK points in dB", "Converters")


def test_lesson_5_near_optimal_detectors_lose_fewer_words(lesson):
    detectors, snrs_db, frames = ("lmmse", "ep", "amp_gnn"), (-10, -8, -6), 8
    symbol_errors, words_lost = [], []
    for snr_db in snrs_db:
        running = lesson("lesson5_24_users")
        running.set(snr_db=snr_db)
        running.graph.throttle.set_sample_rate(1e8)
        with running:
            probes = [getattr(running.graph, f"words_{name}") for name in detectors]
            running.until(lambda: all(probe.count() >= 24 * frames for probe in probes))
            symbol_errors.append([getattr(running.graph, f"ser_{name}").ser() for name in detectors])
            words_lost.append([probe.bler() for probe in probes])
            if snr_db == snrs_db[-1]:
                running.graph.throttle.set_sample_rate(4 * running.graph.frame_length)
                running.picture(
                    "lesson5", lambda axes: draw_lesson_5(axes, detectors, snrs_db, symbol_errors, words_lost)
                )
    linear, expectation, learned = np.array(symbol_errors).T
    assert (np.diff(linear) < 0).all() and (expectation < linear - 0.01).all()
    assert (np.abs(learned - expectation) < 0.01).all(), symbol_errors
    assert 0.13 < linear[-1] < 0.2 and 0.09 < expectation[-1] < 0.14
    # Nearly 200 words: at -8 dB about 32 of them are lost by LMMSE, half as many by the others.
    assert 0.08 < words_lost[1][0] < 0.25 and max(words_lost[1][1:]) < 0.7 * words_lost[1][0], words_lost
    assert max(words_lost[-1]) < 0.1 < 0.2 < min(words_lost[0])


def draw_lesson_5(axes, detectors, snrs_db, symbol_errors, words_lost):
    for row, name in enumerate(detectors):
        colour = plots.COLOURS[row]
        axes.plot(snrs_db, [errors[row] for errors in symbol_errors], "o-", color=colour, label=f"{name}, symbols")
        axes.plot(snrs_db, [lost[row] for lost in words_lost], "s:", color=colour, label=f"{name}, code words")
    finish(axes, "SNR of a data sample at an antenna in dB", "share in error", "24 users, 16-QAM, rate 1/2")
