# SPDX-License-Identifier: GPL-3.0-or-later
"""Absorption models against independent figures, their limits, and the loss of a path."""

import csv

import numpy as np
import pytest

from gnuradio.thzum.channel import (
    Atmosphere,
    LineList,
    absorption_model,
    absorption_models,
    absorption_noise_temperature,
    amplitude_gain,
    free_space_gain,
    path_loss_db,
    plot_absorption,
    transmittance,
)
from gnuradio.thzum.channel.absorption import p676_lines

GHZ = 1e9
LIGHT_CM_GHZ = 29.9792458  # cm GHz
DRY = Atmosphere(vapour_density=0)


@pytest.fixture(scope="module")
def itur(data):
    """Table of an independent implementation: {(temperature, dry pressure, density): array [n, 3]}."""
    tables = {}
    with open(data / "p676_itur.csv", encoding="ascii", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            t, p, rho, *values = map(float, row)
            tables.setdefault((t, p, rho), []).append(values)
    return {key: np.array(rows) for key, rows in tables.items()}


def test_p676_agrees_with_an_independent_implementation(itur):
    p676 = absorption_model("p676")
    assert len(itur) == 4
    for state, table in itur.items():
        frequency, dry, wet = table.T
        assert len(frequency) == 278 and frequency[0] == 1 and frequency[-1] == 1000
        air = Atmosphere(*state)
        assert p676.oxygen(frequency * GHZ, air) == pytest.approx(dry, rel=1e-5)
        assert p676.water_vapour(frequency * GHZ, air) == pytest.approx(wet, rel=1e-5)
        assert p676.specific_attenuation(frequency * GHZ, air) == pytest.approx(dry + wet, rel=1e-5)


def test_p676_at_the_known_frequencies():
    """Spot values of P.676 in its reference air (15 degrees C, 1013.25 hPa, 7.5 g/m^3), to their last digit."""
    expected = {300: (5.25, 2), 325: (37.9, 1), 380: (298, 0), 557: (17107, 0), 850: (78.7, 1), 1000: (696, 0)}
    p676 = absorption_model("p676")
    for frequency, (level, digits) in expected.items():
        assert round(p676.specific_attenuation(frequency * GHZ), digits) == level


def test_p676_peaks_at_its_lines_and_needs_water_for_those_of_water():
    assert len(p676_lines.OXYGEN) == 44 and len(p676_lines.WATER_VAPOUR) == 35
    p676 = absorption_model("p676")
    for centre in (183.310087, 325.152888, 556.935985, 752.033113):
        beside = p676.coefficient(np.array([centre - 1.5, centre, centre + 1.5]) * GHZ)
        assert beside[1] > beside[0] and beside[1] > beside[2]
        assert p676.water_vapour(centre * GHZ, DRY) == 0
    assert p676.oxygen(118.750334 * GHZ, DRY) > 1
    # To first order in the density: twice the vapour, twice the absorption.
    once, twice = (p676.water_vapour(300 * GHZ, Atmosphere(vapour_density=d)) for d in (0.01, 0.02))
    assert twice / once == pytest.approx(2, rel=1e-3)


def test_shapes_and_units():
    p676 = absorption_model("p676")
    grid = np.linspace(100, 900, 6).reshape(2, 3) * GHZ
    k = p676.coefficient(grid)
    assert k.shape == (2, 3) and np.isscalar(p676.coefficient(300 * GHZ))
    # exp(-k d) at 1 km is the specific attenuation.
    assert -10 * np.log10(np.exp(-k[0, 0] * 1000)) == pytest.approx(p676.specific_attenuation(grid)[0, 0])
    assert k[0, 1] == p676.coefficient(grid[0, 1])
    assert p676.coefficient([]).shape == (0,)


@pytest.mark.parametrize("name", ["p676", "kokkoniemi100", "kokkoniemi275"])
def test_models_refuse_what_they_do_not_cover(name):
    model = absorption_model(name)
    low, high = model.frequency_range
    assert np.all(model.coefficient([low, high]) > 0)
    for bad in (np.nextafter(low, 0), np.nextafter(high, np.inf), np.nan, np.inf, -1.0, [low, 2 * high]):
        with pytest.raises(ValueError, match="frequency: expected"):
            model.coefficient(bad)
    with pytest.raises(ValueError, match="frequency: expected numbers"):
        model.coefficient("300 GHz")
    with pytest.raises(ValueError, match="Atmosphere"):
        model.coefficient(300 * GHZ, 288.15)


def test_above_1_thz_lines_are_asked_for():
    with pytest.raises(ValueError, match="line_list"):
        absorption_model("p676").coefficient(1.2e12)
    for no_lines in ({}, {"lines": [], "frequency_range": (1e12, 2e12)}):
        with pytest.raises(ValueError, match="no line data above 1 THz"):
            absorption_model("line_list", **no_lines)


@pytest.mark.parametrize(
    "fields, name",
    [
        (dict(temperature=100), "temperature"),
        (dict(temperature=15), "temperature"),
        (dict(temperature=np.nan), "temperature"),
        (dict(temperature="warm"), "temperature"),
        (dict(dry_pressure=0), "dry_pressure"),
        (dict(dry_pressure=101325), "dry_pressure"),
        (dict(vapour_density=-1), "vapour_density"),
        (dict(vapour_density=np.inf), "vapour_density"),
        (dict(vapour_density=20), "vapour_density: expected at most saturation"),
    ],
)
def test_impossible_atmospheres_are_refused(fields, name):
    with pytest.raises(ValueError, match=name):
        Atmosphere(**fields)


def test_atmosphere_from_relative_humidity():
    air = Atmosphere.from_relative_humidity(293.15, 1013.25, 50)
    assert air.pressure == pytest.approx(1013.25)
    assert air.relative_humidity == pytest.approx(50)
    # Saturated air at 20 C holds 17.3 g/m^3 (psychrometric tables).
    assert air.vapour_density == pytest.approx(17.3 / 2, rel=5e-3)
    assert air.vapour_mixing_ratio == pytest.approx(air.vapour_pressure / 1013.25)
    with pytest.raises(ValueError, match="relative_humidity"):
        Atmosphere.from_relative_humidity(relative_humidity=120)
    with pytest.raises(AttributeError):
        air.temperature = 300


POLYNOMIALS = ("kokkoniemi100", "kokkoniemi275")


@pytest.mark.parametrize(
    "name, humidity, frequency, expected",
    [
        ("kokkoniemi100", 20, 110, 1.0499390e-04),
        ("kokkoniemi100", 20, 183, 3.8431559e-03),
        ("kokkoniemi100", 20, 300, 2.6547692e-04),
        ("kokkoniemi100", 20, 440, 1.1390613e-02),
        ("kokkoniemi275", 20, 290, 3.6518992e-04),
        ("kokkoniemi275", 20, 325, 5.2160082e-03),
        ("kokkoniemi275", 20, 380, 4.1540265e-02),
        ("kokkoniemi100", 80, 110, 3.9721766e-04),
        ("kokkoniemi100", 80, 183, 1.4299876e-02),
        ("kokkoniemi100", 80, 300, 1.1105245e-03),
        ("kokkoniemi100", 80, 440, 4.5913862e-02),
        ("kokkoniemi275", 80, 290, 6.1835202e-04),
        ("kokkoniemi275", 80, 325, 1.8080845e-02),
        ("kokkoniemi275", 80, 380, 1.4696659e-01),
    ],
)
def test_polynomial_models_equal_a_second_transcription(name, humidity, frequency, expected):
    """1/m, evaluated from other people's transcriptions of the papers: MATLAB for the six lines, and
    YuanjianLi/THz_MolecularAbsorption for the two; 25 degrees C, 1013.25 hPa."""
    air = Atmosphere.from_relative_humidity(298.15, 1013.25, humidity)
    assert absorption_model(name).coefficient(frequency * GHZ, air) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    "name, centre, half_width",
    [
        ("kokkoniemi100", 118.750, 1.5),
        ("kokkoniemi100", 183.310, 3.0),
        ("kokkoniemi100", 325.153, 3.0),
        ("kokkoniemi100", 380.197, 3.0),
        ("kokkoniemi100", 448.001, 3.0),
        ("kokkoniemi275", 325.153, 3.0),
        ("kokkoniemi275", 380.197, 3.0),
    ],
)
def test_polynomial_models_peak_inside_the_known_lines(name, centre, half_width):
    """At the line centres of P.676, to less than the half width of the line at sea level in GHz; the line at
    439 GHz is a shoulder of that at 448 GHz and has no peak of its own."""
    near = np.arange(max(centre - 6, 100), min(centre + 6, 450), 0.01)
    near = near[near <= (400 if name == "kokkoniemi275" else 450)]
    k = absorption_model(name).coefficient(near * GHZ, Atmosphere(vapour_density=2.0))
    assert abs(near[np.argmax(k)] - centre) < half_width


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomial_models_grow_with_humidity_like_p676(name):
    """More vapour, more absorption at every frequency. Against P.676 the bounds guard the units and the power
    of ten, no more: the same within a quarter at the line centres, where lines alone count, and in the windows
    between the same and four times less, the spread that published models are known for."""
    model = absorption_model(name)
    low, high = model.frequency_range
    frequency = np.linspace(max(low, 150e9), high, 400)
    states = [Atmosphere.from_relative_humidity(298.15, 1013.25, humidity) for humidity in (5, 20, 50, 80, 100)]
    k = np.array([model.coefficient(frequency, air) for air in states])
    assert np.all(np.diff(k, axis=0) > 0)
    p676 = absorption_model("p676")
    centres = np.array([325.153, 380.197]) * GHZ
    ratio = model.coefficient(centres, states[2]) / p676.coefficient(centres, states[2])
    assert ratio == pytest.approx([1, 1], rel=0.25)
    windows = np.array([290, 300, 345, 400]) * GHZ
    ratio = model.coefficient(windows, states[2]) / p676.coefficient(windows, states[2])
    assert np.all((ratio > 0.25) & (ratio < 1))


