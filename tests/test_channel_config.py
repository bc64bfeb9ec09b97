# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel configurations: one entrance for dictionaries, YAML and JSON, with one clear error for what is wrong."""

import json

import numpy as np
import pytest

from gnuradio.thzum import channel
from gnuradio.thzum.array import SubarrayArray, array_preset
from gnuradio.thzum.channel import ChannelConfig, FrequencyGrid, HybridFieldChannel, Scene, from_config, sampling
from gnuradio.thzum.channel.config_file import parse_yaml

PRESET = {"model": "thz300_aosa4x256"}
USERS = {"users": {"kind": "sector"}}


def scene(**parts):
    return {"array": "thz300_aosa4x256", "model": {"scene": {**USERS, **parts}}}


def fixed(*positions):
    return {"array": "thz300_aosa4x256", "model": {"scene": {"users": {"kind": "fixed", "positions": positions}}}}


def test_a_preset_is_a_configuration():
    config = from_config("thz300_aosa4x256")
    model = config.build()
    assert isinstance(model, HybridFieldChannel) and model.array == array_preset("thz300_aosa4x256")
    assert model.n_paths == channel.preset("thz300_aosa4x256").n_paths
    assert config.draw(2).channels.shape == (2, 1024)
    assert from_config(config) is config


def test_changes_of_a_preset():
    config = ChannelConfig.from_dict(
        {
            "array": {"preset": "thz300_aosa4x256", "carrier_frequency": 150e9, "position": [1, 2, 3]},
            "model": {"preset": "thz140_aosa32x64", "n_paths": 2, "refractive_index": "2 - 0.5j"},
        }
    )
    model = config.build()
    assert model.array == SubarrayArray(2, 2, 16, 16, 150e9, 0.2, 56.0, position=(1, 2, 3))
    assert model.n_paths == 2 and model.refractive_index == 2 - 0.5j and model.los_distance == 20
    # Without a preset of its own the section changes the model's array.
    config = ChannelConfig.from_dict({"array": {"rows": 8}, **PRESET})
    assert config.build().array.rows == 8 and config.build().array.cols == 16


def test_grid_is_around_the_carrier_unless_told_otherwise():
    grid = ChannelConfig.from_dict({**PRESET, "frequencies": {"bandwidth": 8e9, "subcarriers": 4}}).frequencies
    assert grid == FrequencyGrid(300e9, 8e9, 4) and grid.spacing == 2e9
    assert grid.values() == pytest.approx([296e9, 298e9, 300e9, 302e9])
    other = {"centre": 290e9, "bandwidth": 8e9, "subcarriers": 4}
    assert ChannelConfig.from_dict({**PRESET, "frequencies": other}).frequencies.values()[2] == 290e9


FULL = {
    **scene(
        line_of_sight={"k_factor_db": 10},
        image_reflections={"max_order": 1},
        room={"corner": [-60, -20, -1], "size": [120, 40, 80]},
        diffuse={"n_rays": 2},
        clusters={"mean_clusters": 3, "max_paths": 32},
        blockage={"subarray_probability": 0.1},
        visibility={"visible_fraction": 0.7},
        path_loss={"exponent": 2.1, "absorption": "constant", "absorption_options": {"coefficient_per_m": 0.01}},
        mobility={"speed": 2},
    ),
    "frequencies": {"bandwidth": 1e9, "subcarriers": 2},
    "users": 2,
    "batch": 3,
    "seed": 7,
    "time": 0.01,
    "sample_rate": 1e9,
    "hardware": {
        "adc": {"bits": 4}, "phase_noise": {"k0": 1e-11}, "phase_shifter": {"bits": 3}, "iq_imbalance": {},
        "sampling_offset": {"ppm": 10}, "frequency_offset": {"offset": 1e5}, "power_amplifier": {"saturation": 2.0},
    },
}  # fmt: skip


NEAR = {"model": {"preset": "nearfield_panel1024", "n_paths": 2}}


