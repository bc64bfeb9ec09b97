# SPDX-License-Identifier: GPL-3.0-or-later
"""Batches of channels: drawing in pieces, files that keep everything and refuse what is damaged."""

import builtins
import json
import zipfile
from dataclasses import fields

import numpy as np
import pytest

from gnuradio.thzum.channel import ChannelBatch, ChannelConfig, PathTable, response, sampling
from gnuradio.thzum.channel.batch import save_pieces

PRESET = {"model": "thz300_aosa4x256"}
SCENE = {
    "array": {"preset": "thz300_aosa4x256", "orientation": [0.0, 0.0, 0.1]},
    "model": {
        "scene": {
            "users": {"kind": "sector"},
            "line_of_sight": {"k_factor_db": 5},
            "clusters": {},
            "visibility": {"visible_fraction": 0.7},
            "mobility": {"speed": 2.0},
        }
    },
}
GRID = {"bandwidth": 4e9, "subcarriers": 3}
SUFFIXES = [".npz", ".h5"]


def config(base=PRESET, **changes):
    return ChannelConfig.from_dict({**base, **changes})


def hdf5(suffix):
    if suffix != ".npz":
        pytest.importorskip("h5py")


@pytest.fixture(scope="module")
def batch():
    return config(batch=5, users=2, seed=9).draw()


def assert_equal(one, other):
    assert np.array_equal(one.channels, other.channels) and one.channels.dtype == other.channels.dtype
    for field in fields(PathTable):
        a, b = getattr(one.paths, field.name), getattr(other.paths, field.name)
        assert (a is None) == (b is None), field.name
        assert a is None or (np.array_equal(a, b) and np.asarray(a).dtype == np.asarray(b).dtype), field.name
    assert (one.frequencies is None) == (other.frequencies is None)
    assert one.frequencies is None or np.array_equal(one.frequencies, other.frequencies)
    assert one.config == other.config and one.seed == other.seed


@pytest.mark.parametrize("base", [PRESET, SCENE], ids=["preset", "scene"])
@pytest.mark.parametrize("users", [None, 2])
@pytest.mark.parametrize("frequencies", [None, GRID])
def test_shapes_and_files(tmp_path, base, users, frequencies):
    drawn = config(base, users=users, frequencies=frequencies, batch=3, seed=4).draw()
    expected = (3,) + (() if users is None else (2,)) + (() if frequencies is None else (3,)) + (1024,)
    assert drawn.channels.shape == expected and drawn.channels.dtype == np.complex64
    assert drawn.n_users == users and len(drawn) == 3 and drawn.n_antennas == 1024
    power = np.sum(np.abs(drawn.channels) ** 2, axis=-1)
    power = power if frequencies is None else power.mean(axis=-1)
    assert power == pytest.approx(np.full(power.shape, 1024), rel=1e-5)
    for suffix in SUFFIXES:
        hdf5(suffix)
        drawn.save(tmp_path / f"a{suffix}")
        loaded = ChannelBatch.load(tmp_path / f"a{suffix}")
        assert_equal(drawn, loaded)
        # The file says how to draw the same again.
        again = loaded.configuration().draw()
        assert np.array_equal(again.channels, drawn.channels)


def test_channels_are_the_response_of_their_paths():
    drawn = config(users=2, frequencies=GRID, batch=3, normalise=False).draw()
    array = config().build().array
    h = response(array, drawn.paths, drawn.frequencies, normalise=False)
    assert np.array_equal(h, drawn.channels)
    exact = config(batch=2, resolution="element").draw()
    assert np.array_equal(exact.channels, response(array, exact.paths, resolution="element"))


@pytest.mark.parametrize("base", [PRESET, SCENE], ids=["preset", "scene"])
def test_a_channel_does_not_depend_on_the_size_of_its_batch(base):
    whole = config(base).draw(150, seed=3)
    for size in (1, 63, 64, 65, 128):
        part = config(base).draw(size, seed=3)
        assert np.array_equal(part.channels, whole.channels[:size])
        assert np.array_equal(part.paths.delay, whole.paths.delay[:size])
    other = config(base).draw(150, seed=4)
    assert not np.any(np.all(other.channels == whole.channels, axis=-1))
    # Blocks do not repeat each other.
    assert len(np.unique(whole.paths.azimuth[:, 0])) == 150