def test_pseudo_line_of_p676_is_the_continuum(monkeypatch):
    """It makes most of the attenuation of the windows, and little of that at a strong line."""
    frequency = np.array([220, 300, 345, 410, 380.197]) * GHZ
    whole = absorption_model("p676").water_vapour(frequency)
    share = 1 - without_pseudo_line(frequency, Atmosphere(), monkeypatch) / whole
    assert np.all(share[:2] > 0.5) and share[-1] < 0.05


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomial_models_refuse_other_air(name):
    model = absorption_model(name)
    for air in (Atmosphere(dry_pressure=700), Atmosphere(temperature=250, vapour_density=0.1)):
        with pytest.raises(ValueError, match="takes a"):
            model.coefficient(300 * GHZ, air)
    assert np.all(model.coefficient(np.linspace(280, 390, 100) * GHZ, DRY) >= 0)


def test_constant_model_and_registry():
    model = absorption_model("constant", coefficient_per_m=0.0033)
    assert np.array_equal(model.coefficient([1.0, 3e11, 5e13]), [0.0033] * 3)
    assert model.specific_attenuation(3e11) == pytest.approx(14.33, abs=0.01)
    assert absorption_models() == ["constant", "kokkoniemi100", "kokkoniemi275", "line_list", "p676"]
    with pytest.raises(ValueError, match="expected one of"):
        absorption_model("hitran")
    with pytest.raises(ValueError, match="options"):
        absorption_model("p676", colour="blue")
    for bad in (-1, np.nan, np.inf):
        with pytest.raises(ValueError, match="coefficient_per_m"):
            absorption_model("constant", coefficient_per_m=bad)


