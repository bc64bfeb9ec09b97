# SPDX-License-Identifier: GPL-3.0-or-later
"""Combiner schedules as messages: in step with the samples, moved to frames that are found, as commands to a device."""

import os
import pty
import socket
import threading
import tty

import numpy as np
import pmt
import pytest
from flowgraphs import wait_until
from gnuradio import blocks, gr
from oracles.air_frame import frame_symbols, waveform

from gnuradio import thzum
from gnuradio.thzum.array import SubarrayArray
from gnuradio.thzum.channel import CombinerSchedule, UplinkChannel, draw_users, plan_combiners, preset
from gnuradio.thzum.frame import PilotPlan
from gnuradio.thzum.radio.beam_switch import phase_words
from gnuradio.thzum.radio.command_link import CommandLink

ARRAY = SubarrayArray(1, 2, 4, 4, carrier_frequency=300e9, spacing=0.25, gap=30.0)
PLAN = PilotPlan(ARRAY, 16, n_users=2, n_data=40, modulations="qpsk", samples_per_symbol=2)
SCHEDULE = CombinerSchedule.of_plan(PLAN)
PERIOD = SCHEDULE.frame_length
BEAMS = (3, 1)


def post(block, port, value):
    """Hand a message to the handler of a block's port."""
    message = value if isinstance(value, pmt.pmt_base) else pmt.to_pmt(value)
    getattr(block, f"_take_{port}")(message)


def schedules_of(control, samples, tags=()):
    """What ``control`` sends while ``samples`` samples pass."""
    top, sent = gr.top_block(), []
    # Collected here: a message on its way when the stream ends may not reach another block any more.
    control.message_port_pub = lambda port, message: sent.append(pmt.to_python(message))
    top.connect(blocks.vector_source_c([0j] * samples, False, 1, list(tags)), control)
    top.run()
    return sent


def test_one_message_a_frame_ahead_of_it():
    sent = schedules_of(thzum.combiner_control(PLAN, 1e6, lead=0, gap=10, latency=4, beams=BEAMS), 5 * (PERIOD + 10) + 1)
    assert [message["frame"] for message in sent] == [0, 1, 2, 3, 4, 5]
    assert [message["sample"] for message in sent] == [i * (PERIOD + 10) - 4 for i in range(6)]
    assert tuple(sent[0]["entries"]) == SCHEDULE.entries + (0,) and tuple(sent[0]["lengths"]) == SCHEDULE.lengths + (10,)
    assert tuple(sent[0]["beams"]) == BEAMS
    # A lead of one frame and a half is two messages more.
    more = schedules_of(thzum.combiner_control(PLAN, 1e6, lead=1.5e-6 * PERIOD), 3 * PERIOD + 1)
    assert len(more) == 5
    assert len(schedules_of(thzum.combiner_control(PLAN, 1e6, on_change=True), 3 * PERIOD)) == 1


def test_time_is_that_of_the_radio():
    tag = gr.tag_t()
    tag.offset, tag.key = 100, pmt.intern("rx_time")
    tag.value = pmt.make_tuple(pmt.from_uint64(7_000_000), pmt.from_double(0.9))
    broken = gr.tag_t()
    broken.offset, broken.key, broken.value = 200, pmt.intern("rx_time"), pmt.from_double(3.0)
    sent = schedules_of(
        thzum.combiner_control(PLAN, 1e4, lead=0, first_sample=1000), 1000 + PERIOD + 1, [tag, broken])
    for message in sent:
        seconds, fraction = message["time"]
        due = 7_000_000 + 0.9 + (message["sample"] - 100) / 1e4
        assert abs(seconds - due + fraction) < 1e-7 and 0 <= fraction < 1


def test_found_frames_move_the_schedule():
    control = thzum.combiner_control(PLAN, 1e6, lead=0)
    for nonsense in ({"sample": 1.5}, {"frame": 1}):
        post(control, "report", nonsense)
    post(control, "report", {"sample": 7 * PERIOD + 300})
    post(control, "report", {"sample": 8 * PERIOD + 301})  # within a symbol: stays
    for nonsense in ({"gain": 1}, {"beams": [1]}, {"sample": -3}, {"beams": "all"}):
        post(control, "control", nonsense)
    assert control.moves() == 1
    post(control, "control", {"follow": False})
    post(control, "report", {"sample": 9 * PERIOD + 100})
    assert control.moves() == 1
    post(control, "control", {"sample": 9 * PERIOD + 100})
    assert control.moves() == 2


def test_frames_in_which_the_combiners_changed_do_not_move_the_schedule_again():
    control = thzum.combiner_control(PLAN, 1e6, lead=0)
    post(control, "report", {"sample": 300})
    post(control, "report", {"sample": PERIOD + 40})  # found while the schedule moved
    assert control.moves() == 1
    post(control, "report", {"sample": 2 * PERIOD + 40})
    assert control.moves() == 2


