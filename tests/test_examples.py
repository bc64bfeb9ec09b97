# SPDX-License-Identifier: GPL-3.0-or-later
"""Every example flowgraph is compiled by grcc, run, stopped, and its results are checked."""

import os
import re
import subprocess
import sys

import numpy as np
import pmt
import pytest

from gnuradio import blocks

from flowgraphs import EXAMPLES, ROOT, TIME_LIMIT, top_block, wait_until
from gnuradio.thzum import metrics
from gnuradio.thzum.frame.recording import Recording

#: NMSE in dB that FPN-OAMP must keep on the recording, and symbol error rates, by SNR in dB; 2 dB and a few
#: errors from what the shipped model reaches.
NMSE_LIMITS = {5.0: -14.5, 10.0: -18.5, 15.0: -21.5, 20.0: -24.5}
SYMBOL_ERROR_LIMITS = {5.0: 0.005, 10.0: 0.002, 15.0: 0.002, 20.0: 0.002}

# Runs a generated program as it stands, and asks it to end as Ctrl-C or a service manager would.
RUN_AND_TERMINATE = """
import importlib.util, os, signal, sys
path, name = sys.argv[1:]
del sys.argv[1:]
spec = importlib.util.spec_from_file_location("example", path)
example = importlib.util.module_from_spec(spec)
spec.loader.exec_module(example)
base = getattr(example, name)

class shown(base):
    def show(self):
        super().show()
        example.Qt.QTimer.singleShot(1500, lambda: os.kill(os.getpid(), signal.SIGTERM))

example.main(shown)
"""

# Prints the size with which a program opens its window.
PRINT_SIZE = RUN_AND_TERMINATE.replace("super().show()", "super().show(); print('size', self.width(), self.height())")


def items(sink, vlen, dtype=np.complex64):
    return np.array(sink.data(), dtype).reshape(-1, vlen)


def tag_values(sink, key):
    """{item: value} of the tags ``key`` that a vector sink saw."""
    tags = [tag for tag in sink.tags() if pmt.symbol_to_string(tag.key) == key]
    return {tag.offset: pmt.to_python(tag.value) for tag in tags}


def test_windows_open_at_a_useful_size(compiled, tmp_path):
    with_windows = [example for example in EXAMPLES if "generate_options: qt_gui" in example.read_text()]
    assert len(with_windows) >= 10
    assert all("name: first_size" in example.read_text() for example in with_windows)
    # As for a user who has never opened it: GNU Radio's own first size is some 550 x 400, with scroll bars.
    done = subprocess.run(
        [sys.executable, "-c", PRINT_SIZE, str(compiled("lesson1_one_path")), "lesson1_one_path"],
        env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}, capture_output=True, text=True, timeout=TIME_LIMIT,
    )
    assert "size 1000 800" in done.stdout, done.stdout + done.stderr


def test_there_are_examples_and_each_is_described():
    assert {"estimate_recording", "unrolled_oamp", "compare_estimators"} <= {e.stem for e in EXAMPLES}
    described = (ROOT / "README.md").read_text()
    for example in EXAMPLES:
        assert example.relative_to(ROOT).as_posix() in described
        assert "id: note" in example.read_text(), f"{example.name} explains nothing"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_suit_every_release_of_gnuradio(example):
    # fec.ldpc_decoder.make takes other arguments from 3.10.12 on; thzum.frame.ldpc_decoder knows both.
    assert "fec.ldpc_decoder" not in example.read_text()


@pytest.mark.parametrize("name", [example.stem for example in EXAMPLES])
def test_example_compiles_runs_and_ends(compiled, tmp_path, name):
    path = compiled(name)
    if "Qt." in path.read_text():
        command = [sys.executable, "-c", RUN_AND_TERMINATE, str(path), name]
    else:
        command = [sys.executable, str(path)]
    # Another working folder, because a recording or a model must not depend on it.
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=TIME_LIMIT)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    results = {"uplink_frames": r"\d+ of \d+ bytes", "combiner_control": r"\d+ of \d+ frames right"}
    silent = ("compare_estimators", "impairments", "virtual_radio_tx", "virtual_radio_rx")
    assert re.search(results.get(name, r"-?\d+(\.\d)? dB"), done.stdout) or name in silent


