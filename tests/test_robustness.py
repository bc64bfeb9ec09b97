# SPDX-License-Identifier: GPL-3.0-or-later
"""The robustness matrix in small: the default choice is near the best estimator wherever the model breaks."""

import sys

import numpy as np
import pytest


@pytest.fixture(scope="module")
def robustness(root):
    sys.path.insert(0, str(root / "bench"))
    try:
        import robustness
    finally:
        sys.path.remove(str(root / "bench"))
    return robustness


@pytest.fixture(scope="module")
def matrix(robustness):
    # The estimators see the same channels, so what one is behind another by scatters far less than either.
    return robustness.measure(count=12)


def test_auto_is_near_the_best_in_every_row(robustness, matrix):
    assert set(matrix) == set(robustness.rows())
    assert {name: gap for name, gap in robustness.behind(matrix).items() if gap > 1.5} == {}


def test_rows_are_as_hard_as_they_say(matrix):
    def auto(name):
        return matrix[name]["auto"]["nmse_db"]

    # Errors of 5 degrees rms are 0.0873^2 = -21.2 dB of the channel, which no estimator can know.
    assert auto("5 deg phase errors") > -21.7
    # Standard deviation of a row of 12 channels: about 0.6 dB.
    for harder in ("20 rays a cluster", "half a subarray blocked", "3-bit converters", "noise level -3 dB"):
        assert auto(harder) > auto("nominal") + 1
    assert auto("1 path") < auto("nominal") - 4
    assert auto("gain x1000") == pytest.approx(auto("nominal"), abs=2.5)


def test_damage_is_what_it_says(robustness):
    rng = np.random.default_rng(1)
    h = np.ones((40, 4, 16, 16), complex)
    blocked = robustness._half_blocked(h, rng)
    assert ((blocked == 0).sum(axis=(1, 2, 3)) == 128).all() and (h == 1).all()
    assert ((blocked == 0).any(axis=(2, 3)).sum(axis=1) == 1).all()
    disturbed = robustness._phase_errors(h, rng)
    # 1024 angles: 2.2 % standard deviation of their rms.
    assert np.degrees(np.angle(disturbed[0]).std()) == pytest.approx(5, rel=0.09)
    np.testing.assert_array_equal(disturbed[0], disturbed[1])
    # A 3-bit uniform quantiser leaves 0.03744 of a Gaussian as error (Max 1960, Table II); of 80,000 values
    # that is known to better than 1 %.
    y = rng.standard_normal((10, 4, 4096)) + 1j * rng.standard_normal((10, 4, 4096))
    error = np.mean(abs(robustness.quantised(y) - y) ** 2) / np.mean(abs(y) ** 2)
    assert error == pytest.approx(0.0374, rel=0.02)
    phase = np.angle(robustness._oscillators(np.ones((400, 4, 128)), rng))
    # 1600 walks of 128 steps: 1.8 % standard deviation of their rms end.
    assert np.degrees(phase[..., -1].std()) == pytest.approx(0.5 * np.sqrt(128), rel=0.08)


def test_heat_map_shows_every_figure(robustness, matrix, tmp_path):
    figure = robustness.new_figure(8, 6)
    axes = figure.add_subplot()
    image = robustness.plot(matrix, axes)
    assert image.get_array().shape == (len(matrix), len(robustness.ESTIMATORS))
    assert len(axes.texts) == image.get_array().size
    figure.savefig(tmp_path / "matrix.png")
