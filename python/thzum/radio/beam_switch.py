# SPDX-License-Identifier: GPL-3.0-or-later
"""GNU Radio block that turns combiner schedules into the commands of beam-switching hardware."""

import queue
import string
import threading

import numpy as np
import pmt
from gnuradio import gr

from .. import messages
from ..channel.hardware.checks import integer
from ..channel.schedule import plan_combiners
from .command_link import CommandLink

#: Fields of the three templates.
TABLE_FIELDS = ("entry", "subarray", "phases")
FRAME_FIELDS = ("frame", "sample", "seconds", "nanoseconds", "beams", "entries", "microseconds")
SLOT_FIELDS = ("frame", "slot", "entry", "sample", "seconds", "nanoseconds", "samples", "microseconds", "beams")

_MOST_WAITING = 16  # schedules; older ones are of no use any more


def _checked_template(name, template, fields):
    try:
        used = {field.partition(".")[0].partition("[")[0] for _, field, _, _ in string.Formatter().parse(template)
                if field is not None}
    except ValueError as error:
        raise ValueError(f"{name}: {error}, in {template!r}") from None
    if not used <= set(fields):
        unknown = ", ".join(sorted(used - set(fields)))
        raise ValueError(f"{name}: expected fields among {', '.join(fields)}, got {unknown or '{}'}")
    for written, meant in (("\\n", "\n"), ("\\r", "\r"), ("\\t", "\t")):
        template = template.replace(written, meant)
    return template


def phase_words(row, phase_bits=0):
    """Settings of the phase shifters for a combiner row [n]: degrees from 0 below 360, or states of ``phase_bits``."""
    turns = np.angle(row) / (2 * np.pi) % 1.0
    if phase_bits:
        return [str(int(state)) for state in np.round(turns * 2**phase_bits) % 2**phase_bits]
    return [f"{degrees:.1f}" for degrees in np.round(turns * 3600) % 3600 / 10]


