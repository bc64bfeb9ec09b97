# SPDX-License-Identifier: GPL-3.0-or-later
"""The denoiser in eight bits: smaller, with a card that tells its own error, and the estimator takes it."""

import os

import numpy as np
import pytest

from gnuradio import thzum
from gnuradio.thzum.training.__main__ import main


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("int8") / "denoiser.onnx")
    main(["int8", "--output", path])
    return thzum.onnx_model.shipped("fpn_oamp"), path


def test_file_is_less_than_half_as_large(files):
    source, eight = files
    assert os.path.getsize(eight) < 0.5 * os.path.getsize(source)


def test_card_is_that_of_the_source_with_an_error_of_its_own(files):
    source, eight = (thzum.Model(path).card for path in files)
    assert "int8" in eight["quantisation"]
    changed = {key for key in source if source[key] != eight[key]}
    assert changed == {"nmse_curve_noise_db", "nmse_curve_db", "measured"}
    error = np.array(eight["nmse_curve_db"].split(","), float)
    assert np.all(np.diff(error) > 0)  # more noise, more error
    assert -8 > error[-1] > -12.6  # in noise of 3 dB: worse than float32, better than half of nothing


def test_estimator_takes_it(files):
    model = thzum.channel.preset("thz300_aosa4x256")
    op = thzum.pilot_operator.hadamard(n_subarrays=4, rows=16, cols=16, n_slots=128, seed=1)
    h = model.sample(8, seed=2)
    rng = np.random.default_rng(3)
    noise = (rng.standard_normal((8, 512, 2)) * np.sqrt(0.05)).view(complex)[..., 0]
    y = (op.measure(h) + noise).astype(np.complex64)
    errors = [
        thzum.metrics.nmse_db(thzum.estimator("fpn_oamp", op, model=path, max_iterations=4).estimate(y, 0.1)[0], h)
        for path in files
    ]
    assert errors[0] + 0.5 < errors[1] < errors[0] + 6.0
