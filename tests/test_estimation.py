# SPDX-License-Identifier: GPL-3.0-or-later
"""Channel estimators against the float64 oracles, closed forms and their own predictions."""

import numpy as np
import pytest
import tiny_models
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gnuradio import thzum
from oracles import estimation as oracle

S, ROWS, COLS, Q = 2, 4, 4, 10
N = S * ROWS * COLS
IDENTITY = np.eye(ROWS * COLS)
MODEL_FREE = ["ls", "lmmse", "omp", "newtonized_omp", "polar_omp", "hybrid_omp", "amp", "oamp"]
GEOMETRY = {name: dict(subarray_centres=[-5, 5]) for name in ("polar_omp", "hybrid_omp")}  # they cannot do without


def model_free(name, op, **options):
    return thzum.estimator(name, op, **GEOMETRY.get(name, {}), **options)


def random_combiner(seed=0, shape=(S, Q, ROWS * COLS)):
    return np.random.default_rng(seed).choice([-1.0, 1.0], shape) / np.sqrt(shape[-1])


def complex_normal(rng, *shape):
    return (rng.normal(size=shape) + 1j * rng.normal(size=shape)) / np.sqrt(2)


def small_operator(noise_model="per_slot", seed=0):
    return thzum.pilot_operator(random_combiner(seed), rows=ROWS, cols=COLS, noise_model=noise_model)


def atoms_of(name, rows=ROWS, cols=COLS):
    dictionary = thzum.dictionary(name, rows, cols)
    return dictionary.synthesize(np.eye(dictionary.coefficients, dtype=np.complex64)).T


def plane_waves(rng, batch, n_paths=2, shape=(S, ROWS, COLS), span=0.2):
    """Channels of a few plane waves, directions shared by the subarrays, E||h||^2 = N."""
    h = np.zeros((batch, *shape), complex)
    for b in range(batch):
        for _ in range(n_paths):
            u, v = rng.uniform(-span, span, 2)
            wave = np.exp(2j * np.pi * (u * np.arange(shape[1])[:, None] + v * np.arange(shape[2])))
            h[b] += complex_normal(rng, shape[0], 1, 1) * wave
    return (h / np.sqrt(n_paths)).reshape(batch, -1)


def noisy_pilots(op, h, noise_var, rng):
    """Pilots with the noise that the operator's model describes."""
    if op.noise_model == "common":
        return op.measure(h + np.sqrt(noise_var) * complex_normal(rng, *h.shape))
    norms = np.linalg.norm(op.combiner, axis=2).ravel()
    y = op.measure(h)
    return y + np.sqrt(noise_var) * norms * complex_normal(rng, *y.shape)


def nmse(h_hat, h):
    return np.mean(np.sum(np.abs(h_hat - h) ** 2, axis=-1) / np.sum(np.abs(h) ** 2, axis=-1))


def relative_error(value, reference):
    return np.linalg.norm(value - reference) / np.linalg.norm(reference)


@pytest.fixture(params=["per_slot", "common"])
def small(request):
    """Operator, its noise model, pilots of six channels and their noise variance."""
    op = small_operator(request.param)
    rng = np.random.default_rng(1)
    noise_var = 0.05
    return op, request.param, noisy_pilots(op, plane_waves(rng, 6), noise_var, rng), noise_var


# ---- closed forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dictionary", ["identity", "visible_region"])
def test_ls_is_the_pseudo_inverse(small, dictionary):
    op, noise_model, y, noise_var = small
    model = oracle.Model(op.combiner, atoms_of(dictionary), noise_model)
    h_hat, report = thzum.estimator("ls", op, dictionary=dictionary).estimate(y, noise_var)
    for k in range(len(y)):
        expected, predicted = oracle.ls(model, y[k], noise_var)
        assert relative_error(h_hat[k], expected) < 1e-4
        assert report["predicted_nmse_db"][k] == pytest.approx(10 * np.log10(predicted), abs=1e-2)


def test_ls_recovers_a_fully_observed_channel():
    op = thzum.pilot_operator.hadamard(2, 4, 4, 16, seed=3)
    h = plane_waves(np.random.default_rng(2), 3)
    h_hat, _ = thzum.estimator("ls", op).estimate(op.measure(h), 1e-9)
    assert relative_error(h_hat, h) < 1e-5


