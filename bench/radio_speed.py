# SPDX-License-Identifier: GPL-3.0-or-later
"""Throughput over the virtual radio without overflow, and latency from the last pilot sample to the estimate."""

import argparse
import json
import threading
import time

import numpy as np
import pmt
from gnuradio import blocks, gr, thzum
import as_json
from radio_ends import receiver, short_plan
from radio_link import Link

RATES = (50e3, 100e3, 200e3, 400e3, 600e3, 800e3, 1e6, 1.5e6, 2e6, 3e6, 4e6, 6e6)


class latency_probe(gr.basic_block):
    """When the estimate of a frame's last user comes, against when its last pilot sample was on the air.

    The virtual radio's clock is the machine's monotonic clock. Estimates come to the stream input; the reports of
    frame_sync say at which sample a frame began.
    """

    def __init__(self, plan, rate):
        n = plan.n_antennas
        gr.basic_block.__init__(self, "latency_probe", [(np.complex64, n)], [])
        self.message_port_register_in(pmt.intern("report"))
        self.set_msg_handler(pmt.intern("report"), self._frame)
        last = [block for block in plan.air.blocks() if block[0] == "slot"][-1]
        #: Samples from a frame's first to the last that a pilot slot needs, and to the frame's end.
        self.pilots_end = (last[1] + last[2] + plan.air.span // 2) * plan.samples_per_symbol
        self.frame_end = plan.air_length
        self._rate, self._n_users = rate, plan.n_users
        self._begin, self._lock = {}, threading.Lock()
        self.start_time = None
        self.latencies = []

    def _frame(self, message):
        entry = pmt.to_python(message)
        with self._lock:
            self._begin[entry["frame"]] = entry["sample"]

    def forecast(self, noutput_items, ninputs):
        return [1] * ninputs

    def general_work(self, input_items, output_items):
        now = time.monotonic()
        count = len(input_items[0])
        first = self.nitems_read(0)
        for tag in self.get_tags_in_range(0, first, first + count, pmt.intern("thzum_frame")):
            is_last = (tag.offset + 1) % self._n_users == 0
            with self._lock:
                sample = self._begin.get(pmt.to_python(tag.value))
            if is_last and sample is not None and self.start_time is not None:
                self.latencies.append(now - (self.start_time + (sample + self.pilots_end) / self._rate))
        self.consume(0, count)
        return 0


class time_probe(gr.sync_block):
    """The time of the stream's first sample."""

    def __init__(self, target):
        gr.sync_block.__init__(self, "time_probe", [np.complex64], [])
        self._target = target

    def work(self, input_items, output_items):
        if self._target.start_time is None:
            for tag in self.get_tags_in_window(0, 0, len(input_items[0]), pmt.intern("rx_time")):
                seconds, fraction = (
                    pmt.to_uint64(pmt.tuple_ref(tag.value, 0)),
                    pmt.to_double(pmt.tuple_ref(tag.value, 1)),
                )
                self._target.start_time = seconds + fraction - tag.offset / self._target._rate
        return len(input_items[0])


def latency(rate=50e3, seconds=8.0, algorithm="newtonized_omp"):
    """Latencies in s at a rate, as percentiles, and the part of them that is waiting for the frame's end."""
    plan = short_plan()
    frames = int(seconds * rate / plan.air_length)
    with Link("", rate) as link:
        source = thzum.receiver_source(link.address, plan, rate)
        graph = receiver(source, plan, source.beams, algorithm)
        probe = latency_probe(plan, rate)
        clock = time_probe(probe)
        graph.connect((source, 0), clock)
        graph.connect(graph.estimator, probe)
        graph.msg_connect(graph.sync, "report", probe, "report")
        graph.start()
        link.transmitter(frames).result()
        time.sleep(2.0)
        graph.stop()
        graph.wait()
    values = np.array(probe.latencies[2:])
    wait = (probe.frame_end - probe.pilots_end) / rate
    return dict(
        rate=rate,
        algorithm=algorithm,
        count=len(values),
        overflows=source.overflows(),
        frame_end=wait,
        p50=float(np.percentile(values, 50)),
        p99=float(np.percentile(values, 99)),
    )


def throughput(kind, rate, seconds=4.0, algorithm="newtonized_omp"):
    """Whether the receiver up to ``kind`` ("samples", "sync" or "payload") keeps up with a rate."""
    plan = short_plan()
    frames = max(int(seconds * rate / plan.air_length), 2)
    with Link("room=1048576", rate) as link:
        source = thzum.receiver_source(link.address, plan, rate)
        if kind == "payload":
            graph = receiver(source, plan, source.beams, algorithm)
        else:
            graph = gr.top_block()
            sync = thzum.frame_sync(plan.air, plan.n_subarrays)
            for chain in range(plan.n_subarrays):
                way = [(source, chain)] + ([(sync, chain)] if kind == "sync" else [])
                graph.connect(*way, blocks.null_sink(gr.sizeof_gr_complex))
        graph.start()
        link.transmitter(frames).result()
        lost = source.overflows()
        received = source.received_samples()
        time.sleep(0.5)
        graph.stop()
        graph.wait()
    return dict(kind=kind, rate=rate, overflows=lost, received=received)


def highest_rate(kind, seconds=4.0, rates=RATES):
    """The highest of the rates without overflow, in Hz; 0 where none is."""
    best = 0.0
    for rate in rates:
        row = throughput(kind, rate, seconds)
        if row["overflows"]:
            break
        best = rate
    return best


def measure(seconds=4.0, rates=RATES):
    """All figures."""
    highest = {kind: highest_rate(kind, seconds, rates) for kind in ("samples", "sync", "payload")}
    return dict(highest_rate=highest, latency=[latency(rate, 2 * seconds) for rate in rates if rate <= 100e3])


def report(result):
    """The figures as text."""
    lines = ["Highest rate per RF chain without overflow (4 chains, transmitter on the same cores), Msample/s"]
    lines += [f"  up to {kind}: {rate / 1e6:g}" for kind, rate in result["highest_rate"].items()]
    for row in result["latency"]:
        lines.append(
            f"Last pilot sample to estimate at {row['rate'] / 1e3:g} kHz: p50 {1e3 * row['p50']:.0f} ms, p99 "
            f"{1e3 * row['p99']:.0f} ms over {row['count']} frames, of which {1e3 * row['frame_end']:.0f} ms are the rest "
            f"of the frame on the air; {row['overflows']} overflows"
        )
    return "\n".join(lines)


def main():
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--only", choices=("samples", "sync", "payload", "latency"))
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.only == "latency":
        print(json.dumps([latency(rate) for rate in (50e3, 100e3)], indent=1))
        return
    if options.only:
        print(options.only, highest_rate(options.only, options.seconds))
        return
    result = measure(options.seconds)
    print(report(result))
    as_json.save(result, options.json)


if __name__ == "__main__":
    main()
