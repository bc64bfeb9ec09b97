# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver ``thzum-rx``: opens a source, shows or prints what it receives, and records it."""

import argparse
import contextlib
import os
import signal
import sys

from gnuradio import gr

from .. import thzum_python
from ..frame.ldpc import DEFAULT_CODE


def _beams(text):
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected numbers with commas, got {text!r}") from None


def _amount(kind):
    def convert(text):
        value = kind(text)
        if not 0 <= value < float("inf"):
            raise ValueError(text)
        return value

    convert.__name__ = "number of at least 0"
    return convert


def build_parser():
    """The parser of ``thzum-rx``."""
    parser = argparse.ArgumentParser(
        prog="thzum-rx", description="Receive frames: estimate channels, detect data, show and record it."
    )
    add, usual = parser.add_argument, "default: %(default)s"
    add("--source", default="", metavar="ADDRESS",
        help="SigMF recording (default: the shipped one), driver=NAME,... (SoapySDR), or tcp://HOST:PORT "
        "(ZeroMQ; ?sub, ?bind and ?tags joined by & behind it)")
    add("--plan", metavar="FILE", help="YAML or JSON file with the pilot plan (default: the recording's)")
    add("--sample-rate", type=_amount(float), default=0.0, metavar="HZ", help="default: the source's own")
    add("--frequency", type=_amount(float), default=0.0, metavar="HZ", help="tune a device (default: leave it)")
    add("--gain", type=float, metavar="DB", help="gain of a device (default: leave it)")
    for name, default, known in (
        ("--estimator", "newtonized_omp", thzum_python.estimators()), ("--detector", "lmmse", thzum_python.detectors()),
    ):
        add(name, default=default, choices=sorted(known), metavar="NAME", help=f"{', '.join(sorted(known))} ({usual})")
    add("--model", default="", metavar="FILE", help="network of the estimator (default: the shipped one)")
    add("--beams", type=_beams, default=[], metavar="B1,B2,..", help="data beams where no tag tells them")
    add("--payload", default="", metavar="CONSTELLATION", help="decode payloads sent in this constellation")
    add("--code", default=DEFAULT_CODE, help="LDPC code of the payloads, " + usual)
    add("--record", metavar="NAME", help="record all of it to NAME.sigmf-meta and NAME.sigmf-data")
    add("--frames", type=_amount(int), default=0, help="end after as many frames")
    add("--seconds", type=_amount(float), default=0.0, help="end after as many seconds")
    add("--repeat", action="store_true", help="replay a recording without end")
    add("--frame-rate", type=_amount(float), metavar="FPS",
        help="frames a second of a recording, 0 = as fast as it goes (default: 20 in the window, else 0)")
    add("--no-gui", action="store_true", help="print a table instead of opening a window")
    add("--json", action="store_true", help="with --no-gui: summary as JSON on stdout, table on stderr")
    add("--picture", metavar="FILE", help="write a picture of the window when it closes")
    return parser


def make_session(options):
    """The :class:`~gnuradio.thzum.rx.session.Session` of parsed arguments."""
    from ..frame.plan_file import load_plan
    from .session import Session
    from .source import open_source

    plan = load_plan(options.plan) if options.plan else None
    opened = open_source(
        options.source, plan, options.repeat, options.frames,
        sample_rate=options.sample_rate, frequency=options.frequency, gain=options.gain,
    )
    frame_rate = options.frame_rate
    if frame_rate is None:
        frame_rate = 0 if options.no_gui else 20
    session = Session(
        opened, frame_rate, estimator=options.estimator, detector=options.detector, model=options.model,
        beams=options.beams, payload=options.payload, code=options.code,
    )
    if options.record:
        session.recorder.begin(options.record)
    return session


def _run_window(options, is_interrupted):
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        raise ValueError("no display found; use --no-gui, or set DISPLAY or QT_QPA_PLATFORM=offscreen")
    from PyQt5 import QtWidgets

    from .window import Window

    application = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["thzum-rx"])
    window = Window(make_session(options), 0.05, options.frames, options.seconds, is_interrupted)
    window.start()
    application.exec_()
    if options.picture and not window.grab().save(options.picture):
        raise OSError(f"--picture: cannot write {options.picture}")
    return 0


def _run(options, is_interrupted):
    if not options.no_gui:
        return _run_window(options, is_interrupted)
    from . import headless

    return headless.run(make_session(options), options, is_interrupted)


@contextlib.contextmanager
def _quiet_log():
    """Within, new blocks log warnings and errors alone: what else they tell is in the table and the status line."""
    log = gr.logging()
    before = log.default_level()
    log.set_default_level(gr.log_levels.warn)
    try:
        yield
    finally:
        log.set_default_level(before)


def main(arguments=None):
    """Run ``thzum-rx`` with ``arguments`` (default: the command line); returns the exit status."""
    options = build_parser().parse_args(arguments)
    interrupts = []
    before = {
        number: signal.signal(number, lambda number, frame: interrupts.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        with _quiet_log():
            return _run(options, lambda: bool(interrupts))
    except (ValueError, OSError, RuntimeError) as error:
        print(f"thzum-rx: {error}", file=sys.stderr)
        return 2
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
