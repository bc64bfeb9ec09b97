# SPDX-License-Identifier: GPL-3.0-or-later
"""The window of thzum-rx: four displays, choice of the algorithms, start, stop and recording, status."""

import datetime

from PyQt5 import QtCore, QtWidgets

from .. import thzum_python
from ..display import angular_spectrum_sink, constellation_sink, history_sink, path_sink
from ..display.path_chart import PLANES
from .headless import is_done
from .worker import Worker

#: Seconds without a frame after which the window says what to check.
_PATIENCE = 3.0

#: Users and subarrays that the spectra show at a time.
_MOST_USERS, _MOST_SUBARRAYS = 4, 4


def pages(count, length):
    """The numbers 0 to ``count`` - 1 in parts of at most ``length``, {text: range}."""
    parts = [range(first, min(first + length, count)) for first in range(0, count, length)]
    return {f"{part[0]}–{part[-1]}" if len(part) > 1 else f"{part[0]}": part for part in parts}


class Displays:
    """The sinks of a session, connected to its flowgraph."""

    def __init__(self, session, update_time):
        graph, plan = session.graph, session.plan
        self.spectra = angular_spectrum_sink(
            plan.array, labels=["estimate"], users=range(min(plan.n_users, _MOST_USERS)), update_time=update_time,
            subarrays=range(min(plan.n_subarrays, _MOST_SUBARRAYS)),
        )
        self.paths = path_sink(plan.array, update_time=update_time)
        self.history = history_sink(update_time=update_time)
        graph.connect(graph.estimator, self.spectra)
        graph.msg_connect(graph.estimator, "paths", self.paths, "paths")
        reporting = [graph.estimator, *(section.detector for section in graph.sections)]
        for block in reporting + ([session.nmse] if session.nmse else []):
            graph.msg_connect(block, "report", self.history, "report")
        self.constellations = None
        if graph.sections:
            names = [section.constellation for section in graph.sections]
            self.constellations = constellation_sink(plan.n_users, names, update_time=update_time)
            for port, section in enumerate(graph.sections):
                graph.connect((section.detector, 2), (self.constellations, port))

    def sinks(self):
        """Those there are, in the order of their places."""
        return [sink for sink in (self.spectra, self.paths, self.history, self.constellations) if sink]


def _status_label():
    """A label whose text is broken into lines and does not widen the window, however long it is."""
    label = QtWidgets.QLabel()
    label.setTextInteractionFlags(QtCore.Qt.TextSelectableByMouse)
    label.setWordWrap(True)
    policy = QtWidgets.QSizePolicy(QtWidgets.QSizePolicy.Ignored, QtWidgets.QSizePolicy.Minimum)
    policy.setHeightForWidth(True)
    label.setSizePolicy(policy)
    return label