def user_samples(plan, n_frames, late):
    """Samples [K, n] that users send: ``late`` silent ones, then frames."""
    rng = np.random.default_rng(2)
    instants = np.arange(plan.air.n_samples)
    rows = []
    for user in range(plan.n_users):
        data = np.exp(0.5j * np.pi * (rng.integers(0, 4, plan.n_data) + 0.5))
        frame = waveform(plan.air, frame_symbols(plan.air, user, data), instants)
        rows.append(np.concatenate([np.zeros(late), np.tile(frame, n_frames)]))
    return np.array(rows, np.complex64)


def explained(y, reference):
    """Part of the energy of ``y`` that ``reference`` explains."""
    return abs(np.vdot(reference, y)) ** 2 / (np.linalg.norm(reference) * np.linalg.norm(y)) ** 2


def test_closed_loop_brings_the_combiners_into_step_with_the_users():
    plan = PilotPlan("thz300_aosa4x256", 32, n_users=2, n_data=32, modulations="qpsk", samples_per_symbol=2)
    n_frames, late, small = 40, 777, 1024
    paths = draw_users(preset("thz300_aosa4x256"), 2, 1, seed=3)
    model = UplinkChannel.from_plan(plan, paths, 10e6, noise_var=0.01, normalise="each", seed=1)
    top, channel = gr.top_block(), thzum.thz_uplink_channel(model.parameters())
    # The first message says what the channel does already: no change may fall into the first preamble.
    control = thzum.combiner_control(
        plan, 10e6, first_sample=channel.latency(), latency=channel.latency(), lead=0, on_change=True)
    sync = thzum.frame_sync(plan.air, plan.n_subarrays)
    receiver = thzum.pilot_receiver(
        plan.n_subarrays, plan.n_noise, plan.n_slots, plan.n_users, plan.n_data, plan.user_sequences)
    pilots, data = blocks.vector_sink_c(plan.n_observations), blocks.null_sink(8 * plan.n_subarrays)
    # Short buffers: the message for a frame passes few samples on its way back.
    for block in (channel, sync):
        block.set_max_output_buffer(small)
    for k, row in enumerate(user_samples(plan, n_frames, late)):
        source = blocks.vector_source_c(row.tolist())
        source.set_max_output_buffer(small)
        top.connect(source, (channel, k))
    for s in range(plan.n_subarrays):
        top.connect((channel, s), (sync, s), (receiver, s))
    top.connect((channel, 0), control)
    top.connect(receiver, pilots)
    top.connect((receiver, 1), data)
    top.msg_connect(sync, "report", control, "report")
    top.msg_connect(control, "schedule", channel, "control")
    top.run()

    y = np.array(pilots.data()).reshape(-1, plan.n_users, plan.n_observations)
    reference = plan.operator.measure(model.true_channel(0).astype(np.complex64))
    in_step = [min(explained(a, b) for a, b in zip(frame, reference)) for frame in y]
    assert control.moves() == 1 and len(in_step) >= n_frames - 2
    # An SNR of 20 dB per observation, so a hundredth of the energy is noise; other combiners explain nothing.
    assert in_step[0] < 0.5 and min(in_step[n_frames // 2 :]) > 0.97


class Listener:
    """A device on UDP or TCP that keeps commands and answers each with ``answer``."""

    def __init__(self, kind, answer=b""):
        self.lines, self._answer = [], answer
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(20)
        self.port = self._socket.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            self._socket.listen(1)
        serve = self._serve_stream if kind == socket.SOCK_STREAM else self._serve_datagrams
        self._thread = threading.Thread(target=serve, daemon=True)
        self._thread.start()

    def _serve_datagrams(self):
        while True:
            data, sender = self._socket.recvfrom(4096)
            self.lines.append(data.decode())
            if data == b"end":
                return
            if self._answer:
                self._socket.sendto(self._answer, sender)

    def _serve_stream(self):
        connection, _ = self._socket.accept()
        with connection, connection.makefile("rwb", buffering=0) as stream:
            for line in stream:
                self.lines.append(line.decode())
                stream.write(self._answer)

    def finish(self):
        """All commands, once the device has no more to take."""
        if self._socket.type == socket.SOCK_DGRAM:
            self._socket.sendto(b"end", ("127.0.0.1", self.port))
        self._thread.join(20)
        return [line for line in self.lines if line != "end"]


def run_switch(switch, messages, n_commands, n_reports=0):
    """Reports of the switch until so many commands went out and so many reports came."""
    top, debug = gr.top_block(), blocks.message_debug()
    top.msg_connect(switch, "report", debug, "store")
    top.start()
    for message in messages:
        post(switch, "schedule", message)
    wait_until(
        lambda: switch.counts()["sent"] >= n_commands and debug.num_messages() >= n_reports, state=switch.counts)
    top.stop()
    top.wait()
    return [pmt.to_python(debug.get_message(i)) for i in range(debug.num_messages())]


def schedule_message(frame=3, seconds=1_700_000_000, fraction=0.25, entries=(0, 5, 16), lengths=(10, 20, 30), rate=1e6):
    return pmt.to_pmt({
        "frame": frame, "sample": 1000, "time": (seconds, fraction), "sample_rate": rate,
        "entries": np.array(entries, np.int32), "lengths": np.array(lengths, np.int32),
        "beams": np.array(BEAMS, np.int32),
    })


def test_commands_of_slots_and_frames_reach_a_listener():
    device = Listener(socket.SOCK_DGRAM)
    switch = thzum.beam_switch(
        f"udp://127.0.0.1:{device.port}", frame_command="FRAME {frame} {nanoseconds} {entries} {beams}\\n",
        slot_command="AT {nanoseconds} BEAM {entry} FOR {microseconds:.1f}\\n")
    reports = run_switch(switch, [pmt.PMT_T, {"frame": 1}, schedule_message(lengths=(1,)), schedule_message()], 4)
    assert device.finish() == [
        "FRAME 3 1700000000250000000 0,5,16 3,1\n",
        "AT 1700000000250000000 BEAM 0 FOR 10.0\n",
        "AT 1700000000250010000 BEAM 5 FOR 20.0\n",
        "AT 1700000000250030000 BEAM 16 FOR 30.0\n",
    ]
    assert reports == [] and switch.counts() == dict(sent=4, refused=0, dropped=0)


def test_table_reaches_a_listener_and_refusals_are_counted():
    device = Listener(socket.SOCK_STREAM, b"ERR 7\r\n")
    switch = thzum.beam_switch(
        f"tcp://127.0.0.1:{device.port}", table_command="LOAD {entry},{subarray},{phases}\\n", slot_command="",
        plan=PLAN, beams=BEAMS, phase_bits=2, reply="OK")
    table = plan_combiners(PLAN, BEAMS)
    count = table.shape[0] * table.shape[1]
    reports = run_switch(switch, [], count, count)
    lines = device.finish()
    assert len(lines) == count
    entry, subarray, phases = lines[-1].split(maxsplit=1)[1].split(",", 2)
    assert (int(entry), int(subarray)) == (PLAN.n_slots, 1)
    states = np.array(phases.split(","), int)
    error = np.angle(np.exp(0.5j * np.pi * states) * table[-1, -1].conj())
    assert np.abs(error).max() <= np.pi / 4 + 1e-6  # half a step of two bits
    assert switch.counts() == dict(sent=len(lines), refused=len(lines), dropped=0)
    assert "ERR 7" in reports[-1]["problem"] and reports[-1]["refused"] == len(lines)


def test_phases_of_a_row():
    assert phase_words(np.exp(2j * np.pi * np.array([0, 0.25, -0.125, 0.99999]))) == ["0.0", "90.0", "315.0", "0.0"]


def test_serial_port_and_silent_device():
    leader, follower = pty.openpty()
    tty.setraw(leader)
    link = CommandLink(f"serial:{os.ttyname(follower)}?baud=9600", reply="OK", timeout=0.2)
    assert link.send("BEAM 1\n") == "no answer in time"
    assert os.read(leader, 100) == b"BEAM 1\n"
    os.write(leader, b"OK 1\n")
    assert link.send("BEAM 2\n") is None
    link.close()
    os.close(leader)
    os.close(follower)


@pytest.mark.parametrize(
    "arguments, text",
    [
        (dict(address="beams.example"), "address"),
        (dict(address="udp://127.0.0.1:5025", slot_command="{gain}"), "slot_command"),
        (dict(address="udp://127.0.0.1:5025", slot_command="{entry"), "slot_command"),
        (dict(address="udp://127.0.0.1:5025", frame_command="{}"), "frame_command"),
        (dict(address="udp://127.0.0.1:5025", table_command="{phases}"), "plan"),
        (dict(address="udp://127.0.0.1:5025", phase_bits=40), "phase_bits"),
        (dict(address="udp://127.0.0.1:5025", table_command="{phases}", plan=PLAN, beams=(1, 10**6)), "beams"),
    ],
)
def test_wrong_arguments_of_the_switch_are_named(arguments, text):
    with pytest.raises(ValueError, match=text):
        thzum.beam_switch(**arguments)


@pytest.mark.parametrize(
    "arguments",
    [dict(sample_rate=0), dict(gap=-1), dict(lead=np.nan), dict(latency=1.5), dict(beams=(1,)), dict(follow=1),
     dict(beams=(1, 10**6))],
)
def test_wrong_arguments_of_the_control_are_named(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        thzum.combiner_control(PLAN, **(dict(sample_rate=1e6) | arguments))