def test_blocks_have_the_generators_of_spawned_seeds():
    spawned = np.random.SeedSequence(11).spawn(3)
    for index in range(3):
        expected = np.random.default_rng(spawned[index]).random(4)
        assert np.array_equal(sampling.block_rng(11, index).random(4), expected)
    drawn = config().draw(130, seed=11)
    model = config().build()
    second = model.draw_paths(64, np.random.default_rng(spawned[1]))
    assert np.array_equal(drawn.paths.azimuth[64:128], second.azimuth)


def test_half_blocked_subarrays_reach_the_channels():
    scene = {"users": {"kind": "sector"}, "blockage": {"half_subarray_probability": 1.0}}
    drawn = config({"array": "thz300_aosa4x256", "model": {"scene": scene}}, batch=4, frequencies=GRID).draw()
    dark = np.sum(np.all(drawn.channels == 0, axis=1), axis=-1)
    assert dark.tolist() == [128] * 4
    power = np.mean(np.sum(np.abs(drawn.channels) ** 2, axis=-1), axis=-1)
    assert power == pytest.approx(np.full(4, 1024), rel=1e-5)


def test_motion_continues_the_phases():
    # In 10 us a user of 2 m/s moves 20 um, a fiftieth of the wavelength; later it is somewhere else.
    base = config(SCENE, normalise=False)
    start, soon, later = (base.replace(time=t).draw(4) for t in (0.0, 1e-5, 0.1))
    norm = np.linalg.norm(start.channels, axis=-1)
    assert np.all(np.linalg.norm(soon.channels - start.channels, axis=-1) < 0.15 * norm)
    assert np.all(soon.channels != start.channels)
    # A tenth of a second later they are up to 0.2 m away, in any direction.
    moved = np.abs(later.paths.distance[:, 0] - start.paths.distance[:, 0])
    assert np.all(moved <= 0.2 + 1e-9) and np.max(moved) > 0.05


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_pieces_make_the_same_file(tmp_path, suffix):
    hdf5(suffix)
    setup = config(SCENE, batch=130, users=2)
    setup.draw().save(tmp_path / f"whole{suffix}")
    save_pieces(tmp_path / f"pieces{suffix}", 130, sampling.draw_pieces(setup))
    assert_equal(ChannelBatch.load(tmp_path / f"whole{suffix}"), ChannelBatch.load(tmp_path / f"pieces{suffix}"))
    if suffix == ".npz":
        assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "pieces.npz").read_bytes()


