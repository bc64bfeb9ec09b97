# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo from the shipped recording to the figure, and the flowgraph against the reference receiver."""

from pathlib import Path

import numpy as np
import pytest

from gnuradio.thzum import demo, frame

SHIPPED = Path(__file__).resolve().parents[1] / "examples" / "recordings" / "thz300_aosa4x256.sigmf-meta"


@pytest.fixture(scope="module")
def run():
    graph = demo.receiver(str(SHIPPED), 8, "omp", "lmmse")
    lines = []
    scores, seconds = demo.run_live(graph, lines.append)
    return graph, scores, seconds, lines


def test_flowgraph_receives_what_the_reference_receiver_does(run):
    graph = run[0]
    plan, recording = graph.plan, graph.recording
    y = graph.y.items().reshape(-1, plan.n_users, plan.n_observations)
    data = graph.data.items().reshape(-1, plan.n_data, plan.n_subarrays)
    assert len(y) == len(data) == 8
    for position, annotation in enumerate(recording.frames[:8]):
        samples = recording.samples(annotation.start, annotation.length).T
        received = frame.receive_frame(plan, samples)
        users = list(annotation.users)
        scale = np.abs(received.y).max()
        np.testing.assert_allclose(y[position, users], received.y[users], atol=1e-5 * scale)
        np.testing.assert_array_equal(data[position], received.data.astype(np.complex64))
        tags = graph.y.tags(position * plan.n_users + users[0])
        assert tags["noise_var"] == pytest.approx(received.noise_var, rel=1e-4)
        assert (tags["frame"], tags["user"]) == (annotation.frame, users[0])


def test_users_that_send_are_scored_and_the_others_are_zero(run):
    graph, scores, _, lines = run
    plan = graph.plan
    expected = [(f.frame, user) for f in graph.recording.frames[:8] for user in f.users]
    assert [(s.frame, s.user) for s in scores] == expected
    h_hat = graph.h_hat.items()
    sending = {s.index for s in scores}
    for index in range(8 * plan.n_users):
        assert h_hat[index].any() == (index in sending)
    # One line per user and the header; frames 0 to 3 have four users, 4 to 7 one.
    assert len(lines) == 1 + 4 * 4 + 4


def test_estimates_and_decisions_are_good(run):
    scores = run[1]
    by_snr = demo.nmse_by_snr([s.snr_db for s in scores], [s.nmse for s in scores])
    assert list(by_snr) == [5, 10, 15, 20]
    # OMP on sparse channels: its error follows the noise down.
    assert by_snr[5] < -8 and by_snr[20] < -16
    assert sum(s.errors for s in scores) < 0.02 * sum(s.symbols for s in scores)


def test_demo_draws_its_figure(tmp_path, capsys):
    png = tmp_path / "deep" / "demo.png"
    command = ["--frames", "4", "--recording", str(SHIPPED), "--estimator", "ls", "--png", str(png)]
    assert demo.main(command) == 0
    out = capsys.readouterr().out
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert out.rstrip().endswith(f"figure: {png}")
    assert "4 frames, 16 channels of 1024 antennas" in out


def test_demo_says_what_is_wrong(tmp_path, capsys):
    assert demo.main(["--recording", str(tmp_path / "none"), "--estimator", "ls"]) == 2
    assert "none.sigmf-meta does not exist" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        demo.main(["--frames", "-1"])
    assert "--frames: expected" in capsys.readouterr().err