class Window(QtWidgets.QWidget):
    """One window on one :class:`~gnuradio.thzum.rx.session.Session`.

    Args:
        session: not yet started.
        update_time: seconds between two pictures.
        frames, seconds: close after as many; 0 = stay.
        is_interrupted: function, True closes the window.
    """

    def __init__(self, session, update_time=0.05, frames=0, seconds=0.0, is_interrupted=lambda: False):
        QtWidgets.QWidget.__init__(self)
        self.session, self.displays = session, Displays(session, update_time)
        self._frames, self._seconds, self._is_interrupted = frames, seconds, is_interrupted
        self._message, self._prepared_name = "", ""
        self._worker = Worker(self)
        self._worker.ended.connect(self._finish_change)
        self.setWindowTitle(f"thzum-rx - {session.opened.name}")
        font = self.font()
        font.setPixelSize(13)
        self.setFont(font)
        layout = QtWidgets.QVBoxLayout(self)
        layout.addLayout(self._controls())
        layout.addWidget(self._panes(), 1)
        self.status = _status_label()
        layout.addWidget(self.status)
        self._timer = QtCore.QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._timer.start(100)
        self.resize(1200, 900)

    def _controls(self):
        row = QtWidgets.QHBoxLayout()
        self.estimators = self._choice(row, "Estimator", sorted(thzum_python.estimators()), "")
        self.estimators.activated[str].connect(self.choose_estimator)
        self.detectors = self._choice(row, "Detector", sorted(thzum_python.detectors()), "")
        self.detectors.activated[str].connect(self.choose_detector)
        self._show_algorithms()
        planes = self._choice(row, "Plane of the paths", PLANES, "xz")
        planes.activated[str].connect(self.displays.paths.set_plane)
        self.shown_users = self._page_choice(
            row, "Users", self.session.plan.n_users, _MOST_USERS, self.displays.spectra.set_users
        )
        self.shown_subarrays = self._page_choice(
            row, "Subarrays", self.session.plan.n_subarrays, _MOST_SUBARRAYS, self.displays.spectra.set_subarrays
        )
        row.addStretch(1)
        self.start_button = QtWidgets.QPushButton("Stop")
        self.start_button.clicked.connect(self.start_or_stop)
        self.record_button = QtWidgets.QPushButton("Record")
        self.record_button.clicked.connect(lambda: self.record())
        row.addWidget(self.record_button)
        row.addWidget(self.start_button)
        return row

    def _page_choice(self, row, label, count, length, show):
        """A choice of what the spectra show, None where all of it fits."""
        if count <= length:
            return None
        parts = pages(count, length)
        box = self._choice(row, f"{label} in the spectra", parts, next(iter(parts)))
        box.activated[str].connect(lambda text: show(parts[text]))
        return box

    def _choice(self, row, label, names, chosen):
        box = QtWidgets.QComboBox()
        box.addItems(list(names))
        box.setCurrentText(chosen)
        row.addWidget(QtWidgets.QLabel(label))
        row.addWidget(box)
        return box

    def _panes(self):
        columns = QtWidgets.QSplitter(QtCore.Qt.Horizontal)
        left, right = (QtWidgets.QSplitter(QtCore.Qt.Vertical) for _ in range(2))
        for number, sink in enumerate(self.displays.sinks()):
            (left, right)[number % 2].addWidget(sink.widget())
        columns.addWidget(left)
        columns.addWidget(right)
        return columns

    def start(self):
        """Show the window and begin to receive."""
        self.show()
        self._begin()

    def _begin(self):
        self.session.start()
        self.start_button.setText("Stop")

    def choose_estimator(self, name):
        """Change the estimator when it is built; the box goes back when it cannot be."""
        self._begin_change(name, lambda: self.session.graph.set_estimator(name))

    def choose_detector(self, name):
        """Change the detector when it is built; the box goes back when it does not serve the constellations."""
        self._begin_change(name, lambda: self.session.graph.set_detector(name))

    def is_preparing(self):
        """Whether an algorithm is being built, beside the one that goes on receiving."""
        return bool(self._prepared_name)

    def _begin_change(self, name, action):
        self._prepared_name, self._message = name, ""
        for box in (self.estimators, self.detectors):
            box.setEnabled(False)
        self._show_status()
        self._worker.run(action)

    def _finish_change(self, error):
        name, self._prepared_name = self._prepared_name, ""
        if error is not None:
            self._message = f"{name} cannot be used: {error}"
        self.displays.paths.clear()
        self._show_algorithms()
        self._show_status()

    def _show_algorithms(self):
        graph = self.session.graph
        self.estimators.setCurrentText(graph.estimator.algorithm())
        self.estimators.setEnabled(True)
        if graph.sections:
            self.detectors.setCurrentText(graph.sections[0].detector.algorithm())
        self.detectors.setEnabled(bool(graph.sections))

    def start_or_stop(self):
        """Handler of the button."""
        if self.session.is_running():
            self._attempt(self.stop)
        else:
            self._begin()

    def stop(self):
        """End receiving."""
        self._tell_recorded(self.session.stop())
        self.start_button.setText("Start")

    def record(self, path=None):
        """Begin a recording under ``path`` (default: named after the time), or end the one being made."""
        recorder = self.session.recorder
        if recorder.is_recording():
            self._attempt(lambda: self._tell_recorded(recorder.end()))
        else:
            path = path or datetime.datetime.now().strftime("thzum-rx_%Y%m%d_%H%M%S")
            self._attempt(lambda: recorder.begin(path))
        self.record_button.setText("End recording" if recorder.is_recording() else "Record")

    def _tell_recorded(self, recorded):
        if recorded:
            self._message = "recorded {}: {} samples, {} frames".format(*recorded)
        self.record_button.setText("Record")

    def _attempt(self, action):
        """Whether ``action`` went well; its error goes to the status line."""
        self._message = ""
        try:
            action()
        except (ValueError, RuntimeError, OSError) as error:
            self._message = str(error)
            return False
        return True

    def _tick(self):
        if self._is_interrupted() or is_done(self.session, self._frames, self._seconds):
            self.close()
            return
        if not self.session.is_running() and self.start_button.text() == "Stop":
            self._attempt(self.stop)
            self._message = self._message or "end of the source"
        self._show_status()

    def _show_status(self):
        self.status.setText(self.status_text())
        self.status.setToolTip(self._message)

    def status_text(self):
        """Counters and the last message in one line."""
        counters = self.session.counters()
        overflows = "" if counters["overflows"] is None else f"{counters['overflows']} overflows   "
        payloads = f"{counters['payloads']} payloads   " if "payloads" in counters else ""
        errors = ""
        if "symbols" in counters:
            errors = f"{counters['symbol_errors']} of {counters['symbols']} symbols wrong   "
        preparing = f"preparing {self._prepared_name} …   " if self.is_preparing() else ""
        silent = ""
        if not counters["frames"] and self.session.is_running() and self.session.seconds() > _PATIENCE:
            silent = f"no frame yet; {self.session.opened.advice()}   "
        recording = "recording   " if self.session.recorder.is_recording() else ""
        return (
            f"{counters['frames']} frames   {counters['lost_frames']} lost   {overflows}"
            f"{counters['estimates']} estimates   {payloads}{errors}{recording}{preparing}{silent}{self._message}"
        )

    def closeEvent(self, event):
        self._timer.stop()
        self._worker.wait()
        self._attempt(self.stop)
        self._show_status()
        event.accept()
