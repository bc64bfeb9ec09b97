# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver with its source, its scores, its recorder and its counters: what both front ends run."""

import threading
import time

from gnuradio import blocks, gr

from .graph import ReceiverGraph
from .monitor import Monitor
from .recorder import frame_notes, sigmf_recorder
from .scoring import Truth, nmse_scorer, symbol_scorer


class Session:
    """One receiver on one source.

    Args:
        opened: :class:`~gnuradio.thzum.rx.source.Opened`.
        frame_rate: frames a second of a recording; 0 = as fast as it goes. Other sources have their own pace.
        settings: arguments of :class:`~gnuradio.thzum.rx.graph.ReceiverGraph`; without beams those of the source.

    Attributes: ``opened``, ``plan``, ``graph``, ``monitor``, ``recorder``, ``nmse`` and ``symbols`` (scorers, None
    and empty without a truth).
    """

    def __init__(self, opened, frame_rate=0.0, **settings):
        self.opened, self.plan = opened, opened.plan
        beams = list(settings.pop("beams", ())) or opened.beams()
        self.graph = ReceiverGraph(opened.block, opened.plan, beams=beams, **settings)
        self.monitor = Monitor()
        self.graph.msg_connect(self.graph.estimator, "report", self.monitor, "report")
        for section in self.graph.sections:
            self.graph.msg_connect(section.detector, "report", self.monitor, "report")
        self._add_recorder(beams)
        self._add_scores()
        if frame_rate and opened.recording is not None:
            self._add_pace(frame_rate)
        self._waiter, self._begin, self._end = None, None, None

    def _add_recorder(self, beams):
        defaults = {"thzum:beams": beams} if beams else {}
        self.recorder = sigmf_recorder(self.plan, self.opened.sample_rate, defaults)
        self._notes = frame_notes(self.recorder.note)
        for chain in range(self.plan.n_subarrays):
            self.graph.connect((self.opened.block, chain), (self.recorder, chain))
        self.graph.connect((self.graph.sync or self.opened.block, 0), self._notes)

    def _add_scores(self):
        self.nmse, self.symbols = None, []
        recording = self.opened.truth()
        if recording is None:
            return
        truth = Truth(recording)
        self.nmse = nmse_scorer(truth, self.plan.n_antennas)
        self.graph.connect(self.graph.estimator, self.nmse)
        self.graph.msg_connect(self.nmse, "report", self.monitor, "report")
        for section in self.graph.sections:
            self.symbols.append(symbol_scorer(truth, self.plan.n_users, section))
            self.graph.connect((section.detector, 0), self.symbols[-1])

    def _add_pace(self, frame_rate):
        recording = self.opened.recording
        length = recording.n_samples / max(len(recording.frames), 1)
        # Small buffers, so that frames come one at a time and not in bursts.
        self.opened.block.source.set_max_output_buffer(1024)
        self._pace = blocks.throttle(gr.sizeof_gr_complex, frame_rate * length)
        self.graph.connect((self.opened.block, 0), self._pace)

    def start(self):
        """Begin to receive."""
        self._begin, self._end = time.monotonic(), None
        self.graph.start()
        self._waiter = threading.Thread(target=self._wait, daemon=True)
        self._waiter.start()

    def _wait(self):
        self.graph.wait()
        self._end = time.monotonic()

    def is_running(self):
        """Whether it has begun and not come to an end."""
        return self._waiter is not None and self._waiter.is_alive()

    def stop(self):
        """End receiving and the recording; what :meth:`sigmf_recorder.end` returns."""
        if self._waiter is not None:
            self.graph.stop()
            self._waiter.join()
        return self.recorder.end()

    def seconds(self):
        """Seconds from the start to the end or to now."""
        if self._begin is None:
            return 0.0
        return (self._end or time.monotonic()) - self._begin

    def counters(self):
        """{name: number}: frames received, frames lost, estimates, skipped items, overflows and so on."""
        graph = self.graph
        found = {
            "frames": graph.frames(),
            "lost_frames": graph.lost_frames(),
            "overflows": self.opened.overflows(),
            "lost_samples": self.opened.lost_samples(),
            "estimates": graph.estimator.estimates(),
            "skipped_estimates": graph.estimator.skipped(),
        }
        if graph.payload is not None:
            users = range(self.plan.n_users)
            found["payloads"] = sum(graph.payload.received(user) for user in users)
            found["lost_payloads"] = sum(graph.payload.lost(user) for user in users)
        if self.symbols:
            found["symbol_errors"] = sum(scorer.errors() for scorer in self.symbols)
            found["symbols"] = sum(scorer.count() for scorer in self.symbols)
        return found

    def summary(self):
        """All that is known at the end, ready for JSON; NMSE in dB, latency in ms, None where there is none."""
        seconds, counters = self.seconds(), self.counters()
        found = {
            "source": self.opened.name,
            "estimator": self.graph.estimator.algorithm(),
            "detector": self.graph.sections[0].detector.algorithm() if self.graph.sections else None,
            "seconds": seconds,
            **counters,
            **self.monitor.totals(),
            "estimates_per_second": counters["estimates"] / seconds if seconds else None,
        }
        if self.nmse is not None:
            # Of the scorer itself: its messages may still be on their way.
            found["nmse_db"] = self.nmse.nmse_db() if self.nmse.count() else None
            found["channels_scored"] = self.nmse.count()
        return found