def random_covariance(rng, size):
    root = complex_normal(rng, size, 3 * size // 2) * np.linspace(0.1, 2, 3 * size // 2)
    return root @ root.conj().T


def full_covariance(blocks):
    n = blocks.shape[-1]
    full = np.zeros((S * n, S * n), complex)
    for s in range(S):
        full[s * n : (s + 1) * n, s * n : (s + 1) * n] = blocks[s % len(blocks)]
    return full


@pytest.mark.parametrize("kind", ["full", "shared", "per_subarray"])
def test_lmmse_is_the_closed_form(small, kind):
    op, noise_model, y, noise_var = small
    rng = np.random.default_rng(3)
    if kind == "full":
        covariance = full = random_covariance(rng, N)
    elif kind == "shared":
        covariance = random_covariance(rng, N // S)
        full = full_covariance(covariance[None])
    else:
        covariance = np.array([random_covariance(rng, N // S) for _ in range(S)])
        full = full_covariance(covariance)
    model = oracle.Model(op.combiner, IDENTITY, noise_model)
    h_hat, report = thzum.estimator("lmmse", op, covariance=covariance).estimate(y, noise_var)
    for k in range(len(y)):
        expected, predicted = oracle.lmmse(model, y[k], noise_var, full)
        assert relative_error(h_hat[k], expected) < 1e-4
        assert report["predicted_nmse_db"][k] == pytest.approx(10 * np.log10(predicted), abs=1e-2)


def test_lmmse_default_covariance_is_white_in_the_visible_region(small):
    op, noise_model, y, noise_var = small
    atoms = atoms_of("visible_region")
    full = full_covariance((atoms @ atoms.conj().T)[None])
    expected, _ = oracle.lmmse(oracle.Model(op.combiner, IDENTITY, noise_model), y[0], noise_var, full)
    h_hat, _ = thzum.estimator("lmmse", op).estimate(y[0], noise_var)
    assert relative_error(h_hat, expected) < 1e-4


def test_lmmse_learns_its_covariance_from_samples(tmp_path):
    op = small_operator()
    rng = np.random.default_rng(4)
    samples = plane_waves(rng, 50).astype(np.complex64)
    np.savez(tmp_path / "channels.npz", channel=samples.reshape(-1, S, ROWS, COLS))
    split = samples.reshape(-1, S, ROWS * COLS)
    blocks = np.einsum("ksi,ksj->sij", split, split.conj()) / len(samples)
    y = noisy_pilots(op, plane_waves(rng, 2), 0.1, rng)
    expected, _ = thzum.estimator("lmmse", op, covariance=blocks).estimate(y, 0.1)
    for given in (samples, tmp_path / "channels.npz", str(tmp_path / "channels.npz")):
        h_hat, _ = thzum.estimator("lmmse", op, samples=given).estimate(y, 0.1)
        assert relative_error(h_hat, expected) < 1e-4


def test_lmmse_predicts_its_error():
    """Gaussian channels drawn from the covariance in force, large enough for the power to be known."""
    shape, batch, noise_var = (4, 8, 8), 200, 0.1
    n = shape[1] * shape[2]
    op = thzum.pilot_operator.hadamard(*shape, 32, seed=2)
    rng = np.random.default_rng(5)
    covariance = random_covariance(rng, n)
    covariance *= n / np.trace(covariance).real
    root = np.linalg.cholesky(covariance)
    h = np.einsum("ij,ksj->ksi", root, complex_normal(rng, batch, 4, n)).reshape(batch, -1)
    h_hat, report = thzum.estimator("lmmse", op, covariance=covariance).estimate(
        noisy_pilots(op, h, noise_var, rng), noise_var
    )
    measured = 10 * np.log10(np.mean(np.sum(np.abs(h_hat - h) ** 2, axis=1)) / (4 * n))
    # 51,200 error terms spread over some tens of eigenvectors: a standard deviation below 0.1 dB.
    assert np.mean(report["predicted_nmse_db"]) == pytest.approx(measured, abs=0.3)


# ---- greedy and iterative estimators against the oracle -----------------------------------------------


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize("oversampling", [1, 2])
def test_omp_is_the_oracle(small, joint, oversampling):
    op, noise_model, y, _ = small
    model = oracle.Model(op.combiner, IDENTITY, noise_model)
    options = dict(joint=joint, oversampling=oversampling, max_atoms=5, threshold=3.0)
    h_hat, report = thzum.estimator("omp", op, **options).estimate(y, 0.05)
    for k in range(len(y)):
        expected, atoms = oracle.omp(model, ROWS, COLS, y[k], 0.05, **options)
        assert report["iterations"][k] == atoms
        assert relative_error(h_hat[k], expected) < 1e-4


def test_omp_finds_plane_waves_on_its_grid():
    op = thzum.pilot_operator.hadamard(4, 8, 8, 32, seed=1)
    grid = np.arange(8)
    h = sum(
        gain * np.kron(np.exp(2j * np.pi * grid * p / 8), np.exp(2j * np.pi * grid * q / 8))
        for p, q, gain in ((1, 2, 1.0), (6, 0, 0.7j), (3, 3, -0.5))
    )
    h = np.tile(h, 4)
    h_hat, report = thzum.estimator("omp", op, oversampling=1).estimate(op.measure(h), 1e-8)
    assert report["iterations"] == 3
    assert relative_error(h_hat, h) < 1e-4


@pytest.mark.parametrize("kind", ["lmmse", "matched", "pinv"])
@pytest.mark.parametrize("divergence_free", [True, False])
@pytest.mark.parametrize("dictionary", ["dft", "visible_region"])
def test_oamp_is_the_oracle(small, kind, divergence_free, dictionary):
    op, noise_model, y, noise_var = small
    model = oracle.Model(op.combiner, atoms_of(dictionary), noise_model)
    estimator = thzum.estimator(
        "oamp",
        op,
        denoiser="bernoulli_gaussian",
        dictionary=dictionary,
        linear=kind,
        divergence_free=divergence_free,
        per_subarray=False,
        max_iterations=3,
        tolerance=0.0,
    )
    h_hat, report = estimator.estimate(y, noise_var)
    for k in range(len(y)):
        expected, _, changes = oracle.oamp(
            model, y[k], noise_var, oracle.bernoulli_gaussian, 3, kind, divergence_free
        )
        assert relative_error(h_hat[k], expected) < 1e-3
        np.testing.assert_allclose(report["residual_history"][k], changes, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("damping", [0.0, 0.3])
def test_amp_is_the_oracle(small, damping):
    op, noise_model, y, noise_var = small
    model = oracle.Model(op.combiner, atoms_of("dft"), noise_model)
    estimator = thzum.estimator("amp", op, damping=damping, max_iterations=4, tolerance=0.0)
    h_hat, _ = estimator.estimate(y, noise_var)
    for k in range(len(y)):
        expected = oracle.amp(model, y[k], noise_var, oracle.bernoulli_gaussian, 4, damping)
        assert relative_error(h_hat[k], expected) < 1e-3


@pytest.mark.parametrize("kind", ["lmmse", "matched", "pinv"])
@pytest.mark.parametrize("dictionary", ["dft", "visible_region"])
def test_oamp_keeps_subarrays_apart(small, kind, dictionary):
    op, noise_model, y, noise_var = small
    options = dict(linear=kind, dictionary=dictionary, max_iterations=3, tolerance=0.0)
    h_hat, _ = thzum.estimator("oamp", op, **options).estimate(y, noise_var)
    for k in range(len(y)):
        expected = oracle.oamp_per_subarray(
            op.combiner, atoms_of(dictionary), noise_model, y[k], noise_var, oracle.bernoulli_gaussian, 3, kind
        )
        assert relative_error(h_hat[k], expected) < 1e-3


def unequal_channels(count, seed):
    """Terahertz channels whose first subarray hears most of the power."""
    h = thzum.channel.preset("thz300_aosa4x256").sample(count, seed=seed).reshape(count, 4, 256)
    h = h * np.array([1.0, 0.2, 0.2, 0.2])[:, None]
    return (h / np.sqrt(np.mean(np.abs(h) ** 2))).reshape(count, -1)


def test_a_strong_subarray_gains_by_its_own_variances():
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=1)
    rng = np.random.default_rng(20)
    h = unequal_channels(30, 3)
    y = noisy_pilots(op, h, 0.01, rng)
    apart, _ = thzum.estimator("oamp", op, dictionary="dft").estimate(y, 0.01)
    alike, _ = thzum.estimator("oamp", op, dictionary="dft", per_subarray=False).estimate(y, 0.01)
    # The state evolution knows of no reason to lose anything to the other subarrays.
    assert nmse(apart, h) < 0.6 * nmse(alike, h)


def sparse_channels(rng, batch, op, rate=0.1):
    """Channels of which a tenth of the DFT coefficients is Gaussian and the rest zero."""
    shape = op.shape
    size = shape.rows * shape.cols
    c = complex_normal(rng, batch * shape.n_subarrays, size)
    c *= np.argsort(rng.random(c.shape), axis=1) < round(rate * size)
    c *= np.sqrt(size) / np.linalg.norm(c, axis=1, keepdims=True)
    return thzum.dictionary("dft", shape.rows, shape.cols).synthesize(c).reshape(batch, -1)


def worst_departure_db(op, h, noise_var, rng, iterations, **options):
    """Largest difference of the NMSE from the state evolution over the iterations, in dB."""
    y = noisy_pilots(op, h, noise_var, rng)
    predicted = thzum.state_evolution("oamp", op, h, noise_var, iterations=iterations, **options)["nmse_db"]
    measured = []
    for depth in range(1, iterations + 1):
        estimator = thzum.estimator("oamp", op, max_iterations=depth, tolerance=0.0, **options)
        h_hat, _ = estimator.estimate(y, noise_var)
        measured.append(10 * np.log10(np.sum(np.abs(h_hat - h) ** 2) / np.sum(np.abs(h) ** 2)))
    return np.max(np.abs(predicted - measured))


@pytest.mark.parametrize("n_slots", [512, 307])
@pytest.mark.parametrize("denoiser", ["bernoulli_gaussian", "soft_threshold"])
def test_oamp_follows_its_state_evolution(n_slots, denoiser):
    op = thzum.pilot_operator.hadamard(1, 32, 32, n_slots, seed=5)
    rng = np.random.default_rng(6)
    h = sparse_channels(rng, 16, op)
    # Every DFT coefficient is visible. The error sits on the 16 x 102 active ones: 2.5 % for either side, 0.15 dB
    # for their ratio.
    options = dict(spacing=0.5, dictionary="dft", denoiser=denoiser)
    assert worst_departure_db(op, h, 0.01, rng, 6, **options) < 0.5


def reference_like(op_name, n_slots):
    if op_name == "hadamard":
        return thzum.pilot_operator.hadamard(4, 16, 16, n_slots, seed=5)
    combiner = random_combiner(5, (4, n_slots, 256))
    return thzum.pilot_operator(combiner.astype(np.complex64), rows=16, cols=16, noise_model=op_name)


@pytest.mark.parametrize("denoiser", ["bernoulli_gaussian", "soft_threshold"])
@pytest.mark.parametrize("combiner", ["hadamard", "per_slot", "common"])
@pytest.mark.parametrize("dictionary", ["visible_region", "dft"])
def test_state_evolution_holds_for_terahertz_channels(combiner, denoiser, dictionary):
    rng = np.random.default_rng(21)
    h = thzum.channel.preset("thz300_aosa4x256").sample(40, seed=4)
    options = dict(denoiser=denoiser, dictionary=dictionary)
    for n_slots, snr_db in ((128, 20), (77, 10)):
        op = reference_like(combiner, n_slots)
        assert worst_departure_db(op, h, 10 ** (-snr_db / 10), rng, 6, **options) < 0.5


@pytest.mark.parametrize("dictionary", ["visible_region", "dft"])
def test_state_evolution_holds_for_unequal_subarrays(dictionary):
    rng = np.random.default_rng(22)
    h = unequal_channels(40, 5)
    for combiner in ("hadamard", "per_slot"):
        assert worst_departure_db(reference_like(combiner, 128), h, 0.01, rng, 6, dictionary=dictionary) < 0.5


def test_state_evolution_of_the_linear_step_alone():
    """One iteration from nothing: tau2 = v (eta - 1) with eta = K / sum(v / (v + noise_var)) = 2 (1 + noise_var / v)."""
    op = thzum.pilot_operator.hadamard(2, 4, 4, 8, seed=1)
    h = plane_waves(np.random.default_rng(7), 2)
    options = dict(spacing=0.5, dictionary="dft")
    together = thzum.state_evolution("oamp", op, h, 0.25, iterations=1, per_subarray=False, **options)
    assert together["tau2"][0] == pytest.approx(2 * 1.25 - 1, rel=1e-5)
    apart = thzum.state_evolution("oamp", op, h, 0.25, iterations=1, **options)
    assert apart["tau2"][0] == pytest.approx(np.mean(np.abs(h) ** 2) + 2 * 0.25, rel=1e-5)


# ---- what every estimator keeps ------------------------------------------------------------------------


def test_registry_and_settings():
    op = small_operator()
    described = thzum.estimators()
    assert list(described) == ["ls", "lmmse", "omp", "newtonized_omp", "polar_omp", "hybrid_omp", "amp", "oamp", "fpn_oamp", "auto"]
    for name in MODEL_FREE:
        assert described[name]
        estimator = model_free(name, op, max_batch=3)
        assert estimator.name == name and estimator.options["max_batch"] == 3
        assert repr(estimator).startswith(f"{name}(") and "max_batch=3" in repr(estimator)
        for option in thzum.estimator_options(name).values():
            assert option["description"]
    assert thzum.estimator("oamp", op, sparsity=0.2).options["sparsity"] == 0.2


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(exponent=st.floats(-6, 6), phase=st.floats(-np.pi, np.pi), name=st.sampled_from(MODEL_FREE))
def test_a_receiver_gain_cancels(exponent, phase, name):
    op = small_operator()
    rng = np.random.default_rng(8)
    y = noisy_pilots(op, plane_waves(rng, 3), 0.05, rng)
    estimator = model_free(name, op)
    gain = 10**exponent * np.exp(1j * phase)
    reference, report = estimator.estimate(y, 0.05)
    h_hat, scaled_report = estimator.estimate(gain * y, abs(gain) ** 2 * 0.05)
    # Searches that refine stop at a step that no longer pays, where the last bits of the input decide.
    bound = 2e-3 if "omp" in name else 1e-4
    assert relative_error(h_hat / gain, reference) < bound
    np.testing.assert_allclose(
        scaled_report["predicted_nmse_db"], report["predicted_nmse_db"], atol=100 * bound, equal_nan=True
    )


@pytest.mark.parametrize("name", MODEL_FREE)
def test_batch_equals_single(name):
    op = small_operator()
    rng = np.random.default_rng(9)
    y = noisy_pilots(op, plane_waves(rng, 7), 0.05, rng)
    y[3] = 0
    noise_var = np.linspace(0.02, 0.1, 7).astype(np.float32)
    h_hat, report = model_free(name, op, max_batch=4).estimate(y, noise_var)
    single = model_free(name, op, max_batch=1)
    assert h_hat.dtype == np.complex64 and report["iterations"].shape == (7,)
    assert not h_hat[3].any()
    for k in range(7):
        alone, alone_report = single.estimate(y[k], noise_var[k])
        assert alone.shape == (N,) and alone_report["iterations"].shape == ()
        np.testing.assert_allclose(h_hat[k], alone, atol=1e-5)
        assert report["iterations"][k] == alone_report["iterations"]
        assert report["noise_var"][k] == noise_var[k]


@pytest.mark.parametrize("name", MODEL_FREE)
def test_bad_input_is_refused(name):
    estimator = model_free(name, small_operator())
    y = np.ones(S * Q, np.complex64)
    for bad in (np.ones(S * Q - 1), np.ones((2, 2, S * Q)), np.full(S * Q, np.nan), np.array(["a"] * S * Q)):
        with pytest.raises(ValueError, match="^y: expected"):
            estimator.estimate(bad, 0.1)
    for bad in (0.0, -1.0, np.nan, np.inf, [0.1, 0.1]):
        with pytest.raises(ValueError, match="^noise_var: expected"):
            estimator.estimate(y, bad)
    h_hat, _ = estimator.estimate(y, 0.1)
    assert np.all(np.isfinite(h_hat))


def test_bad_options_are_refused(tmp_path):
    op = small_operator()
    with pytest.raises(ValueError, match="name: expected one of.*'oamp'"):
        thzum.estimator("nothing", op)
    for name, options, message in (
        ("ls", dict(max_iterations=3), "unknown option 'max_iterations'"),
        ("ls", dict(dictionary="nothing"), "dictionary"),
        ("oamp", dict(max_iterations=65), "max_iterations"),
        ("oamp", dict(linear="nothing"), "linear"),
        ("oamp", dict(denoiser="nothing"), "denoiser: expected"),
        ("oamp", dict(denoiser="soft_threshold", sparsity=0.5), "sparsity"),
        ("fpn_oamp", dict(denoiser="soft_threshold", start="nothing"), "start"),
        ("lmmse", dict(covariance=np.eye(5)), "covariance: expected"),
        ("lmmse", dict(covariance=np.triu(np.ones((N, N)))), "Hermitian"),
        ("lmmse", dict(covariance=-np.eye(N)), "positive trace"),
        ("lmmse", dict(samples=np.ones((3, 5))), "samples: expected"),
        ("lmmse", dict(samples=np.ones((3, N)), covariance=np.eye(N)), "samples"),
        ("omp", dict(oversampling=1.5), "integer"),
    ):
        with pytest.raises(ValueError, match=message):
            thzum.estimator(name, op, **options)


def test_noise_level_from_the_pilots():
    op = thzum.pilot_operator.hadamard(4, 16, 16, 128, seed=4)
    rng = np.random.default_rng(10)
    h = plane_waves(rng, 32, shape=(4, 16, 16), span=0.14)  # within the visible disc of radius 0.2
    for noise_var in (1.0, 0.01):
        y = noisy_pilots(op, h, noise_var, rng)
        for name in ("ls", "oamp"):
            estimator = thzum.estimator(name, op)
            h_hat, report = estimator.estimate(y)
            # 32 times 512 observations: 0.8 % for one standard deviation.
            assert np.mean(report["noise_var"]) == pytest.approx(noise_var, rel=0.04)
            given, _ = estimator.estimate(y, report["noise_var"])
            np.testing.assert_array_equal(h_hat, given)


@pytest.mark.parametrize("name", MODEL_FREE)
def test_noise_alone_stays_finite(name):
    op = small_operator()
    y = noisy_pilots(op, np.zeros((20, N)), 1.0, np.random.default_rng(11))
    h_hat, _ = model_free(name, op).estimate(y, 1.0)
    assert np.all(np.isfinite(h_hat))


# ---- fixed-point iteration with a small contractive network ---------------------------------------------


FIXED_POINT_ARRAY = (2, 16, 16)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """x_hat = r / (1 + tau2), a contraction with any of the linear steps."""
    return tiny_models.save(tmp_path_factory.mktemp("models") / "shrinkage.onnx")


@pytest.fixture(scope="module")
def fixed_point():
    op = thzum.pilot_operator.hadamard(*FIXED_POINT_ARRAY, 128, seed=2)
    rng = np.random.default_rng(12)
    noise_var = np.logspace(0.5, -0.5, 6).astype(np.float32)
    h = plane_waves(rng, 6, shape=FIXED_POINT_ARRAY)
    return op, noisy_pilots(op, h, noise_var[:, None], rng), noise_var


def shrinkage(r, variance):
    weight = 1 / (1 + np.clip(variance, 10**-2.0, 10**0.6))
    return weight * r, variance * weight, weight


def test_fpn_oamp_is_the_oracle(fixed_point, network):
    op, y, noise_var = fixed_point
    model = oracle.Model(op.combiner, atoms_of("visible_region", 16, 16))
    estimator = thzum.estimator("fpn_oamp", op, model=network, max_iterations=4, tolerance=0.0)
    h_hat, report = estimator.estimate(y, noise_var)
    for k in (0, 5):
        variances = []

        def denoise(r, variance):
            variances.append(variance)
            return shrinkage(r, variance)

        expected, _, changes = oracle.oamp(model, y[k], noise_var[k], denoise, 4, divergence_free=False)
        assert relative_error(h_hat[k], expected) < 1e-3
        np.testing.assert_allclose(report["residual_history"][k], changes, rtol=1e-2, atol=1e-4)
        # The network's error is the curve on its card: -18 dB at -10 dB of noise, -12 dB at 0 dB.
        card = -12 + 0.6 * 10 * np.log10(variances[-1])
        assert report["predicted_nmse_db"][k] == pytest.approx(card, abs=0.02)


def test_fpn_oamp_forgets_its_start(fixed_point, network):
    op, y, noise_var = fixed_point
    settings = dict(model=network, tolerance=1e-5, max_iterations=64)
    reference, _ = thzum.estimator("fpn_oamp", op, start="zero", **settings).estimate(y, noise_var)
    for start in (dict(start="ls"), dict(start="random", seed=1), dict(start="random", seed=2)):
        h_hat, report = thzum.estimator("fpn_oamp", op, **start, **settings).estimate(y, noise_var)
        assert np.all(report["residual"] <= 1e-5)
        assert relative_error(h_hat, reference) < 1e-4
    first = thzum.estimator("fpn_oamp", op, start="random", model=network, max_iterations=1)
    assert relative_error(first.estimate(y, noise_var)[0], reference) > 1e-2


def test_fpn_oamp_converges_linearly(fixed_point, network):
    op, y, noise_var = fixed_point
    estimator = thzum.estimator("fpn_oamp", op, model=network, tolerance=1e-4, max_iterations=64)
    _, report = estimator.estimate(y, noise_var)
    for k, last in enumerate(report["iterations"]):
        history = report["residual_history"][k, :last]
        assert np.all(np.isnan(report["residual_history"][k, last:]))
        assert np.all(np.diff(history) < 0)
        assert report["residual"][k] == history[-1] <= 1e-4
        assert report["contraction"][k] == pytest.approx(history[-1] / history[-2], rel=1e-3)
        assert report["contraction"][k] < 1
        rates = history[2:] / history[1:-1]
        assert rates[-1] == pytest.approx(rates[-2], rel=0.1)


@pytest.mark.parametrize("depth, share", [(1, 0.95), (2, 0.8)])
def test_anderson_acceleration_saves_calls_on_the_way_to_the_same_point(fixed_point, network, depth, share):
    op, y, noise_var = fixed_point
    settings = dict(model=network, tolerance=1e-5, max_iterations=64)
    plain, slow = thzum.estimator("fpn_oamp", op, **settings).estimate(y, noise_var)
    h_hat, fast = thzum.estimator("fpn_oamp", op, anderson=depth, **settings).estimate(y, noise_var)
    assert np.all(fast["residual"] <= 1e-5)
    assert relative_error(h_hat, plain) < 1e-4
    assert np.all(fast["iterations"] <= slow["iterations"])
    assert fast["iterations"].sum() < share * slow["iterations"].sum()
    # Items that leave the batch do not disturb the histories of those that stay.
    alone, _ = thzum.estimator("fpn_oamp", op, anderson=depth, **settings).estimate(y[3], noise_var[3])
    assert relative_error(alone, h_hat[3]) < 1e-4


def test_anderson_acceleration_needs_a_fixed_point_iteration(fixed_point, network):
    with pytest.raises(ValueError, match="anderson: expected 0 with divergence_free"):
        thzum.estimator("fpn_oamp", fixed_point[0], model=network, anderson=1, divergence_free=True)


def test_fpn_oamp_items_stop_by_themselves(fixed_point, network):
    op, y, noise_var = fixed_point
    h_hat, report = thzum.estimator("fpn_oamp", op, model=network, tolerance=1e-2).estimate(y, noise_var)
    assert len(set(report["iterations"])) > 1
    assert np.all(report["residual"] <= 1e-2)
    single = thzum.estimator("fpn_oamp", op, model=network, tolerance=1e-2, max_batch=1)
    order = np.arange(len(y))[::-1]
    reversed_h_hat, reversed_report = thzum.estimator("fpn_oamp", op, model=network, tolerance=1e-2).estimate(
        y[order], noise_var[order]
    )
    np.testing.assert_array_equal(reversed_report["iterations"], report["iterations"][order])
    for k in range(len(y)):
        alone, alone_report = single.estimate(y[k], noise_var[k])
        assert alone_report["iterations"] == report["iterations"][k]
        assert relative_error(alone, h_hat[k]) < 1e-5
        assert relative_error(reversed_h_hat[order][k], h_hat[k]) < 1e-5


def test_fpn_oamp_refuses_a_model_for_another_array(network):
    op = thzum.pilot_operator.hadamard(2, 8, 8, 32, seed=2)
    with pytest.raises(ValueError, match="16x16"):
        thzum.estimator("fpn_oamp", op, model=network)
    with pytest.raises(RuntimeError, match="missing.onnx"):
        thzum.estimator("fpn_oamp", op, model="missing.onnx")