def test_numpy_alone_reads_the_npz(tmp_path, batch):
    batch.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz", allow_pickle=False) as file:
        assert np.array_equal(file["channels"], batch.channels)
        assert np.array_equal(file["paths_delay"], batch.paths.delay)
        header = json.loads(str(file["header"]))
    assert header["format"] == "thzum-channels" and header["version"] == 1 and header["seed"] == 9
    assert header["config"]["model"]["preset"] == "thz300_aosa4x256"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_no_damage_goes_unnoticed(tmp_path, batch, suffix):
    hdf5(suffix)
    good = tmp_path / f"good{suffix}"
    batch.save(good)
    content = good.read_bytes()
    bad = tmp_path / f"bad{suffix}"
    for length in (0, 3, 100, len(content) // 2, len(content) - 1):
        bad.write_bytes(content[:length])
        with pytest.raises(ValueError, match="bad"):
            ChannelBatch.load(bad)
    # Single bits in the samples of the channels, found by their bytes in the file.
    samples = batch.channels.tobytes()
    start = content.index(samples[:64])
    for offset in np.random.default_rng(0).integers(0, 8 * 1024, 8):
        damaged = bytearray(content)
        damaged[start + offset] ^= 16
        bad.write_bytes(damaged)
        with pytest.raises(ValueError, match="bad"):
            ChannelBatch.load(bad)


def rewritten(source, target, change):
    """Copy an NPZ with its {member: array} changed."""
    with np.load(source) as file:
        members = dict(file)
    change(members)
    np.savez(target, **members)


def header(**changes):
    def change(members):
        text = json.loads(str(members["header"]))
        text.update(changes)
        members["header"] = np.array(json.dumps(text))

    return change


@pytest.mark.parametrize(
    "change, text",
    [
        (header(version=2), "update gr-thzum"),
        (header(version="x"), "format version"),
        (header(format="other"), "another kind"),
        (header(seed=-1), "seed"),
        (header(config=[1]), "config"),
        (lambda m: m.pop("header"), "another kind"),
        (lambda m: m.pop("paths_phase"), "'paths_phase' is missing"),
        (lambda m: m.pop("channels"), "'channels' is missing"),
        (lambda m: m.update(extra=np.ones(2)), "'extra' is not known"),
        (lambda m: m.update(channels=m["channels"][:3]), "channels: expected shape"),
        (lambda m: m.update(channels=m["channels"].astype(complex)), "complex64"),
        (lambda m: m["channels"].__setitem__((0, 0, 0), np.nan), "NaN"),
        (lambda m: m["paths_delay"].__setitem__((0, 0, 0), np.inf), "'paths_delay' has values that are not finite"),
        (lambda m: m.update(paths_delay=m["paths_delay"][:, :1]), "delay: expected the shape"),
        (lambda m: m.update(paths_near=m["paths_near"].astype(float)), "'paths_near' has dtype float64"),
        (lambda m: m.update(frequencies=np.arange(3.0)), "channels: expected shape"),
        (lambda m: m.update(paths_delay=np.array([{}], object)), "pickles"),
    ],
)
def test_foreign_and_inconsistent_files(tmp_path, batch, change, text):
    batch.save(tmp_path / "good.npz")
    rewritten(tmp_path / "good.npz", tmp_path / "bad.npz", change)
    with pytest.raises(ValueError, match=f"bad.npz.*{text}"):
        ChannelBatch.load(tmp_path / "bad.npz")


def test_other_files(tmp_path, batch):
    (tmp_path / "a.npz").write_text("hello")
    (tmp_path / "a.h5").write_text("hello")
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    for name in ("a.npz", "a.h5", "zip.npz"):
        with pytest.raises(ValueError, match=name):
            ChannelBatch.load(tmp_path / name)
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["channels"] = np.ones(3)
    with pytest.raises(ValueError, match="another kind"):
        ChannelBatch.load(tmp_path / "other.h5")
    with pytest.raises(OSError):
        ChannelBatch.load(tmp_path / "missing.npz")
    for path, text in (("a.mat", "ending in .npz"), ("no/such/folder.npz", "existing folder")):
        with pytest.raises(ValueError, match=text):
            batch.save(tmp_path / path)


def test_hdf5_without_h5py_says_what_to_do(tmp_path, batch, monkeypatch):
    imported = builtins.__import__

    def without_h5py(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_h5py)
    with pytest.raises(ValueError, match="h5py.*or use .npz"):
        batch.save(tmp_path / "a.h5")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_write_that_fails_leaves_the_old_file(tmp_path, batch, suffix):
    hdf5(suffix)
    path = tmp_path / f"a{suffix}"
    batch.save(path)
    before = path.read_bytes()

    def interrupted():
        yield batch
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        save_pieces(path, 10, interrupted())
    with pytest.raises(ValueError, match="pieces: expected 10 channels in all, got 5"):
        save_pieces(path, 10, [batch])
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_batches_check_what_they_hold(batch):
    good = dict(channels=batch.channels, paths=batch.paths, frequencies=None, config=batch.config, seed=0)
    for change, text in (
        (dict(channels=batch.channels[0]), "channels: expected shape"),
        (dict(channels=batch.channels.astype(complex)), "complex64"),
        (dict(paths={}), "paths: expected a PathTable"),
        (dict(seed=1.5), "seed"),
        (dict(config=None), "config"),
        (dict(frequencies=np.ones(2)), "channels: expected shape"),
    ):
        with pytest.raises(ValueError, match=text):
            ChannelBatch(**{**good, **change})
    assert "5x2x1024" in repr(batch)


def test_progress_counts_every_channel():
    seen = []
    config().draw(150, progress=seen.append)
    assert sum(seen) == 150 and len(seen) == 3
