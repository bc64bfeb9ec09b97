# SPDX-License-Identifier: GPL-3.0-or-later
"""thzum-rx on the virtual radio and on a feed from another flowgraph, while both run."""

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
from gnuradio import blocks, gr, thzum, zeromq

from gnuradio.thzum import rx
from gnuradio.thzum.frame import ldpc_file
from gnuradio.thzum.frame.plan_file import load_plan
from gnuradio.thzum.frame.recording import Recording
from gnuradio.thzum.recording_source import recording_source

#: Most that a run may take on a machine that is busy with other things; it ends with the frames.
SECONDS = "90"


@contextlib.contextmanager
def running(graph):
    graph.start()
    try:
        yield
    finally:
        graph.stop()
        graph.wait()


@pytest.mark.skipif(not thzum.soapy_source.is_available(), reason="built without SoapySDR")
def test_frames_of_the_virtual_radio(tmp_path, capsys):
    path = tmp_path / "plan.yaml"
    path.write_text(
        "{array: thz300_aosa4x256, n_slots: 48, n_users: 4, n_data: 704, modulations: [qpsk], samples_per_symbol: 2}"
    )
    plan, address, rate = load_plan(path), "driver=thzum,medium=test-rx,seed=3", 50e3
    transmitter = gr.top_block()
    source = thzum.uplink_frame_source(plan.air, thzum.payload_code(plan.n_data, "qpsk", ldpc_file()))
    sink = thzum.transmitter_sink(address, plan, rate)
    for user in range(plan.n_users):
        transmitter.connect((source, user), (sink, user))
    arguments = ["--source", address, "--plan", str(path), "--sample-rate", str(rate), "--payload", "qpsk"]
    with running(transmitter):
        status = rx.main([*arguments, "--no-gui", "--json", "--frames", "4", "--seconds", SECONDS])
    found = json.loads(capsys.readouterr().out)
    # Data beams come from the radio itself: with those of row 0 no payload would arrive.
    assert status == 0 and found["frames"] >= 4 and found["overflows"] is not None
    assert found["payloads"] >= 4 and found["predicted_nmse_db"] < -15


def test_a_feed_by_zeromq(tmp_path, capsys):
    """Samples come, of frames without the preamble that the plan has: none is found, and that is told."""
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(dict(array="thz300_aosa4x256", n_slots=48, n_data=704, samples_per_symbol=2)))
    feeding = gr.top_block()
    push = zeromq.push_sink(gr.sizeof_gr_complex, 4, "tcp://127.0.0.1:*")
    source = recording_source(repeat=True)
    vectors = blocks.streams_to_vector(gr.sizeof_gr_complex, 4)
    for chain in range(4):
        feeding.connect((source, chain), (vectors, chain))
    feeding.connect(vectors, push)
    address = push.last_endpoint().rstrip("\0")
    with running(feeding):
        status = rx.main(["--source", address, "--plan", str(path), "--no-gui", "--json", "--seconds", "1.5"])
    out, err = capsys.readouterr()
    assert status == 1 and "no frame came" in err
    found = json.loads(out)
    assert found["frames"] == 0 and found["overflows"] is None and found["seconds"] < 60


# Sends the shipped recording with its tags, from a process of its own.
TAGGED_SENDER = """
import sys
from gnuradio import blocks, gr, zeromq
from gnuradio.thzum.recording_source import recording_source
top, source, vectors = gr.top_block(), recording_source(), blocks.streams_to_vector(gr.sizeof_gr_complex, 4)
sink = zeromq.push_sink(gr.sizeof_gr_complex, 4, "tcp://127.0.0.1:*", pass_tags=True)
for chain in range(4):
    top.connect((source, chain), (vectors, chain))
top.connect(vectors, sink)
print(sink.last_endpoint().rstrip("\\0"), flush=True)
top.run()
sys.stdin.readline()
"""


@contextlib.contextmanager
def tagged_feed():
    """Address of a process that sends the shipped recording with its tags."""
    sender = subprocess.Popen(
        [sys.executable, "-c", TAGGED_SENDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield sender.stdout.readline().strip()
    finally:
        sender.kill()
        sender.wait()


def test_a_feed_with_tags_carries_a_recording(tmp_path, capsys):
    """Samples, frame numbers, users and beams of the shipped recording, as they went out of another process."""
    shipped, copy = Recording(), tmp_path / "copy"
    arguments = ["--plan", str(shipped.path), "--estimator", "ls", "--record", str(copy), "--frames", "64"]
    with tagged_feed() as address:
        arguments += ["--source", address + "?tags", "--no-gui", "--json", "--seconds", SECONDS]
        status = rx.main(arguments)
    found = json.loads(capsys.readouterr().out)
    assert status == 0 and (found["frames"], found["lost_frames"]) == (64, 0)
    assert found["estimates"] == sum(len(frame.users) for frame in shipped.frames)
    again = Recording(copy)
    end = again.n_samples
    np.testing.assert_array_equal(again.samples(0, end), shipped.samples(0, end))
    for ours, theirs in zip(again.frames, shipped.frames):
        assert (ours.frame, ours.start, ours.users, ours.beams) == (
            theirs.frame, theirs.start, theirs.users, theirs.beams
        )
    assert len(again.frames) >= 63  # samples behind the last frame may still have been on their way


def test_a_plan_without_preamble_needs_tags(capsys):
    arguments = ["--plan", str(Recording().path), "--no-gui"]
    for address, hint in (("tcp://127.0.0.1:5555", "?tags"), ("driver=nosuchradio", "samples_per_symbol")):
        assert rx.main(["--source", address, *arguments]) == 2
        assert hint in capsys.readouterr().err


def test_a_device_that_does_not_answer_is_one_line(tmp_path, capsys):
    path = tmp_path / "plan.yaml"
    path.write_text("{array: thz300_aosa4x256, n_slots: 48, samples_per_symbol: 2}")
    assert rx.main(["--source", "driver=nosuchradio", "--plan", str(path), "--no-gui"]) == 2
    assert len([line for line in capsys.readouterr().err.splitlines() if line.startswith("thzum-rx:")]) == 1


def test_headless_receiver_needs_no_qt():
    program = """
import sys
sys.modules["PyQt5"] = None
from gnuradio.thzum.rx import main
sys.exit(main(["--no-gui", "--frames", "1", "--estimator", "ls"]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
