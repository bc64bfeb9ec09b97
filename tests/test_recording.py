# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped recording against its truth, reading of damaged recordings, and the block that replays them."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pmt
import pytest
from gnuradio import blocks, gr

from gnuradio.thzum import frame, metrics
from gnuradio.thzum.frame import recording as recording_module
from gnuradio.thzum.frame.recording import Recording, find_recording
from gnuradio.thzum.recording_source import recording_source

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "recordings"
SHIPPED = FOLDER / "thz300_aosa4x256.sigmf-meta"


@pytest.fixture(scope="module")
def shipped():
    return Recording(SHIPPED)


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_recording", FOLDER / "make_recording.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_shipped_recording_is_valid_sigmf():
    sigmf = pytest.importorskip("sigmf")
    meta = sigmf.sigmffile.fromfile(str(SHIPPED))
    meta.validate()
    # The checksum in the metadata is compared with the data on reading.
    assert meta.get_global_field("core:num_channels") == 4
    assert "thzum" in [extension["name"] for extension in meta.get_global_field("core:extensions")]


def test_shipped_recording_covers_what_it_promises(shipped):
    frames = shipped.frames
    assert len(frames) == 64
    settings = {(f.snr_db, len(f.users)) for f in frames}
    assert settings == {(snr, n) for snr in (5, 10, 15, 20) for n in (1, 2, 3, 4)}
    gaps = np.diff([f.start for f in frames]) - shipped.plan.frame_length
    assert gaps.min() > 0 and len(set(gaps)) > 50
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < 6e6


def test_shipped_frames_agree_with_the_truth(shipped):
    plan, truth = shipped.plan, shipped.truth
    error, noise = [], []
    for f in shipped.frames:
        received = frame.receive_frame(plan, shipped.samples(f.start, f.length).T)
        h = truth.channels(f.frame)
        y = np.einsum("sqn,ksn->ksq", plan.combiner, h.reshape(plan.n_users, plan.n_subarrays, -1))
        error.append(received.y - y.reshape(plan.n_users, -1))
        noise.append(received.noise_var)
        active = list(f.users)
        power = np.mean(np.abs(h[active]) ** 2)
        assert 10 * np.log10(power / truth.noise_var) == pytest.approx(f.snr_db, abs=1e-3)
        assert not h[[k for k in range(plan.n_users) if k not in active]].any()
    error = np.array(error)
    # Means of that many exponential powers, 4 sigma.
    assert abs(np.mean(np.abs(error) ** 2) / truth.noise_var - 1) < 4 / np.sqrt(error.size)
    n_silent = len(noise) * plan.n_subarrays * plan.n_noise
    assert abs(np.mean(noise) / truth.noise_var - 1) < 4 / np.sqrt(n_silent)
    # White over slots: neighbouring errors are uncorrelated.
    pairs = np.mean(error[..., 1:] * error[..., :-1].conj())
    assert abs(pairs) / truth.noise_var < 4 / np.sqrt(error.size)


def test_shipped_data_decode_with_the_true_channel(shipped):
    plan, truth = shipped.plan, shipped.truth
    errors = count = 0
    for f in shipped.frames:
        received = frame.receive_frame(plan, shipped.samples(f.start, f.length).T)
        active = list(f.users)
        effective = frame.effective_channel(plan, truth.channels(f.frame), f.beams)[:, active]
        gram = effective.conj().T @ effective + plan.n_users * received.noise_var * np.eye(len(active))
        equaliser = np.linalg.solve(gram, effective.conj().T)
        x = received.data @ equaliser.T / np.real(np.diag(equaliser @ effective))
        for name, first, length in plan.data_sections:
            distance = np.abs(x[first : first + length, :, None] - frame.constellation(name))
            decided = np.argmin(distance, axis=2).T
            sent = truth.symbols(f.frame)[active, first : first + length]
            e, n = metrics.symbol_errors(decided, sent)
            errors, count = errors + e, count + n
    assert count == 160 * plan.n_data
    assert errors / count < 1e-3


@pytest.mark.parametrize("number", [0, 5, 63])
def test_shipped_frames_are_made_again_bit_for_bit(shipped, maker, number):
    with np.load(FOLDER / maker.CHANNEL_FILE) as file:
        channels = file["channel"]
    samples, beams, indices, _ = maker.make_frame(maker.make_plan(), channels, number)
    annotation = shipped.frames[number]
    stored = np.memmap(shipped.data_path, "<i2").reshape(-1, 8)[annotation.start :][: annotation.length]
    np.testing.assert_array_equal(samples, stored)
    np.testing.assert_array_equal(indices, shipped.truth.symbols(number))
    assert tuple(beams) == annotation.beams


