# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio block that tells combiners when to change: the pilot schedule as messages ahead of its time."""

import threading

import numpy as np
import pmt
from gnuradio import gr

from .. import messages
from ..channel.hardware.checks import boolean, integer, real
from ..channel.schedule import CombinerSchedule, checked_beams

_RX_TIME = pmt.intern("rx_time")


class combiner_control(gr.sync_block):
    """Sends the combiner schedule of frames ahead of them, in step with a stream of samples.

    Input: the samples of one RF chain, which are only counted; their ``rx_time`` tags (seconds as uint64, fraction
    as double), where the radio sets them, tell the time. Message port ``schedule`` gives a dictionary a frame:
    ``frame`` (long, counts), ``sample`` (long, channel time at which it begins), ``entries`` (s32vector, rows of
    the combiner table, the pilot slots and then the data beams) and ``lengths`` (s32vector, samples of each),
    ``time`` (tuple of seconds and fraction), ``sample_rate`` (double), and ``beams`` (s32vector) where they are set. The
    THz Uplink Channel takes it as it is; a Beam Switch makes commands of it.

    Message port ``report`` takes what Frame Sync reports: with ``follow`` the schedule moves to where frames are
    found, as soon as they are more than a symbol away from it; frames that began before the moved schedule was in
    force do not move it again, for the change falls into them. Port ``control`` takes a dictionary with any of
    ``beams`` (s32vector), ``follow`` (bool) and ``sample`` (long, a frame begins there). What is malformed is
    dropped, the first time with a warning.

    Args:
        plan: a :class:`~gnuradio.thzum.frame.PilotPlan`.
        sample_rate: of the input, in Hz.
        gap: samples between frames.
        first_sample: input sample at which a frame begins.
        follow: whether frames that Frame Sync finds move the schedule.
        lead: seconds by which a message goes out before its frame, by the stream's own time.
        latency: samples from a change of the combiner to the input sample that sees it.
        on_change: a message for the first frame and whenever the schedule moves, not for each frame.
        beams: code book indices of the data beams, one a subarray; () for none.

    Raises:
        ValueError: naming the argument, what was expected and what came.
    """

    def __init__(
        self, plan, sample_rate, gap=0, first_sample=0, follow=True, lead=0.01, latency=0, on_change=False, beams=()
    ):
        gr.sync_block.__init__(self, name="thzum_combiner_control", in_sig=[np.complex64], out_sig=None)
        schedule = CombinerSchedule.of_plan(plan)
        gap = integer("gap", gap, 0)
        self._plan = plan
        self._entries = np.array(list(schedule.entries) + [0] * (gap > 0), np.int32)
        self._lengths = np.array(list(schedule.lengths) + [gap] * (gap > 0), np.int32)
        self._period = schedule.frame_length + gap
        self._tolerance = plan.samples_per_symbol
        self._sample_rate = real("sample_rate", sample_rate, above=0)
        self._lead = int(real("lead", lead, low=0) * self._sample_rate)
        self._latency = integer("latency", latency, 0)
        self._on_change = boolean("on_change", on_change)
        self._follow = boolean("follow", follow)
        self._first_sample = integer("first_sample", first_sample, 0)
        self._beams = self._checked_beams(beams)
        self._lock = threading.Lock()
        self._log = gr.logger(self.alias())
        self._refusals = messages.Refusals(self._log)
        self.message_port_register_out(pmt.intern("schedule"))
        for port, handler in (("report", self._take_report), ("control", self._take_control)):
            self.message_port_register_in(pmt.intern(port))
            self.set_msg_handler(pmt.intern(port), handler)
        self.start()

    def start(self):
        """Begin again at the first sample, whenever the flowgraph starts."""
        with self._lock:
            self._next_start, self._frame, self._moves = self._first_sample, 0, 0
            self._in_force = 0
            self._is_new = True
            self._time_reference = (0, 0, 0.0)
        return True

    def _checked_beams(self, beams):
        return checked_beams(self._plan, beams).tolist() if len(beams) else []

    def set_beams(self, beams):
        """Data beams from the next message on."""
        beams = self._checked_beams(beams)
        with self._lock:
            self._is_new = self._is_new or beams != self._beams
            self._beams = beams

    def set_follow(self, follow):
        """Whether frames that are found move the schedule."""
        with self._lock:
            self._follow = boolean("follow", follow)

    def moves(self):
        """How often found frames have moved the schedule."""
        return self._moves

    def work(self, input_items, output_items):
        first, count = self.nitems_read(0), len(input_items[0])
        with self._lock:
            for tag in self.get_tags_in_window(0, 0, count, _RX_TIME):
                self._take_time(tag)
            self._send_due(first + count)
        return count

    def _take_time(self, tag):
        if pmt.is_tuple(tag.value) and pmt.length(tag.value) >= 2:
            seconds, fraction = pmt.tuple_ref(tag.value, 0), pmt.tuple_ref(tag.value, 1)
            if pmt.is_uint64(seconds) and pmt.is_real(fraction):
                self._time_reference = (tag.offset, pmt.to_uint64(seconds), pmt.to_double(fraction))
                return
        self._log.warn(f"rx_time: expected a tuple of seconds and fraction, got {pmt.write_string(tag.value)}")

    def _send_due(self, now):
        while self._next_start - self._lead <= now:
            if self._is_new or not self._on_change:
                self.message_port_pub(pmt.intern("schedule"), self._message())
                self._is_new = False
            self._next_start += self._period
            self._frame += 1

    def _time_of(self, sample):
        offset, seconds, fraction = self._time_reference
        whole, rest = divmod((sample - offset) / self._sample_rate + fraction, 1.0)
        return seconds + int(whole), rest

    def _message(self):
        start = self._next_start - self._latency
        seconds, fraction = self._time_of(start)
        entries = dict(
            frame=self._frame, sample=start, entries=self._entries, lengths=self._lengths, time=(seconds, fraction),
            sample_rate=self._sample_rate,
        )
        if self._beams:
            entries["beams"] = np.array(self._beams, np.int32)
        return pmt.to_pmt(entries)

    def _take_report(self, message):
        try:
            sample = integer("sample", messages.entries(message).get("sample"), 0)
        except ValueError as error:
            self._refusals.add(error)
            return
        with self._lock:
            if self._follow and sample >= self._in_force:
                self._move_to(sample, self._tolerance)

    def _move_to(self, sample, tolerance):
        half = self._period // 2
        away = (sample - self._next_start + half) % self._period - half
        if abs(away) <= tolerance:
            return
        self._next_start += away
        self._in_force = self._next_start + self._period  # the message may reach the radio within a frame
        self._moves += 1
        self._is_new = True

    def _take_control(self, message):
        try:
            entries = messages.entries(message)
            if not set(entries) <= {"beams", "follow", "sample"}:
                raise ValueError(f"message: expected beams, follow or sample, got {', '.join(map(str, entries))}")
            if "beams" in entries:
                self.set_beams(messages.vector(entries, "beams").tolist())
            if "follow" in entries:
                self.set_follow(entries["follow"])
            if "sample" in entries:
                with self._lock:
                    self._move_to(integer("sample", entries["sample"], 0), 0)
        except ValueError as error:
            self._refusals.add(error)
