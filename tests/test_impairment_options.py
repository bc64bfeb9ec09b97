# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of rf_impairments stand in its registry alone: GRC and the Python models agree with it."""

from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from gnuradio import thzum
from gnuradio.thzum.channel import hardware

YAML = Path(__file__).resolve().parents[1] / "grc" / "thzum_rf_impairments.block.yml"

#: Prefix of the options of each model, where it is not the model's name, and its fields that go by another name.
PREFIXES = {"low_noise_amplifier": "lna", "iq_imbalance": "iq"}
RENAMED = {("frequency_offset", "offset"): "frequency_offset_hz"}
#: Fields that an option of a block replaces: one amplitude, one linewidth, one sample rate is enough.
LEFT_OUT = {("low_noise_amplifier", "saturation"), ("phase_noise", "linewidth")}


def test_grc_has_every_option_with_its_default():
    parameters = {p["id"]: p for p in yaml.safe_load(YAML.read_text())["parameters"]}
    options = thzum.rf_impairments_options()
    assert list(parameters)[:2] == ["n_chains", "sample_rate"]
    assert set(parameters) - {"n_chains", "sample_rate"} == set(options)
    for name, entry in options.items():
        assert eval(parameters[name]["default"]) == entry["default"], name
        assert parameters[name]["dtype"] == ("bool" if isinstance(entry["default"], bool) else parameters[name]["dtype"])


def test_grc_shows_parameters_of_an_effect_in_its_tab_when_it_is_on():
    switch = None
    for parameter in yaml.safe_load(YAML.read_text())["parameters"][2:]:
        if "hide" not in parameter:
            switch = parameter
            assert parameter["dtype"] == "bool"
        else:
            assert parameter["hide"] == f"${{ 'none' if {switch['id']} else 'all' }}"
            assert parameter["category"] == switch["category"]


@pytest.mark.parametrize(
    "name, kind",
    [
        ("low_noise_amplifier", hardware.RappAmplifier),
        ("frequency_offset", hardware.FrequencyOffset),
        ("phase_noise", hardware.PhaseNoise),
        ("iq_imbalance", hardware.IqImbalance),
        ("sampling_offset", hardware.SamplingOffset),
        ("adc", hardware.Adc),
    ],
)
def test_every_parameter_of_the_python_models_is_an_option(name, kind):
    options = thzum.rf_impairments_options()
    assert options[name]["default"] is False
    for field in fields(kind):
        if field.name != "sample_rate" and (name, field.name) not in LEFT_OUT:
            option = RENAMED.get((name, field.name), f"{PREFIXES.get(name, name)}_{field.name}")
            assert option in options
            if isinstance(field.default, (bool, int, float)):
                assert options[option]["default"] == field.default, option
