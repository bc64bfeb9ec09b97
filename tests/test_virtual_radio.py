# SPDX-License-Identifier: GPL-3.0-or-later
"""The SoapySDR driver thzum by itself: streams, time, overflow and underflow, settings, shared media."""

import multiprocessing
import os
import time

import numpy as np
import pmt
import pytest
from flowgraphs import wait_until
from gnuradio import blocks, gr, thzum
from gnuradio.thzum.frame import PilotPlan
from gnuradio.thzum.radio.virtual import completed

SoapySDR = pytest.importorskip("SoapySDR")
if not thzum.soapy_source.is_available():
    pytest.skip("built without SoapySDR", allow_module_level=True)

RX, TX, CF32, CS16 = SoapySDR.SOAPY_SDR_RX, SoapySDR.SOAPY_SDR_TX, "CF32", "CS16"
RATE = 20e3  # slow, so that a busy machine keeps up


def plan_of(n_slots=8):
    return PilotPlan("thz300_aosa4x256", n_slots=n_slots, n_data=64, modulations="qpsk", samples_per_symbol=2)


@pytest.fixture(scope="module")
def plan():
    return plan_of()


@pytest.fixture
def medium():
    return f"test-{os.getpid()}-{time.monotonic_ns()}"


def device(plan, medium, **arguments):
    """The radio; noise is off unless asked for."""
    arguments = {"noise_var": 0} | arguments
    text = f"driver=thzum,medium={medium}," + ",".join(f"{key}={value}" for key, value in arguments.items())
    with completed(text, plan, RATE) as complete:
        return SoapySDR.Device(complete)


def arrived(sinks):
    """How many samples each of the vector sinks has at least."""
    return min(len(sink.data()) for sink in sinks)


def receive(radio, stream, count, chains=4, dtype=np.complex64):
    """``count`` samples or more as (time in samples, [chains, n]) pieces, with None where an overflow was."""
    pieces, got = [], 0
    while got < count:
        buffers = [np.empty(1024 * (2 if dtype == np.int16 else 1), dtype) for _ in range(chains)]
        result = radio.readStream(stream, buffers, 1024, timeoutUs=2_000_000)
        if result.ret == SoapySDR.SOAPY_SDR_OVERFLOW:
            pieces.append(None)
            continue
        assert result.ret > 0 and result.flags & SoapySDR.SOAPY_SDR_HAS_TIME
        step = 2 if dtype == np.int16 else 1
        pieces.append((round(result.timeNs * 1e-9 * RATE), np.array([b[: step * result.ret] for b in buffers])))
        got += result.ret
    return pieces


def rx(radio, *channels, kind=CF32):
    stream = radio.setupStream(RX, kind, list(channels or range(4)))
    radio.activateStream(stream)
    return stream


def tx(radio, *channels, kind=CF32):
    stream = radio.setupStream(TX, kind, list(channels or range(4)))
    radio.activateStream(stream)
    return stream


def send(radio, stream, samples, flags=0, time_ns=0):
    at = 0
    while at < samples.shape[1]:
        result = radio.writeStream(
            stream,
            [np.ascontiguousarray(row[at:]) for row in samples],
            samples.shape[1] - at,
            flags,
            time_ns,
            2_000_000,
        )
        assert result.ret > 0
        at += result.ret
        flags &= ~SoapySDR.SOAPY_SDR_HAS_TIME


def test_what_the_device_is(plan, medium):
    radio = device(plan, medium)
    assert radio.getDriverKey() == "thzum"
    assert radio.getNumChannels(RX) == 4 and radio.getNumChannels(TX) == 4
    assert radio.getSampleRate(RX, 0) == RATE and radio.hasHardwareTime()
    assert set(radio.getStreamFormats(RX, 0)) == {CF32, CS16}
    info = radio.getHardwareInfo()
    assert len(info["beams"].split(";")) == 4 and int(info["frame_length"]) == plan.air_length
    assert {"snr_db", "dead", "overflow"} <= {setting.key for setting in radio.getSettingInfo()}


def test_silence_comes_in_real_time_with_timestamps(plan, medium):
    radio = device(plan, medium)
    stream = rx(radio)
    outer = time.monotonic_ns()
    before = radio.getHardwareTime()
    begin = time.monotonic_ns()
    pieces = receive(radio, stream, 8000)
    nanoseconds = time.monotonic_ns() - begin
    # What waits for a frame's beginning and comes in packets may take a little longer, but never less.
    assert 1e9 * (8000 - plan.air_length) / RATE < nanoseconds
    # Both clocks run alike: the radio's is read within what is measured outside, and outside what is measured within.
    passed = radio.getHardwareTime() - before
    assert nanoseconds - 1e6 < passed < time.monotonic_ns() - outer + 1e6
    times = [at for at, _ in pieces]
    counts = [samples.shape[1] for _, samples in pieces]
    assert times == [times[0] + sum(counts[:i]) for i in range(len(counts))]
    assert not any(samples.any() for _, samples in pieces)
    radio.closeStream(stream)