def test_recording_is_received_to_the_last_frame(compiled, qt):
    graph = top_block(compiled("estimate_recording"))()
    graph.set_sample_rate(1e8)
    recording = Recording()
    plan, n_frames = recording.plan, len(recording.frames)
    h_hat = blocks.vector_sink_c(plan.n_antennas)
    graph.connect((graph.channel_estimator, 0), h_hat)
    symbols = [blocks.vector_sink_i(plan.n_users) for _ in plan.data_sections]
    for detector, sink in zip((graph.detector_qpsk, graph.detector_16qam), symbols):
        graph.connect((detector, 0), sink)
    graph.start()
    graph.wait()

    received = tag_values(h_hat, "thzum_frame")
    numbers = [received[k * plan.n_users] for k in range(n_frames)]
    assert numbers == [frame.frame for frame in recording.frames]
    estimates = items(h_hat, plan.n_antennas).reshape(n_frames, plan.n_users, -1)
    decided = np.concatenate(
        [items(sink, plan.n_users, int).reshape(n_frames, -1, plan.n_users) for sink in symbols], axis=1
    )
    nmse, errors = {}, {}
    for k, frame in enumerate(recording.frames):
        truth, users = recording.truth.channels(frame.frame), list(frame.users)
        absent = [user for user in range(plan.n_users) if user not in users]
        assert not estimates[k, absent].any() and (decided[k][:, absent] == -1).all()
        nmse.setdefault(frame.snr_db, []).extend(metrics.nmse(estimates[k, users], truth[users]))
        wrong = decided[k].T[users] != recording.truth.symbols(frame.frame)[users]
        errors.setdefault(frame.snr_db, []).append(wrong.mean())

    nmse_db = {snr: 10 * np.log10(np.mean(values)) for snr, values in nmse.items()}
    assert sum(len(values) for values in nmse.values()) == graph.nmse.count() == 160
    assert abs(graph.nmse.nmse_db() - 10 * np.log10(np.mean(sum(nmse.values(), [])))) < 0.01
    for snr_db, limit in NMSE_LIMITS.items():
        assert nmse_db[snr_db] < limit, nmse_db
    for snr_db, limit in SYMBOL_ERROR_LIMITS.items():
        assert np.mean(errors[snr_db]) < limit, {snr: np.mean(values) for snr, values in errors.items()}
    assert graph.ser_qpsk.count() == graph.ser_16qam.count() == 160 * plan.n_data // 2
    assert graph.ser_qpsk.ser() <= graph.ser_16qam.ser() < 0.005


def test_estimator_is_switched_while_the_recording_runs(compiled, qt):
    graph = top_block(compiled("estimate_recording"))()
    graph.set_sample_rate(1e8)
    graph.set_estimator("ls")
    assert graph.channel_estimator.algorithm() == "ls"
    graph.start()
    graph.set_estimator("oamp")
    graph.wait()
    assert graph.channel_estimator.algorithm() == "oamp"
    assert graph.nmse.count() == 160


def test_every_display_shows_the_recording(compiled, qt):
    graph = top_block(compiled("receiver_display"))()
    graph.set_sample_rate(1e6)
    graph.start()
    try:
        wait_until(lambda: graph.nmse.count() >= 16 and graph.paths.paths(), qt)
        wait_until(lambda: max(levels.max() for levels in graph.spectra.levels().values()) == 255, qt)
        series = {name: pairs[1] for name, pairs in graph.history.series().items()}
        assert len(series["nmse_db"]) >= 8 and -45 < np.median(series["nmse_db"]) < -10
        assert len(series["detection_us"]) > 0 and graph.constellations.counts().sum() > 500
        graph.set_estimator("ls")
        graph.set_detector("mf")
        assert graph.channel_estimator.algorithm() == "ls" and graph.detector_16qam.algorithm() == "mf"
    finally:
        graph.stop()
        graph.wait()


def test_unrolled_chain_equals_the_estimator(compiled):
    graph = top_block(compiled("unrolled_oamp"))()
    graph.start()
    graph.wait()
    # 1e-4 of the amplitude is -80 dB.
    assert graph.difference.count() == graph.n_channels
    assert graph.difference.nmse_db() < -80
    by_stage = [probe.nmse_db() for probe in (graph.nmse_1, graph.nmse_2, graph.nmse_3)]
    assert by_stage[0] > by_stage[1] > by_stage[2], by_stage


def test_comparison_without_display_ranks_the_estimators(compiled):
    graph = top_block(compiled("compare_estimators_headless"))()
    graph.start()
    graph.wait()
    nmse = {name: getattr(graph, f"nmse_{name}").nmse_db() for name in ("ls", "omp", "oamp", "fpn_oamp")}
    assert graph.nmse_ls.count() == graph.n_channels
    assert nmse["fpn_oamp"] < nmse["oamp"] - 8 < nmse["ls"] - 12, nmse
    assert nmse["fpn_oamp"] < nmse["omp"] - 2 < nmse["ls"] - 12, nmse


