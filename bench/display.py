# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU time of the QT GUI sinks, each alone and all in the window of thzum-rx, off screen."""

import itertools
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pmt

from recordings_of_plans import record

from gnuradio import thzum
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.frame.recording import Recording

SECONDS = 5.0
RATE = 20  # pictures a second, and frames
SIZE = (600, 430)  # of a display, a quarter of the window


MANY = dict(n_slots=64, n_users=24, n_data=192, modulations=["qpsk", "16qam"])  # over 32 subarrays


def _fed(array, n_users, sections):
    """{name: (sink, function of a frame's number that feeds it)} with what a receiver gives."""
    from gnuradio.thzum.display import angular_spectrum_sink, constellation_sink, history_sink, path_sink

    rng = np.random.default_rng(1)

    def noise(*shape):
        return (rng.standard_normal(shape) + 1j * rng.standard_normal(shape)).astype(np.complex64)

    options = dict(update_time=1 / RATE)
    # As many as thzum-rx shows at a time.
    users = range(min(n_users, 4))
    spectra = angular_spectrum_sink(array, ["estimate"], range(min(array.n_subarrays, 4)), users=users, **options)
    paths, history = path_sink(array, **options), history_sink(**options)
    constellations = constellation_sink(n_users, [name for name, _ in sections], **options)
    h = noise(64, n_users, array.n_antennas)
    points = [thzum.constellation_points(name)[rng.integers(0, 4, (64, count, n_users))] for name, count in sections]
    x_hat = [part + 0.1 * noise(*part.shape) for part in points]

    def feed_spectra(frame):
        for user in users:
            spectra.keep([(user, 0, h[frame % 64, user])])

    def feed_paths(frame):
        for user in range(n_users):
            columns = dict(ux=rng.uniform(-0.7, 0.7, 6), uy=rng.uniform(-0.7, 0.7, 6), power=rng.uniform(0.01, 1, 6))
            columns["distance"] = rng.uniform(1e3, 5e4, 6)
            entries = {key: pmt.init_f32vector(6, value.tolist()) for key, value in columns.items()}
            message = pmt.dict_add(pmt.make_dict(), pmt.intern("frame"), pmt.from_long(frame))
            message = pmt.dict_add(message, pmt.intern("user"), pmt.from_long(user))
            for key, value in entries.items():
                message = pmt.dict_add(message, pmt.intern(key), value)
            paths.take(message)

    def feed_history(frame):
        for user in range(n_users):
            report = dict(frame=frame, user=user, iterations=frame % 7, latency_us=500 + 10.0 * (frame % 40))
            report |= dict(predicted_nmse_db=rng.normal(-20, 1), residual=1e-3, noise_var=0.1, algorithm="fpn_oamp")
            history.take(pmt.to_pmt(report))
            history.take(pmt.to_pmt(dict(frame=frame, user=user, nmse_db=rng.normal(-20, 1), count=frame)))

    def feed_constellations(frame):
        constellations.work([part[frame % 64] for part in x_hat], [])

    return {
        "angular spectra": (spectra, feed_spectra),
        "paths": (paths, feed_paths),
        "history": (history, feed_history),
        "constellations": (constellations, feed_constellations),
    }


def _share(seconds, feed=None):
    """CPU time over wall time in percent while Qt runs and ``feed(frame)`` is called RATE times a second."""
    from PyQt5 import QtCore

    loop, timer, frames = QtCore.QEventLoop(), QtCore.QTimer(), itertools.count()
    timer.setTimerType(QtCore.Qt.PreciseTimer)
    if feed:
        timer.timeout.connect(lambda: feed(next(frames)))
        timer.start(round(1000 / RATE))
    QtCore.QTimer.singleShot(round(1000 * seconds), loop.quit)
    begin, cpu = time.perf_counter(), time.process_time()
    loop.exec_()
    return 100 * (time.process_time() - cpu) / (time.perf_counter() - begin)


def _one(sink, feed, seconds):
    """CPU share in percent of a sink that is fed RATE frames a second, and the pictures a second it drew."""
    widget = sink.widget()
    widget.resize(*SIZE)
    widget.show()
    _share(0.3, feed)
    before = widget.pictures
    share = _share(seconds, feed)
    widget.hide()
    return dict(cpu_percent=share, pictures_per_second=(widget.pictures - before) / seconds)


def _receiver(seconds, is_shown, recording="", estimator="newtonized_omp"):
    """The same of thzum-rx on a recording at RATE frames a second, with its window or without."""
    from gnuradio.thzum.rx.session import Session
    from gnuradio.thzum.rx.source import open_source
    from gnuradio.thzum.rx.window import Window

    session = Session(open_source(recording, repeat=True), frame_rate=RATE, estimator=estimator)
    window = Window(session, 1 / RATE) if is_shown else None
    (window or session).start()
    _share(1.0)
    widgets = [sink.widget() for sink in window.displays.sinks()] if window else []
    before, frames = [widget.pictures for widget in widgets], session.graph.frames()
    share = _share(seconds)
    found = dict(cpu_percent=share, frames_per_second=(session.graph.frames() - frames) / seconds)
    if widgets:
        # ls gives no paths to draw.
        drawn = [widget.pictures - n for widget, n in zip(widgets, before)]
        found["pictures_per_second"] = min((count for count in drawn if count > 0), default=0) / seconds
        window.close()
    session.stop()
    return found


def _of_many_users(sections, seconds):
    """The displays that grow with the users, and the receiver, with 24 users over 32 subarrays."""
    fed = _fed(array_preset("thz140_aosa32x64"), MANY["n_users"], sections)
    found = {f"{name}, 24 users": _one(*fed[name], seconds) for name in ("paths", "constellations")}
    with tempfile.TemporaryDirectory() as folder:
        path = str(record(Path(folder) / "many", "thz140_aosa32x64", 8, **MANY))
        for name, is_shown in (("thzum-rx --no-gui, 24 users, ls", False), ("with its window, 24 users, ls", True)):
            found[name] = _receiver(seconds, is_shown, path, "ls")
    return found


def measure(seconds=SECONDS):
    """{what is shown: {"cpu_percent", "pictures_per_second" of the slowest, ...}} of one core."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PyQt5 import QtWidgets

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["bench"])
    plan = Recording().plan
    sections = [(name, count) for name, _, count in plan.data_sections]
    results = {name: _one(sink, feed, seconds) for name, (sink, feed) in
               _fed(plan.array, plan.n_users, sections).items()}
    results["thzum-rx --no-gui"] = _receiver(seconds, False)
    results["thzum-rx with its window"] = _receiver(seconds, True)
    results |= _of_many_users(sections, seconds)
    application.processEvents()
    return results


def report(results):
    """The results as a table."""
    lines = [f"  {'':34}{'CPU of one core':>18}{'pictures/s':>12}{'frames/s':>10}"]
    for name, found in results.items():
        cells = (found.get(key) for key in ("pictures_per_second", "frames_per_second"))
        pictures, frames = ("-" if value is None else f"{value:.1f}" for value in cells)
        lines.append(f"  {name:34}{found['cpu_percent']:16.1f} %{pictures:>12}{frames:>10}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(measure()))