def water_lines_in_hitran_units():
    """The water lines of P.676 below 1 THz as a HITRAN-like list at 300 K.

    Near 300 K, S of P.676 and the intensity of a database are the same function of temperature when
    b2 = (E'' + nu / 2) c2 / 300 K, to second order in h nu / k T.
    """
    centre, b1, b2, b3, b4, b5, _ = np.array(p676_lines.WATER_VAPOUR[:-1]).T
    nu = centre / LIGHT_CM_GHZ
    # k / F of both forms at 1 hPa: 0.182 f_i S / 4343 in 1/(m GHz), and 100 n S / pi in 1/(m cm) with n
    # molecules per cm^3.
    molecules = 1e-4 / (1.380649e-23 * 300)
    intensity = 0.182 * centre * b1 * 0.1 / (1e4 * np.log10(np.e)) * np.pi / (100 * molecules * LIGHT_CM_GHZ)
    width = b3 * 1e-4 * 1013.25 / LIGHT_CM_GHZ
    return nu, intensity, width, b5 * width, b2 * 300 / 1.438776877 - nu / 2, b4


def without_pseudo_line(frequency, air, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(p676_lines, "WATER_VAPOUR", p676_lines.WATER_VAPOUR[:-1])
        return absorption_model("p676").water_vapour(frequency, air)


def test_line_list_reproduces_p676_from_its_own_lines(monkeypatch):
    fields = water_lines_in_hitran_units()
    lines = LineList(*fields, reference_temperature=300)
    model = absorption_model("line_list", lines=lines, frequency_range=(1e9, 1e12))
    frequency = np.linspace(10, 1000, 500) * GHZ
    for temperature, tolerance in ((300, 3e-3), (280, 1e-2), (315, 1e-2)):
        air = Atmosphere(temperature, 1000, 5)
        expected = without_pseudo_line(frequency, air, monkeypatch)
        assert model.specific_attenuation(frequency, air) == pytest.approx(expected, rel=tolerance)
    # HITRAN, as quoted in the data of TeraMIMO, gives 7.74e-23 cm/molecule at 296 K for the line at 6.114567 1/cm
    # (183.31 GHz), with the widths 0.0992 and 0.519 1/cm/atm; two compilations of line data agree to 5 %.
    line = np.argmin(abs(fields[0] - 6.114567))
    assert lines.intensity_at(296)[line] == pytest.approx(7.74e-23, rel=0.05)
    assert fields[2][line] == pytest.approx(0.0992, rel=0.05) and fields[3][line] == pytest.approx(0.519, rel=0.05)


def hitran_record(nu, intensity, air_width, self_width, energy, exponent, molecule=1):
    start = f"{molecule:2d}1{nu:12.6f}{intensity:10.3E} 1.000E+00"
    return (start + f"{air_width:5.4f}"[-5:] + f"{self_width:5.3f}{energy:10.4f}{exponent:4.2f}").ljust(160)


def test_line_list_from_a_hitran_file_above_1_thz(tmp_path):
    path = tmp_path / "lines.par"
    water = (36.604137, 1.6e-19, 0.0992, 0.455, 136.7617, 0.76)
    records = [hitran_record(*water), hitran_record(37.1, 1e-26, 0.05, 0.05, 1.0, 0.7, molecule=7), ""]
    path.write_text("\n".join(records), encoding="ascii")
    lines = LineList.from_hitran(path)
    assert len(lines) == 1
    for name, value in zip(("centre", "intensity", "air_width", "self_width", "lower_energy"), water):
        assert getattr(lines, name)[0] == pytest.approx(value)
    assert lines.width_exponent[0] == 0.76
    model = absorption_model("line_list", lines=[lines], frequency_range=(1.05e12, 1.15e12))
    grid = np.arange(1.05e12, 1.15e12, 1e8)
    k = model.coefficient(grid)
    assert grid[np.argmax(k)] == pytest.approx(36.604137 * LIGHT_CM_GHZ * GHZ, abs=1e8)
    # Far from zero frequency the shape is a Lorentzian: its area is the intensity times the density.
    inside = np.trapz(k, grid / (LIGHT_CM_GHZ * GHZ))
    air = Atmosphere()
    molecules = 1e-4 * air.vapour_pressure / (1.380649e-23 * air.temperature)
    assert inside == pytest.approx(100 * molecules * lines.intensity_at(air.temperature)[0], rel=0.08)
    with pytest.raises(ValueError, match="widen frequency_range"):
        model.coefficient(1.2e12)
    with pytest.raises(ValueError, match="from 100 hPa"):
        model.coefficient(1.1e12, Atmosphere(220, 50, 0))
    with pytest.raises(ValueError, match="no line of molecule 2"):
        LineList.from_hitran(path, molecule=2)
    path.write_text("frequency,intensity\n", encoding="ascii")
    with pytest.raises(ValueError, match="not a HITRAN record"):
        LineList.from_hitran(path)


def test_bad_line_lists_are_refused():
    good = dict(centre=40.0, intensity=1e-20, air_width=0.1, self_width=0.5)
    good.update(lower_energy=100, width_exponent=0.7)
    assert len(LineList(**good)) == 1
    changes = [("centre", 0), ("centre", []), ("intensity", -1), ("air_width", np.nan)]
    changes += [("width_exponent", np.inf), ("intensity", [1, 2]), ("mixing_ratio", 2)]
    changes += [("reference_temperature", 0), ("lower_energy", "low")]
    for name, value in changes:
        fields = dict(good, centre=[40.0, 41.0, 42.0]) if value == [1, 2] else good
        with pytest.raises(ValueError, match=name):
            LineList(**{**fields, name: value})
    for bad in (None, (2e12, 1e12), (0, 1e12), 1e12, ("a", "b")):
        with pytest.raises(ValueError, match="frequency_range"):
            absorption_model("line_list", lines=LineList(**good), frequency_range=bad)
    oxygen = LineList(**good, mixing_ratio=0.2)
    assert oxygen.coefficient(1.2e12, DRY) > 0 and LineList(**good).coefficient(1.2e12, DRY) == 0


def test_path_loss():
    # 20 log10(4 pi d f / c) at 300 GHz and 10 m.
    assert path_loss_db(300 * GHZ, 10.0, absorption_model("constant", coefficient_per_m=0)) == pytest.approx(
        101.98, abs=0.01
    )
    frequency, distance = np.array([300, 380, 557]) * GHZ, np.array([[1.0], [30.0]])
    gain = amplitude_gain(frequency, distance)
    assert gain.shape == (2, 3)
    assert -20 * np.log10(gain) == pytest.approx(path_loss_db(frequency, distance))
    k = absorption_model("p676").coefficient(frequency)
    assert (gain / free_space_gain(frequency, distance)) ** 2 == pytest.approx(np.exp(-k * distance))
    assert transmittance(frequency, 0.0) == pytest.approx(1)
    # 17107 dB/km leave nothing of the amplitude at 1 km; the loss in dB stays finite.
    assert amplitude_gain(557 * GHZ, 1e3) == 0
    assert path_loss_db(557 * GHZ, 1e3) == pytest.approx(17107 + 147.3, rel=2e-3)


def test_absorption_noise():
    air = Atmosphere()
    assert absorption_noise_temperature(557 * GHZ, 100.0) == pytest.approx(air.temperature)
    thin = absorption_noise_temperature(300 * GHZ, 1.0)
    assert thin == pytest.approx(air.temperature * absorption_model("p676").coefficient(300 * GHZ), rel=1e-3)


def test_bad_paths_are_refused():
    for bad in (0, -1, np.nan, np.inf, "far"):
        with pytest.raises(ValueError, match="distance"):
            path_loss_db(300 * GHZ, bad)
    with pytest.raises(ValueError, match="wavelength"):
        free_space_gain(300 * GHZ, 1e-6)
    with pytest.raises(ValueError, match="expected one of"):
        transmittance(300 * GHZ, 1.0, model="none")
    with pytest.raises(ValueError, match="frequency"):
        amplitude_gain(2e12, 1.0)


def test_figure_of_absorption(tmp_path):
    figure = plot_absorption()
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["p676", "kokkoniemi100", "kokkoniemi275"]
    x, y = axes.lines[0].get_data()
    assert x[0] == 1 and x[-1] == 1000 and y.max() == pytest.approx(17107, rel=0.01)
    assert axes.lines[2].get_xdata()[[0, -1]].tolist() == [275, 400]
    figure.savefig(tmp_path / "absorption.png")
    assert (tmp_path / "absorption.png").read_bytes()[:4] == b"\x89PNG"
    assert plot_absorption([3e11], ["p676"], axes=axes) is figure
    with pytest.raises(ValueError, match="kokkoniemi275"):
        plot_absorption(np.array([1e11]), ["kokkoniemi275"])