def test_users_are_estimated_through_the_uplink_channel(compiled):
    graph = top_block(compiled("uplink_channel"))()
    graph.start()
    graph.wait()
    assert graph.nmse_ls.count() == graph.nmse_fpn_oamp.count() == graph.n_frames * graph.plan.n_users
    assert graph.receiver.lost_frames() == 0 and graph.uplink.bad_samples() == 0
    # Least squares of half as many pilots as antennas leaves about half the energy.
    assert -3.5 < graph.nmse_ls.nmse_db() < -2
    assert graph.nmse_fpn_oamp.nmse_db() < -16.5


def test_code_words_of_24_users_arrive(compiled):
    graph = top_block(compiled("uplink_24users"))()
    graph.start()
    graph.wait()
    assert graph.receiver.lost_frames() == 0 and graph.detector.skipped() == 0
    assert graph.frame_errors.count() == graph.raw_errors.count() == graph.n_frames * 24 == 384
    # A fiftieth of the bits is wrong before decoding, and in hardly any code word, if any, after it.
    assert 0.01 < graph.raw_errors.ber() < 0.04
    assert graph.raw_errors.block_errors() > 100
    assert graph.frame_errors.block_errors() <= 4, graph.frame_errors.user_bler()


def test_subcarriers_are_better_estimated_together(compiled):
    graph = top_block(compiled("wideband"))()
    graph.start()
    graph.wait()
    assert graph.nmse_together.count() == graph.n_channels
    assert graph.nmse_alone.count() == graph.n_channels * graph.n_subcarriers
    assert graph.nmse_together.nmse_db() < graph.nmse_alone.nmse_db() - 2 < -20


def test_detectors_are_ranked_without_display(compiled):
    graph = top_block(compiled("detector_compare_headless"))()
    graph.start()
    graph.wait()
    ser = {name: getattr(graph, f"ser_{name}").ser() for name in ("lmmse", "amp", "oamp", "ep", "k_best", "choice")}
    assert graph.ser_ep.count() == graph.n_vectors * graph.users
    # 32x24 QPSK at 10 dB, as the tables of docs/detection.md have it; about 60 errors of ep decide.
    assert 2.4e-2 < ser["lmmse"] < 3.2e-2 and 1.3e-3 < ser["amp"] < 3e-3, ser
    assert 3e-4 < ser["ep"] < 1.1e-3 and ser["k_best"] < 1.3 * ser["ep"] < ser["amp"], ser
    assert ser["choice"] < ser["amp"], ser


def test_detector_comparison_follows_its_widgets(compiled, qt):
    graph = top_block(compiled("detector_compare"))()
    graph.set_vectors_per_second(100_000)
    graph.start()
    try:
        quiet = late_ser(graph, qt)
        graph.set_snr_db(4)
        graph.set_choice("mf")
        noisy = late_ser(graph, qt)
        assert graph.detector_choice.algorithm() == "mf"
        assert quiet["lmmse"] < 0.05 < 0.1 < noisy["lmmse"] < noisy["choice"]
        graph.set_users(8)
        few = late_ser(graph, qt)
        assert few["lmmse"] < noisy["lmmse"] / 2
        graph.set_modulation("64qam")
        graph.set_snr_db(10)
        dense = late_ser(graph, qt)
        assert graph.detector_ep.constellation() == "64qam"
        assert few["ep"] < 0.1 < dense["ep"] < 0.9
    finally:
        graph.stop()
        graph.wait()


def late_ser(graph, qt, vectors=600):
    """Symbol error rates over ``vectors`` from now on, when what was waiting in buffers is through."""
    probes = {name: getattr(graph, f"ser_{name}") for name in ("lmmse", "ep", "choice")}
    for count in (1200, vectors):
        for probe in probes.values():
            probe.reset()
        end = graph.detector_k_best.detected() + count
        wait_until(lambda: graph.detector_k_best.detected() >= end, qt)
    return {name: probe.ser() for name, probe in probes.items()}


def test_bytes_arrive_over_the_air(compiled):
    graph = top_block(compiled("uplink_frames"))()
    graph.start()
    graph.wait()
    got = [b""] * graph.plan.n_users
    for i in range(graph.pdus.num_messages()):
        meta, content = pmt.car(graph.pdus.get_message(i)), pmt.cdr(graph.pdus.get_message(i))
        got[pmt.to_long(pmt.dict_ref(meta, pmt.intern("user"), pmt.PMT_NIL))] += bytes(pmt.u8vector_elements(content))
    assert got == [bytes(content) for content in graph.sent]
    assert graph.sync.frames() == graph.n_frames and graph.sync.lost_frames() == 0


