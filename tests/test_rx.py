# SPDX-License-Identifier: GPL-3.0-or-later
"""thzum-rx from its command line: table, summary, window, recording, interrupts, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from flowgraphs import TIME_LIMIT, wait_until

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from gnuradio import blocks, gr, thzum  # noqa: E402

from gnuradio.thzum import rx  # noqa: E402
from gnuradio.thzum.channel import UplinkChannel, draw_users, preset  # noqa: E402
from gnuradio.thzum.frame import PilotPlan, ldpc_file, serving_beams  # noqa: E402
from gnuradio.thzum.frame.plan_file import load_plan  # noqa: E402
from gnuradio.thzum.frame.recording import Recording, plan_from_metadata, plan_to_metadata  # noqa: E402
from gnuradio.thzum.rx.recorder import frame_notes, sigmf_recorder  # noqa: E402
from gnuradio.thzum.rx.source import open_source  # noqa: E402

SHIPPED = Path(__file__).resolve().parents[1] / "examples" / "recordings" / "thz300_aosa4x256.sigmf-meta"
COMMAND = [sys.executable, "-c", "import sys; from gnuradio.thzum.rx import main; sys.exit(main())"]


N_AIR_FRAMES = 3


@pytest.fixture(scope="module")
def on_the_air(tmp_path_factory):
    """(path, data beams) of a recording of frames with payload on the air, users at 20 dB per antenna."""
    plan = PilotPlan("thz300_aosa4x256", n_slots=96, n_data=704, modulations="qpsk", samples_per_symbol=2)
    paths = draw_users(preset("thz300_aosa4x256"), plan.n_users, 1, seed=3)
    options = dict(noise_var=plan.n_users * 10**-2, normalise="each", seed=5)
    ideal = UplinkChannel.from_plan(plan, paths, 10e6, **options)
    beams = serving_beams(plan, ideal.true_channel(0)).tolist()
    parameters = UplinkChannel.from_plan(plan, paths, 10e6, beams=beams, **options).parameters()
    code = thzum.payload_code(plan.n_data, "qpsk", ldpc_file())
    graph = gr.top_block()
    source = thzum.uplink_frame_source(plan.air, code, n_frames=N_AIR_FRAMES)
    uplink = thzum.thz_uplink_channel(parameters)
    recorder = sigmf_recorder(plan, 10e6)
    sync, notes = thzum.frame_sync(plan.air, plan.n_subarrays), frame_notes(recorder.note)
    for user in range(plan.n_users):
        graph.connect((source, user), (uplink, user))
    for chain in range(plan.n_subarrays):
        graph.connect((uplink, chain), (recorder, chain))
        graph.connect((uplink, chain), (sync, chain))
        graph.connect((sync, chain), blocks.null_sink(gr.sizeof_gr_complex) if chain else notes)
    path = tmp_path_factory.mktemp("air") / "air"
    recorder.begin(path)
    graph.run()
    assert recorder.end()[2] == N_AIR_FRAMES
    return path, beams


def test_frames_on_the_air_are_found_decoded_and_recorded_again(capsys, on_the_air, tmp_path):
    path, beams = on_the_air
    again = tmp_path / "again"
    arguments = ["--payload", "qpsk", "--beams", ",".join(map(str, beams)), "--record", str(again), "--json"]
    assert rx.main(["--source", str(path), "--no-gui", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    # Every frame carries a payload of each of the four users, of no bytes here; the last ends with the recording.
    assert found["frames"] == N_AIR_FRAMES and (found["lost_frames"], found["lost_payloads"]) == (0, 0)
    assert found["payloads"] == 4 * N_AIR_FRAMES
    before, after = Recording(path), Recording(again)
    assert repr(after.plan) == repr(before.plan) and after.plan.air.blocks() == before.plan.air.blocks()
    assert len(after.frames) == N_AIR_FRAMES
    for ours, theirs in zip(after.frames, before.frames):
        assert (ours.frame, ours.start, ours.length) == (theirs.frame, theirs.start, theirs.length)
    assert {f.beams for f in after.frames} == {tuple(beams)}
    np.testing.assert_array_equal(after.samples(0, after.n_samples), before.samples(0, before.n_samples))


def run(capsys, *arguments):
    """(exit status, stdout, stderr) of thzum-rx."""
    status = rx.main(["--source", str(SHIPPED), *arguments])
    return (status, *capsys.readouterr())


def test_the_shipped_recording_is_received_and_scored(capsys):
    status, out, table = run(capsys, "--no-gui", "--json", "--estimator", "fpn_oamp")
    found = json.loads(out)
    recording = Recording(SHIPPED)
    channels = sum(len(frame.users) for frame in recording.frames)
    assert status == 0 and "true NMSE" in table
    assert (found["frames"], found["lost_frames"]) == (len(recording.frames), 0) == (64, 0)
    assert found["estimates"] == found["channels_scored"] == channels
    assert found["symbols"] == channels * recording.plan.n_data
    # Mean ratio over four SNR: the limits that the example on the same recording has to keep, with their margin.
    limits = [10 ** (limit / 10) for limit in (-14.5, -18.5, -21.5, -24.5)]
    assert found["nmse_db"] < 10 * np.log10(np.mean(limits))
    assert found["symbol_errors"] < 0.0035 * found["symbols"]
    assert abs(found["predicted_nmse_db"] - found["nmse_db"]) < 1.5
    assert 0 < found["latency_p50_ms"] <= found["latency_p99_ms"]


def test_table_has_the_counters(capfd):
    status, out, _ = run(capfd, "--no-gui", "--frames", "4", "--estimator", "ls")
    assert status == 0
    assert out.splitlines()[0].split()[:2] == ["seconds", "frames"], "blocks' own log comes first"
    last = next(line for line in reversed(out.splitlines()) if " / " in line).split()
    # Frames 0 to 3 have four users each.
    assert last[1:3] == ["4", "0"] and last[-2:] == [str(16 * 192), "-"]
    assert "estimator              ls" in out and "frames                 4" in out


def test_recording_is_read_again_by_the_recording_source(capsys, tmp_path):
    path = tmp_path / "again"
    status, out, _ = run(capsys, "--no-gui", "--frames", "6", "--estimator", "ls", "--record", str(path))
    assert status == 0 and "6 frames" in out
    before, after = Recording(SHIPPED), Recording(path)
    assert after.plan.__repr__() == before.plan.__repr__() and after.sample_rate == before.sample_rate
    assert after.frames == before.frames[:6]
    end = before.frames[6].start
    np.testing.assert_array_equal(after.samples(0, end), before.samples(0, end))
    assert after.n_samples == end
    assert rx.main(["--source", str(path), "--no-gui", "--json", "--estimator", "ls"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["frames"] == 6 and found["lost_frames"] == 0
    sigmf = pytest.importorskip("sigmf")
    sigmf.sigmffile.fromfile(str(after.path)).validate()


def test_recording_does_not_overwrite(capsys, tmp_path):
    (tmp_path / "there.sigmf-meta").write_text("{}")
    status, _, err = run(capsys, "--no-gui", "--record", str(tmp_path / "there"))
    assert status == 2 and err.strip().endswith("exists; give another name or remove it")
    status, _, err = run(capsys, "--no-gui", "--record", str(tmp_path / "no" / "folder"))
    assert status == 2 and "No such file" in err


@pytest.mark.parametrize(
    "arguments,words",
    [
        (["--source", "/nowhere/it"], "/nowhere/it.sigmf-meta does not exist; a source is"),
        (["--plan", "/nowhere/plan.yaml"], "plan: cannot read /nowhere/plan.yaml: No such file"),
        (["--plan", str(SHIPPED.with_suffix(".sigmf-data"))], "is no text"),
        (["--record", "/nowhere/it"], "record: cannot write /nowhere/it.sigmf-data: No such file"),
        (["--model", "/nowhere/net.onnx", "--estimator", "fpn_oamp"], "/nowhere/net.onnx"),
        (["--payload", "9qam"], "9qam"),
        (["--payload", "qpsk", "--code", "none"], "none"),
        (["--beams", "1,2"], "beams"),
    ],
)
def test_what_fails_is_one_line_and_status_2(capsys, arguments, words):
    status, _, err = run(capsys, "--no-gui", *arguments)
    assert status == 2
    lines = [line for line in err.splitlines() if line.startswith("thzum-rx:")]
    assert len(lines) == 1 and words in lines[0] and "Traceback" not in err


@pytest.mark.parametrize(
    "damage,words",
    [
        (lambda meta: meta["global"].pop("thzum:plan"), "give a file of it by --plan"),
        (lambda meta: meta["global"]["thzum:plan"].pop("n_slots"), "'n_slots' (in "),
        (lambda meta: meta.update(annotations=[]), "no whole annotated frame"),
        (lambda meta: meta["global"].update({"core:num_channels": "four"}), "is not SigMF metadata"),
        (lambda meta: meta["global"].update({"core:num_channels": 3}), "3 RF chains, expected 4"),
        (lambda meta: meta["annotations"][0].update({"core:sample_start": "x"}), "malformed frame annotation"),
        (lambda meta: meta["annotations"][0].update({"thzum:users": ["one"]}), "malformed frame annotation"),
    ],
)
def test_damaged_recordings_are_told_apart(capsys, tmp_path, damage, words):
    meta = json.loads(SHIPPED.read_text())
    damage(meta)
    (tmp_path / "day.sigmf-meta").write_text(json.dumps(meta))
    (tmp_path / "day.sigmf-data").symlink_to(SHIPPED.with_suffix(".sigmf-data"))
    assert rx.main(["--source", str(tmp_path / "day"), "--no-gui"]) == 2
    err = capsys.readouterr().err
    assert words in err and str(tmp_path / "day.sigmf-meta") in err and "Traceback" not in err


def test_a_recording_that_is_cut_short_is_received_as_far_as_it_goes(capfd, tmp_path):
    (tmp_path / "cut.sigmf-meta").write_text(SHIPPED.read_text())
    (tmp_path / "cut.sigmf-data").write_bytes(SHIPPED.with_suffix(".sigmf-data").read_bytes()[:100_001])
    assert rx.main(["--source", str(tmp_path / "cut"), "--no-gui", "--json", "--estimator", "ls"]) == 0
    out, err = capfd.readouterr()
    assert '"frames": 3,' in out and "is truncated: 61 of 64 annotated frames" in out + err


@pytest.mark.parametrize(
    "arguments", [["--frames", "-1"], ["--seconds", "nan"], ["--beams", "a"], ["--detector", "x"]]
)
def test_bad_options_are_refused(capsys, arguments):
    with pytest.raises(SystemExit) as stop:
        rx.main(arguments)
    assert stop.value.code == 2 and arguments[0] in capsys.readouterr().err


def test_plan_files(tmp_path):
    plan = PilotPlan("thz300_aosa4x256", 32, n_users=2, modulations="qpsk", samples_per_symbol=2)
    entry = plan_to_metadata(plan, "thz300_aosa4x256")
    (tmp_path / "plan.json").write_text(json.dumps(entry))
    (tmp_path / "plan.yaml").write_text("array: thz300_aosa4x256\nn_slots: 32\nn_users: 2\nmodulations: qpsk\n")
    assert repr(load_plan(tmp_path / "plan.json")) == repr(plan)
    assert load_plan(tmp_path / "plan.yaml").air is None
    assert repr(load_plan(SHIPPED)) == repr(Recording(SHIPPED).plan)
    array = dict(sub_rows=1, sub_cols=2, rows=4, cols=4, carrier_frequency=1e11, spacing=0.4, gap=2.0)
    assert plan_from_metadata({"array": array, "n_slots": 8}).n_antennas == 32
    for text in ("array: thz300_aosa4x256\n", "array: nothing\nn_slots: 3", "[1, 2]", "n_slots: 8\n", "a: [",
                 "array: thz300_aosa4x256\nn_slots: 8\nslots: 3"):
        (tmp_path / "bad.yaml").write_text(text)
        with pytest.raises(ValueError, match="plan|array|name"):
            load_plan(tmp_path / "bad.yaml")


def test_sources_without_the_right_plan_are_refused():
    with pytest.raises(ValueError, match="n_channels"):
        open_source(str(SHIPPED), PilotPlan("thz140_aosa32x64", 8))
    with pytest.raises(ValueError, match="n_slots"):
        open_source(str(SHIPPED), PilotPlan("thz300_aosa4x256", 64))
    with pytest.raises(ValueError, match="--plan"):
        open_source("tcp://127.0.0.1:5555")


@pytest.mark.parametrize("number,gui", [(signal.SIGTERM, False), (signal.SIGINT, True)])
def test_interrupts_end_it_cleanly(tmp_path, number, gui):
    path = tmp_path / "part"
    arguments = ["--source", str(SHIPPED), "--repeat", "--frame-rate", "40", "--estimator", "ls"]
    arguments += ["--record", str(path), *([] if gui else ["--no-gui"])]
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    data = path.with_suffix(".sigmf-data")
    some_frames = 200_000  # bytes of eight
    wait_until(lambda: process.poll() is not None or data.exists() and data.stat().st_size > some_frames)
    process.send_signal(number)
    out, err = process.communicate(timeout=TIME_LIMIT)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    recording = Recording(path)
    assert len(recording.frames) >= 4
    if not gui:
        assert "frames" in out and "recorded" in out
