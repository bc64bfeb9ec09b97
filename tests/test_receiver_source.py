# SPDX-License-Identifier: GPL-3.0-or-later
"""One receiver for every source: a radio, a feed by ZeroMQ and a SigMF recording give the same payloads."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
from flowgraphs import wait_until
from gnuradio import blocks, gr, thzum
from gnuradio.thzum.frame import PilotPlan
from gnuradio.thzum.frame.recording import plan_to_metadata
from gnuradio.thzum.radio.address import device_arguments, join_arguments, parse_address
from gnuradio.thzum.radio.plan_identity import plan_differences, plan_fingerprint

FRAMES = 6
RATE = 50e3

# Sends a file of samples of 4 chains as vectors, from a process of its own.
SENDER = """
import sys, time
from gnuradio import blocks, gr, zeromq
top = gr.top_block()
source = blocks.file_source(gr.sizeof_gr_complex * 4, sys.argv[1])
kind = getattr(zeromq, sys.argv[3] + "_sink")
sink = kind(gr.sizeof_gr_complex, 4, sys.argv[2], 2000)
print(sink.last_endpoint(), flush=True)
sys.stdin.readline()
top.connect(source, sink)
top.run()
time.sleep(2)
"""


@pytest.fixture(scope="module")
def ends(root):
    sys.path.insert(0, str(root / "bench"))
    import radio_ends

    yield radio_ends
    sys.path.remove(str(root / "bench"))


@pytest.fixture(scope="module")
def plan(ends):
    return ends.short_plan()


@pytest.fixture(scope="module")
def air(ends, plan):
    """Samples complex64 [n, S] of six frames behind the channel, and the beams."""
    import air_errors
    from gnuradio.thzum.radio import ChannelChoice, make_setup

    setup = make_setup(plan, ChannelChoice(seed=3, rate=RATE))
    channel = thzum.uplink_channel(setup.channel)
    x = air_errors.sent_samples(plan, FRAMES)
    silence = np.zeros((plan.n_users, 3000), np.complex64)
    return np.ascontiguousarray(channel.process(np.concatenate([x, silence], axis=1)).T), list(setup.beams)


@pytest.fixture
def recording(air, plan, tmp_path):
    def write(name="day", **changes):
        fields = {
            "core:datatype": "cf32_le",
            "core:num_channels": 4,
            "core:sample_rate": RATE,
            "core:version": "1.0.0",
            "thzum:plan": plan_to_metadata(plan, "thz300_aosa4x256"),
        } | changes
        meta = {"global": {k: v for k, v in fields.items() if v is not None}, "captures": [], "annotations": []}
        (tmp_path / f"{name}.sigmf-meta").write_text(json.dumps(meta))
        air[0].tofile(tmp_path / f"{name}.sigmf-data")
        return str(tmp_path / f"{name}.sigmf-meta")

    return write


def received(ends, source, plan, beams, wanted=FRAMES, time_limit=60):
    """What the receiver counts, when it has all frames or the stream ends."""
    graph = ends.receiver(source, plan, beams)
    graph.start()
    deadline = time.monotonic() + time_limit
    while time.monotonic() < deadline and min(user["good"] for user in graph.check.users) < wanted:
        time.sleep(0.05)
    graph.stop()
    graph.wait()
    return graph.result()


def test_a_recording(ends, plan, air, recording):
    source = thzum.receiver_source(recording(), plan, RATE)
    assert source.kind == "recording" and source.sample_rate == RATE and source.beams == []
    result = received(ends, source, plan, air[1])
    assert [user["good"] for user in result["good"]] == [FRAMES] * 4 and result["wrong"] == 0


@pytest.mark.parametrize("pattern", ["push", "pub"])
def test_a_feed_from_another_process(ends, plan, air, tmp_path, pattern):
    pytest.importorskip("gnuradio.zeromq")
    path = tmp_path / "samples"
    air[0].tofile(path)
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDER, str(path), "tcp://127.0.0.1:*", pattern],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = sender.stdout.readline().strip()
        source = thzum.receiver_source(address + ("?sub" if pattern == "pub" else ""), plan, RATE)
        assert source.kind == "zmq"
        sinks, top = [blocks.vector_sink_c() for _ in range(4)], gr.top_block()
        for chain, sink in enumerate(sinks):
            top.connect((source, chain), sink)
        top.start()
        time.sleep(1.0)  # a subscriber hears what is sent from then on
        sender.stdin.write("go\n")
        sender.stdin.flush()
        wait_until(lambda: len(sinks[3].data()) >= len(air[0]))
        top.stop()
        top.wait()
    finally:
        sender.kill()
        sender.wait()
    np.testing.assert_array_equal(np.array([sink.data() for sink in sinks], np.complex64).T, air[0])


@pytest.mark.skipif(not thzum.soapy_source.is_available(), reason="built without SoapySDR")
def test_the_virtual_radio_in_one_process(ends, plan, tmp_path):
    address = f"driver=thzum,medium=source-{time.monotonic_ns()},seed=3"
    source = thzum.receiver_source(address, plan, RATE)
    assert source.kind == "soapy" and len(source.beams) == 4
    graph = ends.receiver(source, plan, source.beams)
    graph.start()
    transmitter = ends.transmitter(address, plan, RATE, 20)
    transmitter.start()
    transmitter.wait()
    wait_until(lambda: min(user["good"] for user in graph.check.users) >= 10, state=graph.result)
    graph.stop()
    graph.wait()
    result = graph.result()
    assert result["wrong"] == 0, result


def test_a_recording_has_to_fit(plan, recording):
    other = PilotPlan("thz300_aosa4x256", n_slots=32, n_data=704, modulations="qpsk", samples_per_symbol=2)
    for make, pattern in (
        (lambda: thzum.receiver_source(recording(), other), "another plan: n_slots 32 and 48"),
        (lambda: thzum.receiver_source(recording(), plan, 2 * RATE), "sample_rate.*50000 Hz, got 100000"),
        (
            lambda: thzum.receiver_source(recording("two", **{"core:num_channels": 2}), plan),
            "2 RF chains, expected 4",
        ),
        (lambda: thzum.receiver_source(recording("odd", **{"core:datatype": "rf64_be"}), plan), "rf64_be"),
    ):
        with pytest.raises(ValueError, match=pattern):
            make()
    with pytest.raises(FileNotFoundError, match="nowhere"):
        thzum.receiver_source("nowhere", plan)
    # Recorded by others, without a plan or a rate.
    assert (
        thzum.receiver_source(
            recording("bare", **{"thzum:plan": None, "core:sample_rate": 0}), plan, RATE
        ).sample_rate
        == RATE
    )


@pytest.mark.parametrize(
    "address,pattern",
    [
        ("tcp://host", "expected"),
        ("tcp://:5555", "expected"),
        ("tcp://host:0", "port"),
        ("tcp://host:99999", "port"),
        ("tcp://a b:5555", "expected"),
        ("udp://host:5555", "expected"),
        ("ipc://", "expected"),
        ("tcp://127.0.0.1:5555?loud", "loud"),
        ("medium=room", "driver=NAME"),
        ("driver=", "driver=NAME"),
        ("driver=thzum,medium", "key=value"),
        ("driver=thzum,driver=uhd", "twice"),
        (None, "address"),
        (7, "address"),
        ("driver=nowhere", "no SoapySDR driver of that name|without SoapySDR"),
        ("driver=thzum,colour=red", "colour"),
        ("driver=thzum,seed=many", "seed: expected an integer"),
        ("driver=thzum,preset=nowhere", "nowhere"),
        ("driver=thzum,beams=1;2", "beams"),
        ("driver=thzum,medium=a b", "medium"),
        ("driver=thzum,config=nowhere.yaml", "nowhere.yaml"),
        ("driver=thzum,packet=0", "packet"),
    ],
)
def test_damaged_addresses_get_one_line(plan, address, pattern):
    with pytest.raises((ValueError, OSError), match=pattern) as caught:
        thzum.receiver_source(address, plan, RATE)
    assert "\n" not in str(caught.value)


def test_other_arguments_are_checked(plan, recording):
    for arguments, pattern in (
        (dict(sample_rate=-1.0), "sample_rate"),
        (dict(sample_rate=np.nan), "sample_rate"),
    ):
        with pytest.raises(ValueError, match=pattern):
            thzum.receiver_source(recording(), plan, **arguments)
    source = thzum.receiver_source(recording(), plan)
    with pytest.raises(ValueError, match="only a device"):
        source.set_setting("snr_db", 3)
    source.set_frequency(1e9)  # has none
    source.set_gain(3)
    with pytest.raises(ValueError, match="device that sends"):
        thzum.transmitter_sink("tcp://127.0.0.1:5555", plan, RATE)
    flat = PilotPlan("thz300_aosa4x256", n_slots=8)
    with pytest.raises(ValueError, match="samples_per_symbol"):
        thzum.receiver_source("driver=thzum", flat, RATE)


def test_addresses_taken_apart():
    assert parse_address("zmq+tcp://host:5555?bind&sub").options == {"pattern": "sub", "bind": True, "tags": False}
    assert parse_address("ipc:///tmp/feed?tags").options == {"pattern": "pull", "bind": False, "tags": True}
    assert parse_address("tcp://[::1]:5555").target == "tcp://[::1]:5555"
    assert parse_address(" driver=uhd,addr=1.2.3.4").kind == "soapy"
    assert parse_address("./a=b.sigmf-meta").kind == "recording"
    arguments = device_arguments("driver=thzum, medium = room,")
    assert arguments == {"driver": "thzum", "medium": "room"}
    assert join_arguments(arguments) == "driver=thzum,medium=room"
    with pytest.raises(ValueError, match="commas"):
        join_arguments({"a": "1,2"})


def test_plans_are_told_apart():
    def make(**changes):
        settings = dict(n_slots=16, n_data=64, modulations="qpsk", samples_per_symbol=2) | changes
        return PilotPlan("thz300_aosa4x256", **settings)

    same = make()
    assert plan_differences(make(), same) == [] and plan_fingerprint(make()) == plan_fingerprint(same)
    for changes in (dict(n_slots=17), dict(seed=2), dict(n_data=128), dict(air=dict(guard=6)), dict(n_noise=32)):
        assert len(plan_differences(make(), make(**changes))) >= 1, changes
        assert plan_fingerprint(make()) != plan_fingerprint(make(**changes)), changes


def test_channels_of_presets_and_configurations(root, plan):
    from gnuradio.thzum.radio import ChannelChoice, make_setup

    # The same draw at both ends, and another one with another seed.
    one, same, other = (make_setup(plan, ChannelChoice(seed=seed)) for seed in (1, 1, 2))
    x = np.ones((plan.n_users, 500), np.complex64)
    heard = [thzum.uplink_channel(setup.channel).process(x) for setup in (one, same, other)]
    np.testing.assert_array_equal(heard[0], heard[1])
    assert np.abs(heard[0] - heard[2]).max() > 0.1
    config = make_setup(plan, ChannelChoice(config=str(root / "examples" / "channel.yaml"), realisations=2, coherence=1.0))
    assert config.channel.n_realisations == 2 and config.channel.n_users == plan.n_users
    assert config.frame_length == plan.air_length and config.plan == plan_fingerprint(plan)
    # 24 users before 32 subarrays at 140 GHz have the preset of their array.
    many = PilotPlan("thz140_aosa32x64", 8, n_users=24, n_data=64, modulations="qpsk", samples_per_symbol=2)
    setup = make_setup(many)
    assert setup.carrier_frequency == many.array.carrier_frequency and len(setup.beams) == 32
    for choice, pattern in (
        (ChannelChoice(preset="a", config="b"), "either a preset or a config"),
        (ChannelChoice(realisations=0), "realisations"),
        (ChannelChoice(coherence=-1.0), "coherence"),
        (ChannelChoice(rate=0.0), "rate"),
        (ChannelChoice(beams=(1, 2)), "beams"),
    ):
        with pytest.raises(ValueError, match=pattern):
            make_setup(plan, choice)
