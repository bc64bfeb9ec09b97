# SPDX-License-Identifier: GPL-3.0-or-later
"""The two ends of a link over the virtual radio, for processes of their own: python radio_ends.py END OPTIONS.

A receiver takes lines KEY:VALUE, settings of its device, and ends with SIGTERM or when its input ends."""

import argparse
import json
import select
import signal
import sys
import time

import numpy as np
import pmt
from gnuradio import blocks, gr, thzum
from gnuradio.thzum.frame import PilotPlan, ldpc_file

CODE = "n_1100_k_0442_gap_24"
PAYLOAD = 51  # bytes of a user in a frame


def short_plan(n_slots=48, n_data=704):
    """The plan of both ends: 4 x 256 antennas, 4 users, QPSK."""
    return PilotPlan("thz300_aosa4x256", n_slots=n_slots, n_data=n_data, modulations="qpsk", samples_per_symbol=2)


def payload(user, frame):
    """What a user sends in a frame: who, which and random bytes."""
    rng = np.random.default_rng([user, frame])
    return bytes([user]) + int(frame).to_bytes(4, "little") + rng.bytes(PAYLOAD - 5)


def payload_code(plan):
    return thzum.payload_code(plan.n_data, "qpsk", ldpc_file(CODE))


class transmitter(gr.top_block):
    """Frames with numbered payloads to the radio, ``n_frames`` of them from number ``first`` on."""

    def __init__(self, address, plan, rate, n_frames, first=0):
        gr.top_block.__init__(self)
        source = thzum.uplink_frame_source(plan.air, payload_code(plan))
        self.source = source
        sink = thzum.transmitter_sink(address, plan, rate)
        for user in range(plan.n_users):
            content = b"".join(payload(user, frame) for frame in range(first, first + n_frames))
            self.connect(blocks.vector_source_b(list(content)), (source, user))
            self.connect((source, user), (sink, user))


class payload_check(gr.basic_block):
    """Compares every payload with what was sent, and keeps nothing but counts."""

    def __init__(self, n_users):
        gr.basic_block.__init__(self, "payload_check", None, None)
        self.message_port_register_in(pmt.intern("pdus"))
        self.set_msg_handler(pmt.intern("pdus"), self._check)
        self.users = [dict(first=-1, last=-1, good=0) for _ in range(n_users)]
        self.wrong = 0

    def _check(self, pdu):
        user = pmt.to_long(pmt.dict_ref(pmt.car(pdu), pmt.intern("user"), pmt.PMT_NIL))
        content = bytes(pmt.u8vector_elements(pmt.cdr(pdu)))
        frame = int.from_bytes(content[1:5], "little")
        if content != payload(user, frame):
            self.wrong += 1
            return
        count = self.users[user]
        count["good"] += frame != count["last"]
        count["last"] = frame
        if count["first"] < 0:
            count["first"] = frame


class receiver(gr.top_block):
    """From the samples of any source, or the symbols of frames that are ``synchronised``, to payloads."""

    def __init__(self, source, plan, beams, algorithm="newtonized_omp", synchronised=False):
        gr.top_block.__init__(self)
        s = plan.n_subarrays
        self.plan, self.source = plan, source
        self.sync = thzum.frame_sync(plan.air, s, beams=beams)
        self.pilots = thzum.pilot_receiver(
            s, plan.n_noise, plan.n_slots, plan.n_users, plan.n_data, sequences=plan.user_sequences
        )
        self.estimator = thzum.channel_estimator(
            plan.operator, algorithm, batch=plan.n_users, array_options=plan.array_options
        )
        known = beams if synchronised else []
        self.effective = thzum.effective_channel(s, plan.n_elements, plan.n_users, plan.codebook, known)
        self.detector = thzum.mimo_detector("lmmse", s, plan.n_users, "qpsk", plan.n_data)
        self.payload = thzum.uplink_payload(plan.n_users, payload_code(plan))
        self.check = payload_check(plan.n_users)
        for chain in range(s):
            way = [(source, chain), (self.pilots, chain)]
            self.connect(*(way if synchronised else [way[0], (self.sync, chain), way[1]]))
        self.connect((self.pilots, 0), self.estimator, self.effective, (self.detector, 0))
        self.connect((self.pilots, 1), (self.detector, 1))
        self.connect((self.detector, 0), blocks.null_sink(gr.sizeof_int * plan.n_users))
        self.connect((self.detector, 1), self.payload)
        self.msg_connect(self.payload, "pdus", self.check, "pdus")

    def drain(self, quiet=1.5, time_limit=30.0):
        """Waits until no payload has come for ``quiet`` s: what was received is on its way through the flowgraph."""
        deadline = time.monotonic() + time_limit
        last, since = -1, time.monotonic()
        while time.monotonic() < deadline and time.monotonic() - since < quiet:
            now = sum(user["good"] for user in self.check.users) + self.sync.frames()
            if now != last:
                last, since = now, time.monotonic()
            time.sleep(0.05)

    def result(self):
        """Counters, and which payloads arrived as they were sent, as plain data."""
        users = range(self.plan.n_users)
        return dict(
            good=self.check.users,
            wrong=self.check.wrong,
            found=self.sync.frames(),
            sync_lost=self.sync.lost_frames(),
            payload_lost=[self.payload.lost(k) for k in users],
            bad_headers=[self.payload.bad_headers(k) for k in users],
            bad_payloads=[self.payload.bad_payloads(k) for k in users],
            overflows=self.source.overflows(),
            lost_samples=self.source.lost_samples(),
            received_samples=self.source.received_samples(),
            bad_samples=self.sync.bad_samples(),
        )


def run_transmitter(options, plan):
    graph = transmitter(options.address, plan, options.rate, options.frames, options.first)
    graph.start()
    print("started", flush=True)
    graph.wait()
    # What the device still holds goes out before it is closed.
    time.sleep(0.3)
    print(json.dumps(dict(frames=graph.source.frames())), flush=True)


def run_receiver(options, plan):
    source = thzum.receiver_source(options.address, plan, options.rate)
    graph = receiver(source, plan, source.beams, options.algorithm)
    end = [False]
    signal.signal(signal.SIGTERM, lambda *_: end.__setitem__(0, True))
    if options.hold:
        print("ready", flush=True)
        sys.stdin.readline()
    graph.start()
    print("started", flush=True)
    deadline = time.monotonic() + options.seconds
    while not end[0] and time.monotonic() < deadline:
        if select.select([sys.stdin], [], [], 0.02)[0]:
            change = sys.stdin.readline().strip()
            if not change:
                break  # whoever started this is gone
            source.set_setting(*change.split(":"))
    graph.drain()
    graph.stop()
    graph.wait()
    print(json.dumps(graph.result()), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("end", choices=("transmitter", "receiver"))
    parser.add_argument("--address", required=True)
    parser.add_argument("--rate", type=float, default=200e3)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--algorithm", default="newtonized_omp")
    parser.add_argument("--hold", action="store_true", help="receiver: wait for a line before it starts")
    options = parser.parse_args()
    plan = short_plan()
    (run_transmitter if options.end == "transmitter" else run_receiver)(options, plan)


if __name__ == "__main__":
    main()