class beam_switch(gr.basic_block):
    """Sends commands for each combiner schedule to a device, over UDP, TCP or a serial port.

    Message port ``schedule`` takes what Combiner Control sends. Commands are templates in the form of Python's
    ``str.format``, "" for none, ``\\n`` for a line's end:

    - ``table_command``, once for each row of the combiner table and subarray when the flowgraph starts: ``entry``,
      ``subarray``, ``phases`` (separated by commas; degrees, or states of ``phase_bits``).
    - ``frame_command``, once a schedule: ``frame``, ``sample``, ``seconds``, ``nanoseconds`` (when it begins),
      ``microseconds`` (of all), ``entries``, ``beams``.
    - ``slot_command``, for each change of the combiner: ``slot``, ``entry``, ``samples`` and ``microseconds`` (how
      long), and the fields of the frame with the time of the slot.

    Commands carry times and go out at once: to change within a guard the device has to keep time itself, by
    the radio's pulse per second or a trigger line. A thread of its own sends them, so that a slow device holds up
    no samples; when it cannot keep up, the oldest schedules are dropped. Message port ``report`` gives a dictionary
    when something is wrong: ``problem`` (symbol), ``sent``, ``refused`` and ``dropped`` (long).

    Args:
        address: of the device, see :class:`~gnuradio.thzum.radio.command_link.CommandLink`.
        table_command, frame_command, slot_command: templates.
        plan, beams: plan and data beams [S] of the combiner table, for ``table_command``.
        phase_bits: of the phase shifters; 0 gives degrees.
        reply: what the device's answer to every command begins with; "" expects none.
        timeout: seconds to wait for an answer.

    Raises:
        ValueError: naming the argument, what was expected and what came.
        OSError: the device cannot be reached. While the flowgraph runs a lost connection is made again.
    """

    def __init__(
        self, address, table_command="", frame_command="", slot_command="AT {nanoseconds} BEAM {entry}\\n", plan=None,
        beams=(), phase_bits=0, reply="", timeout=0.5,
    ):
        gr.basic_block.__init__(self, name="thzum_beam_switch", in_sig=None, out_sig=None)
        self._table = _checked_template("table_command", table_command, TABLE_FIELDS)
        self._of_frame = _checked_template("frame_command", frame_command, FRAME_FIELDS)
        self._of_slot = _checked_template("slot_command", slot_command, SLOT_FIELDS)
        if self._table and plan is None:
            raise ValueError("plan: expected a PilotPlan, which table_command needs, got None")
        self._rows = plan_combiners(plan, beams) if self._table else ()
        self._phase_bits = integer("phase_bits", phase_bits, 0, 16)
        self._link = CommandLink(address, reply, timeout)
        self._log = gr.logger(self.alias())
        self._refusals = messages.Refusals(self._log)
        self._waiting = queue.Queue(_MOST_WAITING)
        self._thread, self._is_stopping = None, False
        self._counts = dict(sent=0, refused=0, dropped=0)
        self.message_port_register_out(pmt.intern("report"))
        self.message_port_register_in(pmt.intern("schedule"))
        self.set_msg_handler(pmt.intern("schedule"), self._take_schedule)

    def counts(self):
        """Commands sent, those among them that the device refused or did not answer, and schedules dropped."""
        return dict(self._counts)

    def start(self):
        """Send the device the table; the rest follows."""
        self._is_stopping = False
        self._waiting.put(self._table_commands())
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return True

    def stop(self):
        """Disconnect from the device after the command at hand."""
        if self._thread is not None:
            self._is_stopping = True
            self._make_room()
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
        return True

    def _take_schedule(self, message):
        try:
            commands = self._commands(message)
        except (ValueError, TypeError, KeyError) as error:
            self._refusals.add(f"expected the schedule of a Combiner Control, {error}")
            return
        if self._make_room():
            self._fault("dropped", "the device is slower than the schedule")
        self._waiting.put(commands)

    def _make_room(self):
        """Drop the oldest schedule when the queue is full; whether one was dropped."""
        if not self._waiting.full():
            return False
        try:
            self._waiting.get_nowait()
        except queue.Empty:  # the thread has just taken it
            return False
        return True

    def _commands(self, message):
        entries = messages.entries(message)
        rate, (seconds, fraction) = entries["sample_rate"], entries["time"]
        lengths = np.asarray(entries["lengths"], np.int64)
        rows = [int(entry) for entry in entries["entries"]]
        if len(rows) != len(lengths) or not rate > 0:
            raise ValueError("lengths and entries or the rate do not fit")
        begins = np.concatenate([[0], np.cumsum(lengths)])
        nanoseconds = int(seconds) * 10**9 + np.round((fraction + begins / rate) * 1e9).astype(np.int64).astype(object)
        common = dict(frame=entries["frame"], beams=",".join(map(str, entries.get("beams", ()))))
        texts = []
        if self._of_frame:
            texts.append(self._of_frame.format(
                sample=entries["sample"], seconds=nanoseconds[0] / 1e9, nanoseconds=nanoseconds[0],
                microseconds=begins[-1] / rate * 1e6, entries=",".join(map(str, rows)), **common))
        if self._of_slot:
            texts += [
                self._of_slot.format(
                    slot=slot, entry=entry, sample=entries["sample"] + begin, seconds=begin_ns / 1e9,
                    nanoseconds=begin_ns, samples=length, microseconds=length / rate * 1e6, **common)
                for slot, (entry, begin, begin_ns, length) in enumerate(zip(rows, begins, nanoseconds, lengths))
            ]
        return texts

    def _table_commands(self):
        return [
            self._table.format(entry=entry, subarray=subarray, phases=",".join(phase_words(row, self._phase_bits)))
            for entry, rows in enumerate(self._rows)
            for subarray, row in enumerate(rows)
        ]

    def _serve(self):
        while (commands := self._waiting.get()) is not None:
            for command in commands:
                if self._is_stopping:
                    break
                self._send(command)
        self._link.close()

    def _send(self, command):
        try:
            answer = self._link.send(command)
            self._counts["sent"] += 1
        except OSError as error:
            answer = str(error)
        if answer is not None:
            self._fault("refused", f"{command.strip()}: {answer}")

    def _fault(self, kind, problem):
        self._counts[kind] += 1
        if self._counts[kind] == 1:
            self._log.warn(f"{problem} (the first time; the report port counts)")
        self.message_port_pub(pmt.intern("report"), pmt.to_pmt({"problem": problem, **self._counts}))