def write_recording(folder, datatype="ci16_le", n_channels=3, frames=((5, 10), (40, 10)), n_samples=100):
    """A small recording of a counter; returns (metadata path, expected samples [n_samples, S])."""
    counter = np.arange(n_samples * n_channels * 2, dtype=np.int16).reshape(n_samples, 2 * n_channels)
    values = counter.astype(np.float32)
    if datatype == "ci16_le":
        counter.astype("<i2").tofile(folder / "r.sigmf-data")
        values = values / 32768
    else:
        values.astype("<f4").tofile(folder / "r.sigmf-data")
    annotations = [
        {
            "core:sample_start": start,
            "core:sample_count": length,
            "thzum:frame": 7 + k,
            "thzum:users": [0, 2],
            "thzum:beams": [4, 5, 6],
            "thzum:snr_db": 12.5,
        }
        for k, (start, length) in enumerate(frames)
    ]
    metadata = {
        "global": {"core:datatype": datatype, "core:num_channels": n_channels, "core:version": "1.2.0"},
        "captures": [],
        "annotations": annotations,
    }
    path = folder / "r.sigmf-meta"
    path.write_text(json.dumps(metadata))
    return path, np.ascontiguousarray(values).view(np.complex64)


def replay(source, n_items=None):
    """Run ``source`` into sinks; returns (samples [n, S], {port: [(offset, key, value), ...]})."""
    top = gr.top_block()
    sinks = [blocks.vector_sink_c() for _ in range(source.recording.n_channels)]
    for port, sink in enumerate(sinks):
        if n_items is None:
            top.connect((source, port), sink)
        else:
            top.connect((source, port), blocks.head(gr.sizeof_gr_complex, n_items), sink)
    top.run()

    def plain(tag):
        return tag.offset, pmt.symbol_to_string(tag.key), pmt.to_python(tag.value)

    tags = [sorted(map(plain, sink.tags()), key=lambda tag: tag[:2]) for sink in sinks]
    return np.array([s.data() for s in sinks], np.complex64).T, tags


@pytest.mark.parametrize("datatype", ["ci16_le", "cf32_le"])
def test_source_replays_samples_and_tags(tmp_path, datatype):
    path, expected = write_recording(tmp_path, datatype)
    samples, tags = replay(recording_source(str(path), 3))
    np.testing.assert_array_equal(samples, expected)
    for of_port in tags:
        assert [(t[0], t[1]) for t in of_port] == [
            (start, f"thzum_{name}") for start in (5, 40) for name in ("beams", "frame", "snr_db", "users")
        ]
        values = {(t[0], t[1]): t[2] for t in of_port}
        assert (values[5, "thzum_frame"], values[40, "thzum_frame"]) == (7, 8)
        assert list(values[5, "thzum_beams"]) == [4, 5, 6]
        assert (values[40, "thzum_users"], values[40, "thzum_snr_db"]) == (0b101, 12.5)


def test_source_repeats_with_new_frame_numbers(tmp_path):
    path, expected = write_recording(tmp_path)
    samples, tags = replay(recording_source(str(path), repeat=True), n_items=250)
    np.testing.assert_array_equal(samples, np.concatenate([expected] * 3)[:250])
    numbers = [(offset, value) for offset, key, value in tags[0] if key == "thzum_frame"]
    assert numbers == [(5, 7), (40, 8), (105, 16), (140, 17), (205, 25), (240, 26)]


def test_source_ends_after_the_frames_asked_for(tmp_path):
    path, expected = write_recording(tmp_path)
    samples, tags = replay(recording_source(str(path), n_frames=1))
    np.testing.assert_array_equal(samples, expected[:40])
    assert {offset for offset, _, _ in tags[0]} == {5}
    assert len(replay(recording_source(str(path), n_frames=9))[0]) == len(expected)
    with pytest.raises(ValueError, match="n_frames"):
        recording_source(str(path), n_frames=-1)


