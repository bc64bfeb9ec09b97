# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``thzum channel``."""

import json
import subprocess
import sys

import numpy as np
import pytest

from gnuradio.thzum import cli, plots
from gnuradio.thzum.array import array_preset
from gnuradio.thzum.channel import ChannelBatch, ChannelConfig, PathKind, PathTable, figures, presets, response
from gnuradio.thzum.channel.figures import polar_spectrum

SCENE = """
array: thz300_aosa4x256
model:
  scene:
    users: {kind: sector}
    line_of_sight: {k_factor_db: 10}
    reflections: {}
    diffuse: {n_rays: 3}
    clusters: {}
    mobility: {speed: 1.5}
frequencies: {bandwidth: 10e9, subcarriers: 4}
users: 2
batch: 3
"""


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = cli.main(["channel", *map(str, arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def scene_file(tmp_path):
    path = tmp_path / "scene.yaml"
    path.write_text(SCENE)
    return path


def test_presets(run):
    status, out, _ = run("presets")
    assert status == 0 and [line.split()[0] for line in out.splitlines()] == presets()
    assert "4 x (16 x 16) antennas at 300 GHz, Rayleigh distance 15.4 m" in out


def test_show(run, scene_file, tmp_path):
    status, out, _ = run("show", "--preset", "thz300_aosa4x256", "--set", "users=3", "--set", "model.n_paths=2")
    assert status == 0 and "15.38 m" in out and "1x3x1024 complex64" in out and "1024, 4" in out
    facts = {line[:24].strip(): line[25:] for line in out.splitlines()}
    assert facts["model n paths"] == "2" and facts["users"] == "3" and facts["hardware"] == "ideal"
    status, out, _ = run("show", "--config", scene_file)
    assert status == 0 and "295 to 305 GHz in 4 subcarriers of 2500 MHz" in out and "scene clusters" in out
    # What yaml and json print is a configuration file.
    plain = ChannelConfig.from_file(scene_file).to_dict()
    for form in ("yaml", "json"):
        _, out, _ = run("show", "--config", scene_file, "--format", form)
        (tmp_path / f"again.{form}").write_text(out)
        assert ChannelConfig.from_file(tmp_path / f"again.{form}").to_dict() == plain


def test_sample_equals_the_python_call(run, scene_file, tmp_path):
    out = tmp_path / "a.npz"
    changes = ("--batch", 70, "--seed", 5, "--set", "users=3")
    status, text, err = run("sample", "--config", scene_file, *changes, "--out", out)
    assert status == 0 and "70x3x4x1024 complex64, seed 5" in text and err == ""
    loaded = ChannelBatch.load(out)
    expected = ChannelConfig.from_file(scene_file).replace(users=3).draw(70, seed=5)
    assert np.array_equal(loaded.channels, expected.channels) and loaded.config == expected.config
    # Without --batch and --seed the configuration's own hold.
    run("sample", "--config", scene_file, "--out", out)
    assert len(ChannelBatch.load(out)) == 3 and ChannelBatch.load(out).seed == 0


def test_hdf5_holds_the_same(run, tmp_path):
    pytest.importorskip("h5py")
    for name in ("a.npz", "a.h5"):
        assert run("sample", "--preset", "thz300_aosa4x256", "--batch", 3, "--out", tmp_path / name)[0] == 0
    one, other = (ChannelBatch.load(tmp_path / name) for name in ("a.npz", "a.h5"))
    assert np.array_equal(one.channels, other.channels) and one.config == other.config


def test_the_example_is_valid(run, root):
    status, out, _ = run("show", "--config", root / "examples" / "channel.yaml")
    assert status == 0 and "1x4x64x1024 complex64" in out


def test_stats(run, scene_file, tmp_path):
    run("sample", "--config", scene_file, "--batch", 20, "--out", tmp_path / "a.npz")
    status, out, _ = run("stats", tmp_path / "a.npz")
    assert status == 0 and "rms delay spread" in out and "ns" in out and "dB" in out
    row = next(line for line in out.splitlines() if line.startswith("k factor"))
    assert row.split()[2:6] == ["10"] * 4
    status, out, _ = run("stats", tmp_path / "a.npz", "--json")
    assert status == 0 and json.loads(out)["k_factor"]["median"] == pytest.approx(10)


@pytest.mark.parametrize("what", ["geometry", "angular", "overview", "delay-angle", "frequency"])
def test_plot(run, scene_file, tmp_path, what):
    run("sample", "--config", scene_file, "--out", tmp_path / "a.npz")
    chosen = ("--what", what, "--index", 1, "--user", 1)
    status, out, _ = run("plot", tmp_path / "a.npz", *chosen, "--out", tmp_path / "a.png")
    assert status == 0 and out.strip() == str(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    assert content[:4] == b"\x89PNG" and len(content) > 10000


def test_plots_of_channels_without_users_and_visibility(run, tmp_path):
    visible = ["--set", "model.scene.visibility.visible_fraction=0.5", "--set", "model.scene.users.kind=sector"]
    (tmp_path / "a.yaml").write_text("array: thz140_aosa32x64\nmodel: {scene: {users: {}, clusters: {}}}\n")
    grid = ["--set", "frequencies={bandwidth: 1e9, subcarriers: 3}"]
    assert run("sample", "--config", tmp_path / "a.yaml", *visible, *grid, "--out", tmp_path / "a.npz")[0] == 0
    for what in ("geometry", "angular", "delay-angle", "frequency"):
        assert run("plot", tmp_path / "a.npz", "--what", what, "--out", tmp_path / "a.png")[0] == 0


def test_absorption(run, tmp_path):
    out = tmp_path / "a.png"
    arguments = ["--model", "p676", "--model", "kokkoniemi100", "--from", 110e9, "--to", 450e9]
    assert run("absorption", *arguments, "--out", out)[0] == 0 and out.read_bytes()[:4] == b"\x89PNG"


PRESET = ("--preset", "thz300_aosa4x256")


@pytest.mark.parametrize(
    "arguments, text",
    [
        (("show", "--preset", "thz300_aosa4"), "did you mean 'thz300_aosa4x256'"),
        (("show", *PRESET, "--set", "users=5"), "users: expected at most 4"),
        (("show", *PRESET, "--set", "users"), "--set: expected KEY=VALUE"),
        (("show", *PRESET, "--set", "=3"), "--set: expected KEY=VALUE"),
        (("show", *PRESET, "--set", "users=[1"), "--set"),
        (("show", *PRESET, "--set", "seed.x=1", "--set", "seed=3", "--set", "seed.y=1"), "to be a section"),
        (("show", *PRESET, "--set", "frequency.bandwidth=1"), "did you mean 'frequencies'"),
        (("show", "--config", "none.yaml"), "none.yaml"),
        (("sample", *PRESET, "--batch", "0", "--out", "a.npz"), "batch: expected an integer of at least 1"),
        (("sample", *PRESET, "--seed", "-1", "--out", "a.npz"), "seed"),
        (("sample", *PRESET, "--out", "a.mat"), "ending in .npz"),
        (("sample", *PRESET, "--out", "no/a.npz"), "existing folder"),
        (("stats", "none.npz"), "none.npz"),
        (("plot", "none.npz", "--what", "polar", "--out", "a.png"), "none.npz"),
        (("plot", "none.npz", "--what", "polar", "--out", "a.txt"), "--out: expected a name ending in .png"),
        (("plot", "none.npz", "--what", "polar", "--out", "no/a.png"), "existing folder"),
        (("absorption", "--model", "p677", "--out", "a.png"), "p677"),
        (("absorption", "--from", "2e12", "--to", "1e12", "--out", "a.png"), "from < to"),
        (("absorption", "--model", "p676", "--from", "2e12", "--to", "3e12", "--out", "a.png"), "1000 GHz"),
    ],
)
def test_bad_input_is_one_line_and_status_two(run, tmp_path, monkeypatch, arguments, text):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*arguments)
    assert status == 2 and out == "" and text in err and len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_bad_input_of_files(run, tmp_path):
    (tmp_path / "a.npz").write_bytes(b"PK\x03\x04 and nothing else")
    assert "whole NPZ" in run("stats", tmp_path / "a.npz")[2]
    run("sample", *PRESET, "--set", "users=2", "--out", tmp_path / "a.npz")
    plot = ("plot", tmp_path / "a.npz", "--out", tmp_path / "a.png")
    for arguments, text in (
        (("--what", "frequency"), "frequency axis"),
        (("--what", "polar", "--index", 1), "--index: expected 0 to 0, got 1"),
        (("--what", "polar", "--user", 2), "--user: expected 0 to 1, got 2"),
    ):
        status, _, err = run(*plot, *arguments)
        assert status == 2 and text in err
    for arguments in (("sample", *PRESET), ("show",), ("plot", "x", "--what", "nothing", "--out", "a.png"), ()):
        with pytest.raises(SystemExit) as ended:
            run(*arguments)
        assert ended.value.code == 2


def test_as_a_command(tmp_path):
    command = [sys.executable, "-m", "gnuradio.thzum.cli", "channel"]
    arguments = ["sample", *PRESET, "--batch", "2", "--out", str(tmp_path / "a.npz")]
    done = subprocess.run(command + arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(ChannelBatch.load(tmp_path / "a.npz")) == 2
    done = subprocess.run(command + ["stats", str(tmp_path / "b.npz")], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.startswith("thzum: ") and done.stderr.count("\n") == 1


def one_source(distance, angle, azimuth):
    """Response to one spherical wave from a point at this distance and angle of the array's centre."""
    array = array_preset("nearfield_panel1024")
    centre = array.element_positions().reshape(-1, 2).mean(axis=0)
    ux, uy = np.sin(angle) * np.cos(azimuth), np.sin(angle) * np.sin(azimuth)
    x, y, z = distance * ux + centre[0], distance * uy + centre[1], distance * np.cos(angle)
    r, across = np.sqrt(x * x + y * y + z * z), np.hypot(x, y)
    paths = PathTable(*(np.array([v]) for v in (1.0, r / 3e8, r, np.arctan2(across, z), np.arctan2(y, x), True)))
    return array, response(array, paths, resolution="element")


@pytest.mark.parametrize("angle, azimuth", [(0.4, 0.0), (-0.3, 0.9)])
def test_polar_spectrum_finds_the_source(angle, azimuth):
    array, h = one_source(0.03, angle, azimuth)
    sine, distance, power = polar_spectrum(h, array, azimuth, angles=201, distances=101, nearest=0.015, farthest=0.5)
    row, column = np.unravel_index(np.argmax(power), power.shape)
    # The grid's own steps: 1/100 in the sine and 0.65 1/m in the inverse distance.
    assert sine[column] == pytest.approx(np.sin(angle), abs=0.01)
    assert 1 / distance[row] == pytest.approx(1 / 0.03, abs=1.3)
    assert 0.9 * array.n_antennas < power.max() <= array.n_antennas * (1 + 1e-4)


def test_figures_show_what_they_should():
    array = array_preset("thz300_aosa4x256")
    amplitude = np.array([[1.0, 0.1, 0.0, 1e-6]])
    kind = np.array([[PathKind.LINE_OF_SIGHT, PathKind.CLUSTERED, PathKind.DIFFUSE, PathKind.REFLECTED]], np.int8)
    delay = np.array([[1e-7, 1.02e-7, 0.0, 1.5e-7]])
    angle = np.array([[0.1, 0.5, 0.2, 0.3]])
    paths = PathTable(amplitude, delay, delay * 3e8 + 1, angle, -angle, delay > 1, kind=kind)
    axes = plots.new_figure().subplots(2, 2).ravel()
    figures.plot_geometry(axes[0], array, paths)
    labels = axes[0].get_legend_handles_labels()[1]
    assert labels == ["sources of clustered paths", "users", "array (4 subarrays)"]
    user = axes[0].collections[1].get_offsets()[0]
    assert np.allclose(user, paths.source_positions()[0, 0, [0, 2]])
    points = figures.plot_delay_angle(axes[1], paths)
    assert np.allclose(points.get_offsets(), [[2, np.degrees(-0.5)], [0, np.degrees(-0.1)]])
    assert np.allclose(points.get_array(), [-20, 0])
    image = figures.plot_delay_angle_density(axes[2], paths, "elevation", bins=(10, 9))
    assert np.sum(np.isfinite(np.ma.filled(image.get_array(), np.nan))) == 2
    assert axes[2].get_ylim() == (0, 90)
    frequencies = 300e9 + 1e9 * np.arange(-8, 8)
    h = response(array, paths[0], frequencies)
    figures.plot_frequency_response(axes[3], h, frequencies, array)
    gains = [line.get_ydata() for line in axes[3].lines]
    assert len(gains) == 5 and all(gain[8] == pytest.approx(0, abs=1e-4) and gain.max() < 1e-4 for gain in gains)
    for call, text in (
        (lambda: figures.plot_geometry(axes[0], array, paths, "zz"), "plane"),
        (lambda: figures.plot_delay_angle(axes[0], paths, "polar"), "angle"),
        (lambda: figures.plot_frequency_response(axes[0], h[0], frequencies, array), "channels"),
        (lambda: polar_spectrum(h, array), "h: expected one channel"),
        (lambda: polar_spectrum(h[0], array, nearest=3, farthest=2), "nearest"),
        (lambda: polar_spectrum(h[0], array, limits=(0, 2)), "limits"),
    ):
        with pytest.raises(ValueError, match=text):
            call()