@pytest.mark.parametrize("config", [PRESET, NEAR, scene(), FULL], ids=["preset", "near", "scene", "full"])
def test_plain_data_and_back(tmp_path, config):
    first = ChannelConfig.from_dict(config)
    plain = first.to_dict()
    assert plain == json.loads(json.dumps(plain, allow_nan=False))
    assert ChannelConfig.from_dict(plain).to_dict() == plain
    (tmp_path / "a.json").write_text(json.dumps(plain))
    again = from_config(str(tmp_path / "a.json"))
    assert np.array_equal(again.draw(2).channels, first.draw(2).channels)
    assert again.to_dict() == plain


def test_scene_configurations_build_scenes():
    config = ChannelConfig.from_dict(FULL)
    model = config.build()
    assert isinstance(model, Scene) and model.line_of_sight.k_factor_db == 10 and model.clusters.max_paths == 32
    drawn = config.draw()
    assert drawn.channels.shape == (3, 2, 2, 1024) and drawn.paths.shape == (3, 2, model.n_paths)
    inside = {"model": {"scene": {"array": "thz300_aosa4x256", **USERS}}}
    assert ChannelConfig.from_dict(inside).to_dict() == ChannelConfig.from_dict(scene()).to_dict()


def test_yaml_and_json(tmp_path):
    text = """
    model: {preset: thz300_aosa4x256, n_paths: 3}
    frequencies: {bandwidth: 10e9, subcarriers: 4}   # 10e9 is text for YAML 1.1
    users: 2
    hardware:
      adc: {bits: 4}
    """
    (tmp_path / "a.yaml").write_text(text)
    config = from_config(tmp_path / "a.yaml")
    assert config.frequencies.bandwidth == 10e9 and config.users == 2 and config.build_hardware().adc.bits == 4
    assert parse_yaml("[1e3, 1.5e-3, -2, .5, 1e3m, 3, yes, 1_0]")[:7] == [1000.0, 0.0015, -2, 0.5, "1e3m", 3, True]
    for name, content, expected in (
        ("b.yaml", "users: 1\nusers: 2\nmodel: x", "expected each key once, got 'users'"),
        ("b.json", '{"users": 1, "users": 2}', "expected each key once, got 'users'"),
        ("b.yaml", "model: [", "expected YAML"),
        ("b.json", '{"model": ', "expected JSON"),
        ("b.yaml", "- 1", "names with values"),
        ("b.yaml", "", "names with values"),
        ("b.yaml", "model: !!python/object/apply:os.getcwd []", "expected YAML"),
        ("b.yaml", "modell: x", "did you mean 'model'"),
        ("b.toml", "", "expected a file .yaml"),
    ):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=expected) as caught:
            from_config(tmp_path / name)
        assert name in str(caught.value) and "\n" not in str(caught.value)
    (tmp_path / "c.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="c.yaml.*UTF-8"):
        from_config(tmp_path / "c.yaml")
    with pytest.raises(OSError):
        from_config(tmp_path / "none.yaml")


BAD = [
    ({}, "model: expected one of"),
    ([], "config: expected a dictionary"),
    ({"model": "thz300_aosa"}, "model: expected one of .*got 'thz300_aosa'; did you mean"),
    ({"model": 3}, "model: expected a dictionary"),
    ({"model": {}}, "model: expected 'preset' or 'scene'"),
    ({"model": {"preset": "thz300_aosa4x256", "scene": {}}}, "model: expected keys among"),
    ({**PRESET, "user": 2}, "config: expected keys among .*'users'.*got 'user'; did you mean 'users'"),
    ({**PRESET, 3: 2}, "config: expected names as keys"),
    ({**PRESET, "users": 5}, "users: expected at most 4, the number of RF chains"),
    ({**PRESET, "users": 0}, "users: expected an integer of at least 1"),
    ({**PRESET, "users": 2.5}, "users"),
    ({**PRESET, "batch": 0}, "batch"),
    ({**PRESET, "batch": True}, "batch"),
    ({**PRESET, "seed": -1}, "seed"),
    ({**PRESET, "seed": "0"}, "seed"),
    ({**PRESET, "normalise": "yes please"}, "normalise: expected True or False"),
    ({**PRESET, "wavefront": "sperical"}, "wavefront.*did you mean 'spherical'"),
    ({**PRESET, "resolution": "exact"}, "resolution"),
    ({**PRESET, "time": 1.0}, "time: expected 0 for a model without mobility"),
    ({**PRESET, "sample_rate": -1.0}, "sample_rate"),
    ({**PRESET, "array": "thz300_aosa"}, "array: expected one of.*did you mean 'thz300_aosa4x256'"),
    ({**PRESET, "array": {"row": 3}}, "array: expected keys.*did you mean 'rows'"),
    ({**PRESET, "array": {"rows": 0}}, "array.rows"),
    ({**PRESET, "array": {"rows": "16"}}, "array.rows"),
    ({**PRESET, "array": {"spacing": -0.5}}, "array.spacing"),
    ({**PRESET, "array": {"gap": -1}}, "array.gap"),
    ({**PRESET, "array": {"carrier_frequency": 0}}, "array.carrier_frequency"),
    ({**PRESET, "array": {"position": [1, 2]}}, "array.position"),
    ({**PRESET, "array": {"carrier_frequency": 1.2e12}}, "carrier_frequency.*at most 1 THz.*lines"),
    ({"model": {"preset": "thz300_aosa4x256", "n_path": 3}}, "model: expected keys.*did you mean 'n_paths'"),
    ({"model": {"preset": "thz300_aosa4x256", "n_paths": 0}}, "model.n_paths"),
    ({"model": {"preset": "thz300_aosa4x256", "los_distance": -30}}, "model.los_distance: expected a number above 0"),
    ({"model": {"preset": "thz300_aosa4x256", "scatterer_distance": [25, 10]}}, "model.scatterer_distance"),
    ({"model": {"preset": "thz300_aosa4x256", "scatterer_distance": [-1, 10]}}, "model.scatterer_distance"),
    ({"model": {"preset": "thz300_aosa4x256", "scatterer_distance": 3}}, "model.scatterer_distance"),
    ({"model": {"preset": "thz300_aosa4x256", "delay_spread": -0.1}}, "model.delay_spread"),
    ({"model": {"preset": "thz300_aosa4x256", "refractive_index": "glass"}}, "model.refractive_index"),
    ({**PRESET, "frequencies": {"bandwidth": 400e9, "subcarriers": 4}}, "frequencies.bandwidth: expected less than"),
    ({**PRESET, "frequencies": {"bandwidth": -1, "subcarriers": 4}}, "frequencies.bandwidth"),
    ({**PRESET, "frequencies": {"bandwidth": "10e9", "subcarriers": 4}}, "frequencies.bandwidth"),
    ({**PRESET, "frequencies": {"bandwidth": 1e9, "subcarriers": 0}}, "frequencies.subcarriers"),
    ({**PRESET, "frequencies": {"bandwidth": 1e9}}, "frequencies.subcarriers: expected a number, got none"),
    ({**PRESET, "frequencies": {"bandwidth": 1e9, "subcarrier": 4}}, "did you mean 'subcarriers'"),
    ({**PRESET, "frequencies": 300e9}, "frequencies: expected a dictionary"),
    ({**PRESET, "hardware": {"adcs": {}}}, "hardware.*'adcs'"),
    ({**PRESET, "hardware": {"adc": {"bits": 99}}}, "hardware.adc: bits"),
    ({**PRESET, "hardware": [1]}, "hardware: expected a dictionary"),
    ({"model": {"scene": USERS}}, "array: expected one for the scene"),
    ({"model": {"scene": {"array": "thz300_aosa4x256", **USERS}}, "array": "thz300_aosa4x256"}, "in one place"),
    ({"array": "thz300_aosa4x256", "model": {"scene": {}}}, "model.scene.users"),
    ({"array": "thz300_aosa4x256", "model": {"scene": 3}}, "model.scene: expected a dictionary"),
    (scene(clutter={}), "did you mean 'clusters'"),
    (scene(clusters={"mean_ray": 3}), "did you mean 'mean_rays'"),
    (scene(clusters={"min_distance": -3}), "clusters: min_distance"),
    (scene(path_loss={"absorption": "p677"}), "p677"),
    ({**scene(), "array": {"preset": "thz300_aosa4x256", "carrier_frequency": 1.2e12}}, "1000 GHz.*your own lines"),
    (
        {
            **scene(),
            "array": {"preset": "thz300_aosa4x256", "carrier_frequency": 990e9},
            "frequencies": {"bandwidth": 40e9, "subcarriers": 4},
        },
        "frequencies, model.scene.path_loss.*1010 GHz",
    ),
    (
        {**fixed([0, 0, 5]), "users": 2},
        "users: expected 1, one for each fixed position, got 2",
    ),
    (
        fixed([0.01, 0.01, 0]),
        "inside the array|outside the array",
    ),
    (scene(path_loss={"absorption": "line_list", "absorption_options": {"file": 3}}), "absorption_options.file"),
    (
        scene(path_loss={"absorption": "line_list", "absorption_options": {"file": "x", "range": [1, 2]}}),
        "absorption_options: expected keys",
    ),
]  # fmt: skip


@pytest.mark.parametrize("config, text", BAD)
def test_one_clear_error_before_anything_is_computed(config, text, monkeypatch):
    def computed(*args, **kwargs):
        raise AssertionError("computed")

    monkeypatch.setattr(HybridFieldChannel, "draw_paths", computed)
    monkeypatch.setattr(Scene, "draw_paths", computed)
    monkeypatch.setattr(sampling, "response", computed)
    with pytest.raises(ValueError, match=text) as caught:
        ChannelConfig.from_dict(config)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_more_users_than_chains_when_asked_for():
    config = ChannelConfig.from_dict({**PRESET, "users": 5, "allow_overload": True, "batch": 2})
    assert config.draw().channels.shape == (2, 5, 1024)


def test_above_one_terahertz_with_lines_or_in_a_vacuum(tmp_path):
    high = {"preset": "thz300_aosa4x256", "carrier_frequency": 1.2e12}
    vacuum = {**scene(path_loss={"absorption": None}), "array": high, "batch": 2}
    assert ChannelConfig.from_dict(vacuum).draw().channels.shape == (2, 1024)
    # One HITRAN record: molecule, isotope, centre, intensity, A, widths, lower energy, exponent, shift, rest.
    record = f"{1:2d}1{40.0:12.6f}{1e-20:10.3e}{0.0:10.3e}{0.09:5.3f}{0.4:5.3f}{100.0:10.4f}{0.7:4.2f}{0.0:8.5f}"
    (tmp_path / "water.par").write_text(record.ljust(160) + "\n")
    options = {"file": str(tmp_path / "water.par"), "frequency_range": [1.1e12, 1.3e12]}
    lines = {**vacuum, **scene(path_loss={"absorption": "line_list", "absorption_options": options}), "array": high}
    config = ChannelConfig.from_dict(lines)
    assert np.all(config.draw().paths.amplitude > 0)
    plain = config.to_dict()
    assert plain["model"]["scene"]["path_loss"]["absorption_options"] == options
    assert ChannelConfig.from_dict(json.loads(json.dumps(plain))).to_dict() == plain
    options["frequency_range"] = [1.1e12, 1.15e12]
    with pytest.raises(ValueError, match="path_loss.*1100 to 1150 GHz.*1200 GHz|frequency"):
        ChannelConfig.from_dict(lines)


def test_draw_arguments_are_checked():
    config = from_config("thz300_aosa4x256")
    for arguments in ({"batch": 0}, {"batch": 1.5}, {"seed": -1}):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            config.draw(**arguments)
    with pytest.raises(ValueError, match="users"):
        config.replace(users=9)