def payloads_right(graph):
    """Of each user, how many frames brought the bytes that were sent in them."""
    size = len(graph.sent[0]) // graph.n_frames
    right = [0] * graph.plan.n_users
    for i in range(graph.pdus.num_messages()):
        meta, content = pmt.car(graph.pdus.get_message(i)), pmt.cdr(graph.pdus.get_message(i))
        user, frame = (pmt.to_long(pmt.dict_ref(meta, pmt.intern(key), pmt.PMT_NIL)) for key in ("user", "frame"))
        right[user] += bytes(pmt.u8vector_elements(content)) == bytes(graph.sent[user][frame * size : (frame + 1) * size])
    return right


@pytest.mark.parametrize("follow", [True, False])
def test_combiners_come_into_step_with_the_users(compiled, follow):
    graph = top_block(compiled("combiner_control"))()
    assert graph.uplink_latency == graph.uplink.latency()
    graph.control.set_follow(follow)
    graph.start()
    graph.wait()
    assert graph.control.moves() == follow
    if follow:
        assert graph.sync.frames() == graph.n_frames
        # Behind the message pass the samples that lay in buffers: three frames; the first is out of step anyway.
        assert min(payloads_right(graph)) >= graph.n_frames - 4
    else:
        assert max(payloads_right(graph)) == 0


def test_two_flowgraphs_meet_on_the_virtual_radio(compiled):
    programs = [str(compiled(f"virtual_radio_{end}")) for end in ("rx", "tx")]
    receiver, transmitter = (
        subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for path in programs
    )
    sent, sent_errors = transmitter.communicate(timeout=TIME_LIMIT)
    received, errors = receiver.communicate(timeout=TIME_LIMIT)
    assert transmitter.returncode == receiver.returncode == 0, sent_errors + errors
    # Whichever starts first, and however busy the machine is, some frames meet; none is wrong.
    payloads = [int(count) for count in re.findall(r"user \d: (\d+) payloads", received)]
    assert len(payloads) == 4 and min(payloads) > 10, received + errors


def test_sliders_act_on_the_running_comparison(compiled, qt):
    graph = top_block(compiled("compare_estimators"))()
    graph.set_channels_per_second(100_000)
    qt.processEvents()
    graph.set_snr_db(25)
    graph.set_depth(1)
    assert graph.channel.snr_db() == 25
    assert "max_iterations=1" in graph.fpn_oamp.settings().replace(" ", "")
    graph.start()
    try:
        shallow = settled(graph, qt)
        graph.set_depth(15)
        assert settled(graph, qt) < shallow - 1
        graph.spectra.refresh()
        levels = graph.spectra.levels()
        assert len(levels) == 2 * 5
        # The estimate looks like the channel: most of the brightest directions are the same.
        bright = {column: np.stack([levels[row, column] > 200 for row in (0, 1)]) for column in (0, 4)}
        assert (bright[0] & bright[4]).sum() > 0.7 * bright[0].sum() > 0
    finally:
        graph.stop()
        graph.wait()


def settled(graph, qt, count=24):
    """NMSE of FPN-OAMP in dB over ``count`` channels from now on."""
    begin = graph.fpn_oamp.estimates()
    wait_until(lambda: graph.fpn_oamp.estimates() >= begin + 16, qt)  # what was waiting in buffers
    graph.nmse_fpn_oamp.reset()
    wait_until(lambda: graph.nmse_fpn_oamp.count() >= count, qt)
    return graph.nmse_fpn_oamp.nmse_db()


def test_impairments_follow_their_sliders(compiled, qt):
    graph = top_block(compiled("impairments"))()
    sink = blocks.vector_sink_c()
    graph.connect((graph.hardware, 0), sink)
    quiet = {"offset_hz": 0, "floor_db": -60, "backoff_db": 20, "iq_phase_deg": 0, "noise_db": -60}
    for name, value in quiet.items():
        getattr(graph, f"set_{name}")(value)
    graph.start()
    for bits, levels in ((1, 2), (3, 8)):
        graph.set_adc_bits(bits)
        settled = len(sink.data()) + 60_000  # more than buffers hold
        wait_until(lambda: len(sink.data()) >= settled + 1000)
        received = np.array(sink.data())[settled:]
        # No more levels than the converter has: two of them at one bit, four of eight by a 16-QAM grid at three.
        assert 2 <= len(np.unique(received.real.round(4))) <= levels
        assert graph.hardware.options()["adc_bits"] == bits
    graph.stop()
    graph.wait()