def test_source_replays_the_whole_shipped_recording(shipped):
    samples, tags = replay(recording_source(str(SHIPPED), 4))
    np.testing.assert_array_equal(samples, shipped.samples(0, shipped.n_samples))
    assert [offset for offset, key, _ in tags[3] if key == "thzum_frame"] == [f.start for f in shipped.frames]


def test_wrong_recordings_are_refused_with_the_reason(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.sigmf-meta does not exist"):
        recording_source(str(tmp_path / "nowhere"))
    path, _ = write_recording(tmp_path)
    with pytest.raises(ValueError, match="has 3 RF chains, expected 4"):
        recording_source(str(path), 4)
    metadata = json.loads(path.read_text())
    metadata["global"]["core:datatype"] = "ru8"
    path.write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="holds ru8, expected cf32_le or ci16_le"):
        recording_source(str(path))
    metadata["global"]["core:datatype"] = "ci16_le"
    del metadata["annotations"][0]["core:sample_start"]
    path.write_text(json.dumps(metadata))
    with pytest.raises(ValueError, match="malformed frame annotation"):
        Recording(path)
    path.write_text("not json")
    with pytest.raises(ValueError, match="is not SigMF metadata"):
        Recording(path)
    path.with_suffix(".sigmf-data").unlink()
    with pytest.raises(FileNotFoundError, match="sigmf-data does not exist"):
        Recording(path)


def test_truncated_data_are_replayed_as_far_as_they_go(tmp_path):
    path, expected = write_recording(tmp_path)
    data = path.with_suffix(".sigmf-data")
    data.write_bytes(data.read_bytes()[: 45 * 12 + 5])
    with pytest.warns(UserWarning) as caught:
        recording = Recording(path)
    messages = " ".join(str(warning.message) for warning in caught)
    assert "ends within a sample" in messages and "1 of 2 annotated frames" in messages
    assert [f.frame for f in recording.frames] == [7]
    samples, tags = replay(recording_source(str(path)))
    np.testing.assert_array_equal(samples, expected[:45])
    assert {offset for offset, _, _ in tags[0]} == {5}
    data.write_bytes(b"123")
    with pytest.raises(ValueError, match="no whole sample"):
        Recording(path)


def test_find_recording_accepts_any_of_its_names(tmp_path, monkeypatch):
    for name in ("a.sigmf-meta", "a.sigmf-data", "a"):
        assert find_recording(tmp_path / name) == tmp_path / "a.sigmf-meta"
    monkeypatch.chdir(ROOT)
    assert find_recording() == SHIPPED
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recording_module, "_search_roots", lambda: [tmp_path])
    with pytest.raises(FileNotFoundError, match="give its path"):
        find_recording()


def test_recording_without_plan_or_truth_says_so(tmp_path):
    path, _ = write_recording(tmp_path)
    recording = Recording(path)
    with pytest.raises(ValueError, match="thzum:plan"):
        recording.plan
    with pytest.raises(FileNotFoundError, match="truth"):
        recording.truth


def test_nmse_and_error_ratios():
    h = np.array([[2.0, 0.0], [0.0, 1.0]], np.complex64)
    h_hat = np.array([[2.0, 0.2j], [0.0, 0.7]], np.complex64)
    np.testing.assert_allclose(metrics.nmse(h_hat, h), [0.01, 0.09], rtol=1e-6)
    assert metrics.nmse_db(h_hat, h) == pytest.approx(10 * np.log10(0.05), abs=1e-6)
    assert metrics.nmse_db(h, h) == -np.inf
    with pytest.raises(ValueError, match=r"shape of h, \(2, 2\), got \(2,\)"):
        metrics.nmse_db(h_hat[0], h)
    with pytest.raises(ValueError, match="not all zero"):
        metrics.nmse(h_hat, h * 0)
    with pytest.raises(ValueError, match="h_hat: expected finite"):
        metrics.nmse(h_hat * np.nan, h)
    assert metrics.symbol_errors([0, 1, -1, 5], [0, 2, 3, -1]) == (2, 3)
    assert metrics.ser([0, 1, -1, 5], [0, 2, 3, -1]) == pytest.approx(2 / 3)
    assert np.isnan(metrics.ser([1], [-1]))
    assert metrics.ber([3.0, -1.0, 0.0, -2.0], [0, 1, 1, 0]) == pytest.approx(1.5 / 4)
    assert metrics.spectral_efficiency([1.0, 3.0]) == pytest.approx(3.0)
