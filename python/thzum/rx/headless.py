# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver without a window: a line each second, and a summary."""

import json
import sys
import time

_COLUMNS = (
    ("seconds", 8), ("frames", 8), ("lost", 6), ("overflows", 10), ("estimates/s", 12), ("iterations", 11),
    ("predicted NMSE", 15), ("true NMSE", 11), ("latency", 10), ("symbol errors", 18), ("payloads", 9),
)


def header():
    """Head of the table."""
    return "".join(f"{name:>{width}}" for name, width in _COLUMNS)


def _text(value, form, unit=""):
    return "-" if value is None else format(value, form) + unit


def row(session, before, seconds):
    """(line of the table, counters now); ``before`` are the counters ``seconds`` ago."""
    counters, late = session.counters(), session.monitor.since_last()
    latency = late.mean("latency_us")
    rate = (counters["estimates"] - before["estimates"]) / seconds
    errors = counters.get("symbol_errors")
    cells = (
        f"{session.seconds():.1f}", str(counters["frames"]), str(counters["lost_frames"]),
        _text(counters["overflows"], "d"), f"{rate:.0f}", _text(late.mean("iterations"), ".1f"),
        _text(late.mean_db("predicted_nmse_db"), ".1f", " dB"), _text(late.mean_db("nmse_db"), ".1f", " dB"),
        _text(latency and latency / 1e3, ".1f", " ms"),
        "-" if errors is None else f"{errors} / {counters['symbols']}",
        _text(counters.get("payloads"), "d"),
    )
    return "".join(f"{cell:>{width}}" for cell, (_, width) in zip(cells, _COLUMNS)), counters


def is_done(session, frames, seconds):
    """Whether as many frames (0 = any) or seconds (0 = any) as wanted have gone by."""
    if 0 < seconds <= session.seconds():
        return True
    if frames > 0 and not session.is_running():
        return True
    # A source that ends by itself is waited for: then the last frame's scores are there as well.
    return not session.opened.ends and 0 < frames <= session.graph.frames()


def print_summary(session, as_json, out):
    """The summary as text, or as one JSON object."""
    found = session.summary()
    if as_json:
        print(json.dumps(found, indent=2), file=out)
        return
    print(file=out)
    for name, value in found.items():
        if value is not None:
            print(f"{name.replace('_', ' '):22} {value:.4g}" if isinstance(value, float) else
                  f"{name.replace('_', ' '):22} {value}", file=out)


def run(session, options, is_interrupted):
    """Receive to the end, or until enough or an interrupt; returns the exit status."""
    table = sys.stderr if options.json else sys.stdout
    print(header(), file=table, flush=True)
    before, last = session.counters(), time.monotonic()
    session.start()
    while session.is_running() and not is_interrupted() and not is_done(session, options.frames, options.seconds):
        time.sleep(0.02)
        now = time.monotonic()
        if now - last >= 1:
            line, before = row(session, before, now - last)
            print(line, file=table, flush=True)
            last = now
    recorded = session.stop()
    print(row(session, before, max(time.monotonic() - last, 1e-3))[0], file=table, flush=True)
    print_summary(session, options.json, sys.stdout)
    if recorded:
        print("recorded {}: {} samples, {} frames".format(*recorded), file=table)
    if session.counters()["frames"] == 0:
        print(f"thzum-rx: no frame came; {session.opened.advice()}", file=sys.stderr)
        return 1
    return 0