def test_what_is_sent_arrives_at_its_time_through_the_channel(plan, medium):
    receiver, sender = device(plan, medium), device(plan, medium, room=1 << 18)
    listening, sending = rx(receiver), tx(sender)
    rng = np.random.default_rng(1)
    samples = rng.standard_normal((4, 2, plan.air_length)).astype(np.float32)
    samples = np.ascontiguousarray(samples[:, 0] + 1j * samples[:, 1]).astype(np.complex64)
    now = round(receiver.getHardwareTime() * 1e-9 * RATE)
    at = (now // plan.air_length + 10) * plan.air_length
    send(sender, sending, samples, SoapySDR.SOAPY_SDR_HAS_TIME | SoapySDR.SOAPY_SDR_END_BURST, round(at / RATE * 1e9))
    pieces = [piece for piece in receive(receiver, listening, at - now + 2 * plan.air_length) if piece]
    first = pieces[0][0]
    heard = np.concatenate([part for _, part in pieces], axis=1)[:, at - first :][:, : plan.air_length]
    # The same channel and schedule without a radio.
    from gnuradio.thzum.radio import ChannelChoice, make_setup

    channel = thzum.uplink_channel(make_setup(plan, ChannelChoice(rate=RATE)).channel)
    channel.set_noise_var(0)
    padded = np.concatenate([samples, np.zeros((4, channel.latency), np.complex64)], axis=1)
    wanted = channel.process(padded)[:, channel.latency :]
    assert np.abs(wanted).max() > 1
    np.testing.assert_allclose(heard, wanted, atol=1e-4 * np.abs(wanted).max())
    receiver.closeStream(listening)
    sender.closeStream(sending)


def test_overflow_shows_as_a_jump_in_time(plan, medium):
    radio = device(plan, medium, room=4096)
    stream = rx(radio)
    (first, part), *_ = receive(radio, stream, 1024)
    time.sleep(0.4)  # 8000 samples, of which 2048 may wait
    pieces = receive(radio, stream, 2048)
    assert pieces[0] is None
    gap = pieces[1][0] - (first + part.shape[1])
    assert 4000 < gap
    radio.closeStream(stream)


def test_samples_given_up_on_request(plan, medium):
    radio = device(plan, medium)
    stream = rx(radio)
    (first, part), *_ = receive(radio, stream, 1024)
    radio.writeSetting("overflow", "3000")
    pieces = receive(radio, stream, 1024)
    assert pieces[0] is None and pieces[1][0] == first + part.shape[1] + 3000
    radio.closeStream(stream)


def test_underflow_and_late_bursts_stand_on_the_status_stream(plan, medium):
    radio = device(plan, medium)
    stream = tx(radio)
    assert radio.readStreamStatus(stream, 1000).ret == SoapySDR.SOAPY_SDR_TIMEOUT
    send(radio, stream, np.zeros((4, 1000), np.complex64))
    status = radio.readStreamStatus(stream, 5_000_000)
    assert status.ret == SoapySDR.SOAPY_SDR_UNDERFLOW and status.timeNs > 0
    assert radio.readStreamStatus(stream, 1000).ret == SoapySDR.SOAPY_SDR_TIMEOUT  # once
    send(
        radio, stream, np.zeros((4, 100), np.complex64), SoapySDR.SOAPY_SDR_HAS_TIME | SoapySDR.SOAPY_SDR_END_BURST, 1
    )
    assert radio.readStreamStatus(stream, 100_000).ret == SoapySDR.SOAPY_SDR_TIME_ERROR
    assert radio.readStreamStatus(stream, 500_000).ret == SoapySDR.SOAPY_SDR_TIMEOUT  # a burst that ended
    radio.closeStream(stream)


def test_faults_and_settings(plan, medium):
    radio = device(plan, medium, noise_var=1, noise_seed=5)
    stream = rx(radio)

    def power(count=4096):
        radio.writeSetting("overflow", "1")  # what waits has the settings before
        return np.mean(
            np.abs(np.concatenate([p[1] for p in receive(radio, stream, count) if p], axis=1)) ** 2, axis=1
        )

    # 4096 samples of unit-variance noise: a standard deviation of 1.6 %.
    np.testing.assert_allclose(power(), 1, atol=0.12)
    radio.writeSetting("noise_var", "4")
    np.testing.assert_allclose(power(), 4, atol=0.5)
    radio.writeSetting("snr_db", "0")
    np.testing.assert_allclose(power(), plan.n_users, atol=0.5)
    radio.setGain(RX, 1, -20)
    radio.writeSetting("dead", "2;3")
    found = power()
    assert found[2] == found[3] == 0 and found[1] < 0.06 < 3 < found[0]
    radio.writeSetting("dead", "none")
    assert power()[2] > 3
    radio.writeSetting("drop_samples", "100")
    radio.writeSetting("drop_period", "0.1")
    assert None in receive(radio, stream, 8000)
    for key, value in (("snr_db", "loud"), ("dead", "7"), ("ppm", "3"), ("colour", "red")):
        with pytest.raises(ValueError, match=key):
            radio.writeSetting(key, value)
    radio.closeStream(stream)


def test_tuning_turns_what_is_received(plan, medium):
    radio = device(plan, medium, lead=0.1)
    carrier = radio.getFrequency(RX, 0)
    assert carrier == plan.array.carrier_frequency
    radio.setFrequency(RX, 0, carrier - 1000)
    with pytest.raises(RuntimeError, match="covers"):
        radio.setFrequency(RX, 0, carrier + RATE)
    listening, sending = rx(radio), tx(radio)
    send(radio, sending, np.ones((4, 8 * plan.air_length), np.complex64))
    heard = np.concatenate([p[1] for p in receive(radio, listening, 10 * plan.air_length) if p], axis=1)[0]
    # The longest stretch behind one combiner is that of the data.
    spectrum = np.abs(np.fft.fft(heard, 1 << 16)) ** 2
    assert abs(np.fft.fftfreq(1 << 16, 1 / RATE)[np.argmax(spectrum)] - 1000) < RATE / plan.air_length * 2
    radio.closeStream(listening)
    radio.closeStream(sending)


def test_users_turn_by_offsets_of_their_own(plan, medium):
    radio = device(plan, medium, lead=0.1, user_cfo="100;0;-800;0")
    listening, sending = rx(radio), tx(radio, 2)
    send(radio, sending, np.ones((1, 8 * plan.air_length), np.complex64))
    heard = np.concatenate([p[1] for p in receive(radio, listening, 10 * plan.air_length) if p], axis=1)[0]
    # From sample to sample; one step in 50 goes across a change of the combiner and may be anything.
    step = np.angle(np.sum(heard[1:] * heard[:-1].conj()))
    assert abs(step + 2 * np.pi * 800 / RATE) < 0.04
    radio.closeStream(listening)
    radio.closeStream(sending)


def test_short_integers(plan, medium):
    radio = device(plan, medium, noise_var=0.001, noise_seed=2)
    stream = rx(radio, 2, 0, kind=CS16)
    heard = np.concatenate([p[1] for p in receive(radio, stream, 4096, 2, np.int16) if p], axis=1) / 32768
    np.testing.assert_allclose(2 * np.mean(heard**2, axis=1), 0.001, rtol=0.15)
    radio.closeStream(stream)


@pytest.mark.parametrize(
    "arguments,pattern",
    [
        ({"colour": "red"}, "colour"),
        ({"cfo": "x"}, "cfo: expected a number"),
        ({"dead": "4"}, "dead"),
        ({"room": 5000}, "room: expected a power of two"),
        ({"medium": "a/b"}, "medium"),
        ({"pace": 0}, "pace"),
        ({"setup": "/nowhere"}, "/nowhere"),
        ({"setup": __file__}, "not a radio setup"),
        ({"adc": "maybe"}, "adc"),
        ({"ppm": "1e9"}, "ppm"),
        ({"user_cfo": "1;x;2;3"}, "user_cfo: expected a number"),
        ({"user_cfo": "1;2"}, "user_cfo: .*4 users"),
    ],
)
def test_wrong_arguments_are_named(plan, medium, arguments, pattern):
    with pytest.raises((RuntimeError, ValueError), match=pattern):
        device(plan, **{"medium": medium} | arguments)


def test_a_damaged_setup_is_refused(plan, medium, tmp_path):
    from gnuradio.thzum.radio import make_setup

    path = tmp_path / "setup"
    make_setup(plan).save(str(path))
    whole = path.read_bytes()
    assert thzum.radio_setup.load(str(path)).frame_length == plan.air_length
    rng = np.random.default_rng(0)
    for cut in (0, 10, 100, len(whole) - 1, *rng.integers(0, len(whole), 20)):
        path.write_bytes(whole[: int(cut)])
        with pytest.raises(ValueError, match="setup"):
            thzum.radio_setup.load(str(path))


def test_the_command_draws_the_channel(plan, medium):
    words = f"driver=thzum,medium={medium},n_slots=8,n_data=64,rate={RATE}"
    radio = SoapySDR.Device(words)
    assert radio.getHardwareInfo()["beams"] == device(plan, medium).getHardwareInfo()["beams"]
    with pytest.raises((RuntimeError, ValueError), match="n_slots: expected an integer"):
        SoapySDR.Device(f"driver=thzum,medium={medium},n_slots=many")


def test_both_ends_must_agree(plan, medium):
    one = device(plan, medium)
    stream = rx(one)
    other = plan_of(16)
    for radio, pattern in (
        (device(other, medium), "another pilot plan"),
        (device(plan, medium, pace=0.5), "pace"),
        (device(plan, medium, room=4096), "room"),
    ):
        with pytest.raises(RuntimeError, match=f"in use with.*{pattern}"):
            radio.setupStream(TX, CF32, [0])
    first = device(plan, medium)
    kept = first.setupStream(TX, CF32, [0, 1])
    with pytest.raises(RuntimeError, match="user 1 has a transmitter"):
        device(plan, medium, noise_var=1).setupStream(TX, CF32, [1, 2])
    other_user = device(plan, medium, noise_var=2)
    other_user.closeStream(other_user.setupStream(TX, CF32, [2]))
    first.closeStream(kept)
    one.closeStream(stream)
    assert not [name for name in os.listdir("/dev/shm") if name.endswith(medium)]
    # With nobody left, the medium may be another one.
    radio = device(other, medium)
    radio.closeStream(rx(radio))


def _dies_on_the_medium(medium):
    radio = device(plan_of(), medium)
    stream = tx(radio)
    send(radio, stream, np.ones((4, 4000), np.complex64))
    os._exit(9)


def test_what_a_dead_process_left_is_harmless(medium):
    process = multiprocessing.get_context("spawn").Process(target=_dies_on_the_medium, args=(medium,))
    process.start()
    process.join(60)
    assert process.exitcode == 9
    assert [name for name in os.listdir("/dev/shm") if name.endswith(medium)]
    time.sleep(4000 / RATE + 1.0)
    other = plan_of(16)
    radio = device(other, medium)
    listening, sending = rx(radio), tx(radio)
    assert not any(p[1].any() for p in receive(radio, listening, 4096) if p)
    radio.closeStream(listening)
    radio.closeStream(sending)
    assert not [name for name in os.listdir("/dev/shm") if name.endswith(medium)]


def received_around_a_loss(source, count):
    """Vector sinks and reports of a flowgraph with ``count`` samples before, and behind, the loss of 700 on request."""
    top, sinks = gr.top_block(), [blocks.vector_sink_c() for _ in range(4)]
    reports = blocks.message_debug()
    for chain, sink in enumerate(sinks):
        top.connect((source, chain), sink)
    top.msg_connect(source, "report", reports, "store")
    top.start()
    for lost in (700, 0):
        # Counted where samples arrive: what lies in buffers when a flowgraph is stopped never gets there.
        wanted = arrived(sinks) + count
        wait_until(lambda: arrived(sinks) >= wanted)
        if lost:
            source.set_setting("overflow", lost)
    top.stop()
    top.wait()
    return sinks, reports


def test_gaps_become_not_a_number_in_the_flowgraph(plan, medium):
    source = thzum.receiver_source(f"driver=thzum,medium={medium},noise_var=1", plan, RATE)
    sinks, reports = received_around_a_loss(source, 3000)
    assert source.overflows() == 1 and source.lost_samples() == 700
    count = arrived(sinks)
    samples = np.array([sink.data()[:count] for sink in sinks])
    bad = ~np.isfinite(samples)
    assert bad.sum(axis=1).tolist() == [700] * 4 and (np.diff(np.flatnonzero(bad[0])) == 1).all()
    tags = {pmt.symbol_to_string(tag.key): tag for tag in sinks[2].tags()}
    assert tags["thzum_lost"].offset == np.flatnonzero(bad[0])[0] and pmt.to_python(tags["thzum_lost"].value) == 700
    assert tags["rx_time"].offset == np.flatnonzero(bad[0])[-1] + 1
    assert pmt.to_python(reports.get_message(0))["lost_samples"] == 700


def overflows_after_one(medium, plan):
    """How many overflows a flowgraph sees that is made to have one, on a device that holds 0.2 s."""
    source = thzum.receiver_source(f"driver=thzum,medium={medium},room=4096", plan, RATE)
    received_around_a_loss(source, 8000)
    return source.overflows()


def test_an_overflow_is_not_followed_by_others(plan, medium):
    # A machine that is busy with other things may add some, but not each time.
    assert any(overflows_after_one(f"{medium}-{attempt}", plan) == 1 for attempt in range(4))
