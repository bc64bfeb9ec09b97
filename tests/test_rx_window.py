# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of thzum-rx on the shipped recording: what it shows, and what its controls do."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from flowgraphs import wait_until

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from gnuradio.thzum import rx  # noqa: E402
from gnuradio.thzum.frame import PilotPlan  # noqa: E402
from gnuradio.thzum.frame.recording import Recording  # noqa: E402
from gnuradio.thzum.rx.session import Session  # noqa: E402
from gnuradio.thzum.rx.source import open_source  # noqa: E402
from gnuradio.thzum.rx.window import Window, pages  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[1] / "examples" / "recordings" / "thz300_aosa4x256.sigmf-meta"

@pytest.fixture
def window(qt):
    session = Session(open_source(str(SHIPPED), repeat=True), frame_rate=60, estimator="newtonized_omp")
    made = Window(session)
    made.start()
    wait_until(lambda: session.graph.frames() >= 8, qt)
    yield made
    made.close()
    assert not session.is_running()


def test_every_display_shows_what_is_received(qt, window):
    displays = window.displays
    wait_until(lambda: displays.paths.paths() and displays.history.series()["nmse_db"].shape[1] > 4, qt)
    wait_until(lambda: all(sink.widget().pictures > 2 for sink in displays.sinks()), qt)
    wait_until(lambda: max(levels.max() for levels in displays.spectra.levels().values()) == 255, qt)
    true, predicted = (displays.history.series()[name][1] for name in ("nmse_db", "predicted_nmse_db"))
    assert -45 < np.median(true) < -10 and abs(np.median(predicted) - np.median(true)) < 6
    wait_until(lambda: displays.constellations.counts().sum() > 8 * 192, qt)
    counts = displays.constellations.counts()
    assert len(counts) == 2 * 4
    # QPSK: nearly all symbols in the four corners, none on the axes.
    bins = counts.shape[1]
    axis = slice(bins // 2 - 4, bins // 2 + 4)
    qpsk = counts[:4].sum(axis=0)
    assert qpsk[axis].sum() + qpsk[:, axis].sum() < 0.02 * qpsk.sum()
    picture = window.grab()
    assert (picture.width(), picture.height()) == (window.width(), window.height())
    pixels = displays.constellations.widget().pixels().max(axis=2)
    place = displays.constellations.widget().place(0).toRect()
    assert pixels[place.top() : place.bottom(), place.left() : place.right()].max() > 200


def test_algorithms_change_live(qt, window):
    graph = window.session.graph
    window.choose_estimator("omp")
    wait_until(lambda: not window.is_preparing(), qt)
    window.choose_detector("ep")
    wait_until(lambda: not window.is_preparing(), qt)
    assert graph.estimator.algorithm() == "omp" == window.estimators.currentText()
    assert {section.detector.algorithm() for section in graph.sections} == {"ep"}
    frames = graph.frames()
    wait_until(lambda: graph.frames() > frames + 8, qt)
    window.choose_estimator("guess")
    wait_until(lambda: not window.is_preparing(), qt)
    assert "guess cannot be used: " in window.status_text() and window.status_text().count("guess") == 2
    assert graph.estimator.algorithm() == "omp" == window.estimators.currentText()


def test_the_window_goes_on_while_an_estimator_is_built(qt, window, monkeypatch):
    session, builds, widget = window.session, window.session.graph.set_estimator, window.displays.history.widget()
    frames, pictures = session.graph.frames(), widget.pictures

    def slow(name):
        # As long as it takes for frames to come and pictures to be drawn meanwhile.
        wait_until(lambda: session.graph.frames() > frames + 5 and widget.pictures > pictures + 2)
        builds(name)

    monkeypatch.setattr(session.graph, "set_estimator", slow)
    window.choose_estimator("auto")
    assert window.is_preparing()
    assert "preparing auto" in window.status.text() and not window.estimators.isEnabled()
    wait_until(lambda: not window.is_preparing(), qt)
    assert session.graph.estimator.algorithm() == "auto" == window.estimators.currentText()
    assert window.estimators.isEnabled() and "preparing" not in window.status.text()


def test_a_long_message_is_shown_and_does_not_widen_the_window(qt, window):
    width, long = window.width(), "/".join(["nowhere"] * 60)
    window.session.graph._model = f"/{long}.onnx"
    window.choose_estimator("fpn_oamp")
    wait_until(lambda: not window.is_preparing(), qt)
    qt.processEvents()
    assert long in window.status.text() and long in window.status.toolTip()
    assert window.width() == width and window.status.heightForWidth(width) > 2 * window.fontMetrics().height()


def test_what_to_check_when_no_frame_comes(qt):
    opened = open_source("tcp://127.0.0.1:5555", PilotPlan("thz300_aosa4x256", 48, samples_per_symbol=2))
    window = Window(Session(opened, estimator="ls"))
    window.start()
    assert "no frame yet" not in window.status_text()
    wait_until(lambda: "no frame yet; check that the other process sends" in window.status.text(), qt)
    window.close()


def test_closing_waits_for_an_estimator_that_is_built(qt):
    session = Session(open_source(str(SHIPPED), repeat=True), frame_rate=60, estimator="ls")
    window = Window(session)
    window.start()
    window.choose_estimator("fpn_oamp")
    window.close()
    assert session.graph.estimator.algorithm() == "fpn_oamp" and not session.is_running()


def test_a_detector_is_changed_for_all_constellations_or_none():
    graph = Session(open_source(str(SHIPPED), n_frames=1), estimator="ls").graph
    first, second = (section.detector for section in graph.sections)

    class Refusing:
        algorithm = second.algorithm

        def set_algorithm(self, name):
            if name == "ep":
                raise ValueError("constellation: not for this one")

    graph.sections[1].detector = Refusing()
    with pytest.raises(ValueError, match="constellation"):
        graph.set_detector("ep")
    assert first.algorithm() == "lmmse" == second.algorithm()


@pytest.fixture
def record(root):
    sys.path.insert(0, str(root / "bench"))
    import recordings_of_plans

    yield recordings_of_plans.record
    sys.path.remove(str(root / "bench"))


def test_24_users_and_32_subarrays_are_shown_in_parts(qt, tmp_path, record):
    plan = dict(n_slots=64, n_users=24, n_data=64, modulations="qpsk")
    path = record(tmp_path / "many", "thz140_aosa32x64", 4, **plan)
    session = Session(open_source(str(path), repeat=True), frame_rate=20, estimator="ls")
    window = Window(session)
    window.start()
    spectra = window.displays.spectra

    def is_drawn():
        levels = spectra.levels().values()
        return len(levels) == 16 and min(part.max() for part in levels) > 0

    wait_until(lambda: is_drawn() and session.graph.frames() > 4, qt)
    texts = [[box.itemText(i) for i in range(box.count())] for box in (window.shown_users, window.shown_subarrays)]
    assert [len(part) for part in texts] == [6, 8] and texts[0][-1] == "20–23" and texts[1][-1] == "28–31"
    rows = {}
    for first in (0, 28):
        window.shown_subarrays.activated[str].emit(f"{first}–{first + 3}")
        wait_until(is_drawn, qt)
        rows[first] = np.array([spectra.levels()[row, 0] for row in range(4)])
    assert not np.array_equal(rows[0], rows[28])
    window.shown_users.activated[str].emit("20–23")
    wait_until(is_drawn, qt)
    constellations = window.displays.constellations
    wait_until(lambda: constellations.counts().sum(axis=(1, 2)).min() > 64, qt)
    # All in their corners: each picture has only symbols of its own user.
    counts = constellations.counts()
    assert len(counts) == 24
    middle = slice(counts.shape[1] // 2 - 4, counts.shape[1] // 2 + 4)
    assert counts[:, middle].sum() + counts[:, :, middle].sum() < 0.02 * counts.sum()
    assert window.minimumSizeHint().width() <= 1280
    window.close()


def test_pages():
    assert pages(6, 4) == {"0–3": range(4), "4–5": range(4, 6)}
    assert list(pages(5, 4)) == ["0–3", "4"] and pages(4, 4) == {"0–3": range(4)}


def test_start_stop_and_recording(qt, window, tmp_path):
    session = window.session
    window.record(tmp_path / "part")
    assert window.record_button.text() == "End recording"
    frames = session.graph.frames()
    # Some of them were on their way through the flowgraph when the recording began.
    wait_until(lambda: session.graph.frames() > frames + 20, qt)
    window.record()
    assert "part.sigmf-meta" in window.status_text()
    recording = Recording(tmp_path / "part")
    assert len(recording.frames) >= 4
    # What was recorded lies somewhere in the recording that was replayed.
    shipped = Recording(SHIPPED)
    first = recording.frames[1]
    source = next(frame for frame in shipped.frames if frame.frame == first.frame % 64)
    np.testing.assert_array_equal(
        recording.samples(first.start, first.length), shipped.samples(source.start, source.length)
    )
    window.record(tmp_path / "part")
    assert "exists" in window.status_text() and not session.recorder.is_recording()
    window.start_or_stop()
    assert not session.is_running() and window.start_button.text() == "Start"
    window.start_or_stop()
    assert session.is_running() and window.start_button.text() == "Stop"
    wait_until(lambda: session.graph.frames() > 2, qt)


def test_end_of_the_source_is_told(qt):
    session = Session(open_source(str(SHIPPED), n_frames=3), estimator="ls")
    window = Window(session)
    window.start()
    wait_until(lambda: "end of the source" in window.status.text(), qt)
    assert window.start_button.text() == "Start" and "3 frames   0 lost" in window.status.text()
    window.close()


def test_picture_of_the_window(tmp_path, qt):
    path = tmp_path / "window.png"
    arguments = ["--source", str(SHIPPED), "--frames", "6", "--estimator", "ls", "--frame-rate", "0"]
    assert rx.main([*arguments, "--picture", str(path)]) == 0
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_without_a_display_it_says_so(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    assert rx.main(["--source", str(SHIPPED)]) == 2
    assert "--no-gui" in capsys.readouterr().err
