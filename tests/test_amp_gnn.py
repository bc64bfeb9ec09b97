# SPDX-License-Identifier: GPL-3.0-or-later
"""The learned detector: symmetries, the PyTorch twin, models at fault, what it links, error rates, its training."""

import os
import pathlib
import re
import subprocess

import numpy as np
import onnx
import pytest
import torch

import tiny_models
from gnuradio import thzum
from gnuradio.thzum.training import __main__ as command
from gnuradio.thzum.training import amp_gnn, detection_links, export
from gnuradio.thzum.training.amp_gnn_network import AmpGnn, Moments, Plan, SignEquivariant
from oracles import detection as oracle

ROOT = pathlib.Path(__file__).resolve().parent.parent
NAMES = list(detection_links.MODULATIONS)


def tiny_network(seed=0, **settings):
    """Untrained, of other sizes than the shipped one, with weights that matter."""
    torch.manual_seed(seed)
    network = AmpGnn(Plan(warm=2, inner=1, calls=4), odd_states=3, even_states=2, hidden=8, layers=2, stages=3, **settings)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return network.eval()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A tiny network and its file."""
    path = str(tmp_path_factory.mktemp("models") / "tiny.onnx")
    network = tiny_network()
    export.export_calibration(network, path, NAMES, CARD)
    return network, path


CARD = dict(training_command="none", training_seed=0, training_data="none", measured="nothing")


def uses(link, count, seed=1):
    H, y, noise_var, sent = detection_links.draw_complex(link, count, np.random.default_rng(seed))
    return H, y, noise_var, sent


@pytest.mark.parametrize("name, snr_db", zip(NAMES, (6, 10, 17, 24, 31)))
@pytest.mark.parametrize("n_rx, n_tx", [(32, 24), (9, 9), (12, 5)])
def test_detector_equals_pytorch(tiny, name, snr_db, n_rx, n_tx):
    """One call, then two: estimates and variances of each axis, which the detector adds up for a user."""
    network, path = tiny
    H, y, noise_var, sent = uses(detection_links.Link(n_rx, n_tx, name, snr_db), 30)
    batch = detection_links.real_batch(H, y, noise_var, name, sent)
    axes, n_levels, _ = detection_links.MODULATIONS[name]
    unit = detection_links.half_spacing(axes, n_levels)
    for calls in (1, 2):
        detector = thzum.detector("amp_gnn", n_rx, n_tx, name, model=path, calls=calls, certain=0.0)
        x_hat, variance = detector.equalize(H, y, noise_var)
        with torch.no_grad():
            states = [network.start(batch)]
            network.advance(states[0], 1)
            distances = [distance(states[0], batch)]
            if calls == 2:
                states.append(network.start(batch))
                network.advance(states[1], 2)
                distances.append(distance(states[1], batch))
        best = torch.stack(distances).argmin(0)
        r, s = (torch.stack([getattr(state, part) for state in states]) for part in "rs")
        r, s = (unit**power * part[best, torch.arange(30)] for power, part in ((1, r), (2, s)))
        if axes == 2:
            wanted, wanted_variance = r[:, :n_tx] + 1j * r[:, n_tx:], s[:, :n_tx] + s[:, n_tx:]
        else:
            wanted, wanted_variance = r * (1 + 1j) / np.sqrt(2), 2 * s
        scale = float(wanted.abs().max())
        # Where two calls' levels explain a vector alike, rounding may choose; there are few.
        close = np.abs(x_hat - wanted.numpy()).max(1) < 1e-4 * scale
        assert close.mean() >= (1 if calls == 1 else 0.9)
        np.testing.assert_allclose(variance[close], wanted_variance.numpy()[close], rtol=1e-3)


def distance(state, batch):
    """Squared distance of y from H times the levels nearest to the estimates, up to a constant."""
    levels = batch.levels[(state.r[..., None] - batch.levels).abs().argmin(-1)]
    product = (batch.gram @ levels[..., None])[..., 0]
    return (levels * (product - 2 * batch.matched)).sum(1)


@pytest.mark.parametrize("name", ["qpsk", "16qam"])
def test_users_may_be_permuted(name):
    H, y, noise_var, _ = uses(detection_links.Link(32, 24, name, 20), 150)
    order = np.random.default_rng(2).permutation(24)
    detector = thzum.detector("amp_gnn", 32, 24, name)
    straight, permuted = detector.equalize(H, y, noise_var)[0], detector.equalize(H[:, :, order], y, noise_var)[0]
    np.testing.assert_allclose(straight[:, order], permuted, atol=1e-5 * np.abs(straight).max())


def test_conjugation_and_quarter_turns():
    H, y, noise_var, _ = uses(detection_links.Link(32, 24, "16qam", 20), 100)
    detector = thzum.detector("amp_gnn", 32, 24, "16qam")
    x_hat = detector.equalize(H, y, noise_var)[0]
    bound = 2e-5 * np.abs(x_hat).max()
    np.testing.assert_allclose(detector.equalize(H.conj(), y.conj(), noise_var)[0], x_hat.conj(), atol=bound)
    np.testing.assert_allclose(detector.equalize(H, 1j * y, noise_var)[0], 1j * x_hat, atol=bound)
    signs = np.random.default_rng(3).choice([1, -1, 1j, -1j], 24).astype(np.complex64)
    np.testing.assert_allclose(detector.equalize(H * signs, y, noise_var)[0], x_hat / signs, atol=bound)


def test_network_is_odd_and_even_for_any_weights():
    torch.manual_seed(4)
    network = SignEquivariant(3, 4, 6, 2, 2, 5).double()
    features = torch.randn(20, 7, dtype=torch.double)
    flip = torch.tensor([-1.0] * 3 + [1.0] * 4, dtype=torch.double)
    out, flipped = network(features), network(features * flip)
    torch.testing.assert_close(flipped[:, :2], -out[:, :2])
    torch.testing.assert_close(flipped[:, 2:], out[:, 2:])


def test_moments_and_their_derivatives():
    generator = torch.Generator().manual_seed(1)
    r = 3 * torch.randn(5, 3, dtype=torch.double, generator=generator).requires_grad_()
    s = (0.2 + torch.rand(5, 3, dtype=torch.double, generator=generator)).requires_grad_()
    levels = torch.tensor([-3.0, -1.0, 1.0, 3.0], dtype=torch.double)
    p = torch.softmax(-((r[..., None] - levels) ** 2) / (2 * s[..., None]), -1)
    mean, variance = Moments.apply(r, s, levels)
    torch.testing.assert_close(mean, p @ levels)
    torch.testing.assert_close(variance, p @ levels**2 - (p @ levels) ** 2)
    assert torch.autograd.gradcheck(lambda a, b: Moments.apply(a, b, levels), (r.detach().requires_grad_(), s.detach().requires_grad_()))


def test_links_have_the_power_they_say():
    """SNR over 400 channels of 32x24: its mean is known to sqrt(2/400/32) = 1 %; here 4 %."""
    link = detection_links.Link(32, 24, "16qam", 7.0, correlation_rx=0.5)
    H, y, noise_var, sent = uses(link, 400)
    assert noise_var == pytest.approx(0.75 / 10**0.7)
    assert np.mean(np.abs(H) ** 2) * 32 == pytest.approx(1, abs=0.04)
    assert np.mean(np.abs(y) ** 2) == pytest.approx(0.75 + noise_var, rel=0.04)
    near = np.mean(H[:, 1:] * H[:, :-1].conj()) * 32
    assert near == pytest.approx(0.5, abs=0.04)


def test_training_never_sees_the_test_size():
    rng = np.random.default_rng(0)
    links = [detection_links.random_link(rng) for _ in range(3000)]
    assert not any((link.n_rx, link.n_tx) == (32, 24) for link in links)
    assert {link.modulation for link in links} == set(NAMES)
    assert {(32, 23), (32, 25), (32, 32)} <= {(link.n_rx, link.n_tx) for link in links}


def test_training_on_chosen_sizes():
    rng = np.random.default_rng(0)
    sizes = ((32, 16), (32, 32))
    links = [detection_links.random_link(rng, sizes, ("qpsk", "16qam")) for _ in range(300)]
    assert {(link.n_rx, link.n_tx) for link in links} == set(sizes)
    part = np.mean([link.modulation == "16qam" for link in links])
    # Shares of 0.5 to 0.2: 5/7, by a binomial's three standard deviations.
    assert part == pytest.approx(5 / 7, abs=3 * np.sqrt(5 / 7 * 2 / 7 / 300))


# Operators that solve, factor or invert; the networks of the task need none of them.
ALLOWED = {"Conv", "Relu", "Identity"}
MODELS = sorted(path.relative_to(ROOT / "models") for path in (ROOT / "models").glob("**/amp_gnn*.onnx"))


@pytest.mark.parametrize("path", MODELS, ids=str)
def test_the_graph_holds_products_and_rectifiers_only(path):
    model = onnx.load(ROOT / "models" / path)
    assert {node.op_type for node in model.graph.node} <= ALLOWED
    assert not model.functions and all(not node.domain for node in model.graph.node)


def test_nothing_it_is_built_from_factors_or_inverts():
    """Every file of ours that the detector's sources include, to the end: no factorisation among them."""
    lib, seen, todo = ROOT / "lib", set(), ["detection/amp_gnn_detector.cc"]
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        seen.add(file)
        text = (lib / file).read_text()
        found = [name for name in re.findall(r'#include "([\w/.]+)"', text) if (lib / name).exists()]
        todo += found + [name[:-2] + ".cc" for name in found if (lib / (name[:-2] + ".cc")).exists()]
        assert not re.search(r"Eigen|lapack|LAPACK|hermitian_factor|gaussian_posterior|sorted_qr|factoriz", text), file
        code = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
        assert not re.search(r"\b(inverse|invert|solve|cholesky|qr|eig)\w*\s*\(", code, flags=re.I), file
    assert {"detection/gram_amp.cc", "detection/calibration_network.cc", "detection/batch_product.cc"} <= seen


# Factorisations and solvers: our own by name, Eigen's as namespace, LAPACK's by their letters.
SOLVERS = re.compile(
    r"Eigen::|hermitian_factor|gaussian_posterior|sorted_qr|cholesky|householder|jacobi|(?<![a-z])solve|(?<![a-z])inver[st]"
    r"|^(LAPACKE_)?[sdcz](po|ge|sy|he|tr|gt|pt)(trf|tri|trs|sv|svd|sdd|qrf|lqf|ls|ev|evd|evr)_?$",
    re.I,
)


@pytest.fixture(scope="module")
def objects():
    """The library's object files as the linker sees them: symbols, undefined ones, and where each is defined."""
    folder = pathlib.Path(os.environ.get("THZUM_BUILD", ROOT / "build")) / "cmake/lib/CMakeFiles/gnuradio-thzum.dir"
    files = sorted(str(path.relative_to(folder)) for path in folder.glob("**/*.o"))
    if not files:
        pytest.skip("needs the object files of a build")
    listing = subprocess.run(["nm", "-A", "-C", *files], cwd=folder, capture_output=True, text=True, check=True).stdout
    symbols, undefined, strong, weak = {file: set() for file in files}, {file: set() for file in files}, {}, {}
    for line in listing.splitlines():
        file, kind, name = re.fullmatch(r"(.+?\.o):[0-9a-f ]* (\S) (.*)", line).groups()
        name = re.sub(r" \[clone [^]]*\]", "", name)
        symbols[file].add(name)
        if kind == "U":
            undefined[file].add(name)
        elif kind in "TDBRGSi":
            strong[name] = file
        elif kind in "WVu":
            weak.setdefault(name, file)
    return symbols, undefined, weak | strong


def linked(objects, file):
    """All objects that ``file`` pulls in, as a linker does: by what each leaves undefined."""
    symbols, undefined, defined = objects
    seen, todo = set(), [file]
    while todo:
        file = todo.pop()
        if file not in seen:
            seen.add(file)
            todo += [defined[name] for name in undefined[file] if name in defined]
    return seen, {name for file in seen for name in symbols[file] if SOLVERS.search(name)}


def test_nothing_it_links_factors_or_inverts(objects):
    files, solvers = linked(objects, "detection/amp_gnn_detector.cc.o")
    own = {f"detection/{name}.cc.o" for name in ("gram_amp", "calibration_kernels", "calibration_network", "real_model")}
    assert own | {"onnx/session.cc.o"} <= files
    assert not solvers
    _, undefined, defined = objects
    left = {name for file in files for name in undefined[file] - defined.keys()}
    assert not any(name.startswith("gr::thzum::") for name in left), "the objects found do not link"


@pytest.mark.parametrize("name", ["ep", "lmmse", "zf", "k_best", "oamp"])
def test_a_factorisation_would_be_found(objects, name):
    """The detectors that do factor or invert are caught by the same search."""
    assert linked(objects, f"detection/{name}_detector.cc.o")[1]


def test_any_number_of_users():
    """At 2 dB above where a lone user would err once in a thousand, with 8 to 32 users on 32 antennas."""
    for n_tx in (8, 11, 17, 24, 29, 32):
        snr_db = detection_links.working_snr_db("qpsk", 32, n_tx) + 2
        H, y, noise_var, sent = oracle.random_link("qpsk", 32, n_tx, snr_db, 400, 7)
        symbols, _ = thzum.detector("amp_gnn", 32, n_tx, "qpsk").detect(H.astype("c8"), y.astype("c8"), noise_var)
        assert np.mean(symbols != sent) < 2e-3


@pytest.mark.parametrize("name, n_tx, snr_db", [("16qam", 24, 16), ("16qam", 32, 19), ("qpsk", 24, 8), ("64qam", 24, 23)])
def test_not_behind_expectation_propagation(name, n_tx, snr_db):
    """On the same vectors; the difference may be three of its standard errors plus a tenth of the rate."""
    H, y, noise_var, sent = oracle.random_link(name, 32, n_tx, snr_db, 700, 19)
    H, y, noise_var = H.astype(np.complex64), y.astype(np.complex64), float(np.float32(noise_var))
    ours, theirs = (
        np.mean(thzum.detector(kind, 32, n_tx, name).detect(H, y, noise_var)[0] != sent, axis=1) for kind in ("amp_gnn", "ep")
    )
    assert theirs.mean() > 1e-3
    error = (ours - theirs).std() / np.sqrt(len(sent))
    assert ours.mean() - theirs.mean() < 3 * error + 0.1 * theirs.mean()
    assert ours.mean() < 1.5 * theirs.mean()


def test_soft_bits_carry_what_they_say():
    """Among bits of LLR about L, a part 1/(1+exp(L)) is 1, within a tenth of a probability."""
    H, y, noise_var, sent = oracle.random_link("16qam", 32, 24, 14, 500, 21)
    detector = thzum.detector("amp_gnn", 32, 24, "16qam", llr="log_map")
    llr = detector.detect(H.astype("c8"), y.astype("c8"), noise_var)[1].ravel().astype(float)
    bits, expected = oracle.bits_of(sent, 4).ravel(), 1 / (1 + np.exp(llr))
    for low in np.arange(0, 1, 0.2):
        pick = (expected >= low) & (expected < low + 0.2)
        assert abs(bits[pick].mean() - expected[pick].mean()) < 0.1


def test_a_batch_is_its_vectors():
    """Vectors leave at different calls, which moves others about; one has NaN."""
    H, _, noise_var, _ = uses(detection_links.Link(32, 28, "16qam", 16), 1)
    rng = np.random.default_rng(5)
    points = thzum.constellation_points("16qam")[rng.integers(0, 16, (150, 28))]
    y = points @ H[0].T + np.sqrt(noise_var) * oracle.complex_normal(rng, 150, 32)
    y = y.astype(np.complex64)
    detector = thzum.detector("amp_gnn", 32, 28, "16qam")
    symbols, llr = detector.detect(H[0], y, noise_var)
    for b in (0, 63, 64, 149):
        single = detector.detect(H[0], y[b], noise_var)
        assert np.array_equal(single[0], symbols[b])
        np.testing.assert_allclose(single[1], llr[b], rtol=1e-3, atol=1e-3)


def test_calls_and_certainty_are_options():
    link = detection_links.Link(32, 28, "16qam", 17)
    H, y, noise_var, sent = uses(link, 300)
    points = thzum.constellation_points("16qam")

    def rate(**options):
        symbols, _ = thzum.detector("amp_gnn", 32, 28, "16qam", **options).detect(H, y, noise_var)
        axes, n_levels, _ = detection_links.MODULATIONS["16qam"]
        amplitudes = detection_links.half_spacing(axes, n_levels) * (2 * sent - 3)
        return np.mean(np.abs(points[symbols] - (amplitudes[:, :28] + 1j * amplitudes[:, 28:])) > 1e-3)

    assert rate(calls=1) > 1.3 * rate(calls=2) > 0
    assert rate(calls=2) > rate()
    assert "calls=2" in repr(thzum.detector("amp_gnn", 4, 4, "qpsk", calls=2))
    for options in (dict(calls=0), dict(certain=2.0), dict(patience=0), dict(threads=0)):
        with pytest.raises(ValueError, match=next(iter(options))):
            thzum.detector("amp_gnn", 4, 4, "qpsk", **options)


def test_models_at_fault(tiny, tmp_path):
    network, path = tiny

    def refused(model, error, words, name="qpsk"):
        with pytest.raises(error, match=words):
            thzum.detector("amp_gnn", 4, 4, name, model=str(model))

    refused(tmp_path / "none.onnx", RuntimeError, "no such file")
    damaged = tmp_path / "damaged.onnx"
    damaged.write_bytes(pathlib.Path(path).read_bytes()[:500])
    refused(damaged, RuntimeError, "damaged")
    refused(tiny_models.save(tmp_path / "denoiser.onnx"), RuntimeError, "amp_calibration")
    only = tmp_path / "only.onnx"
    export.export_calibration(network, str(only), ["16qam", "64qam"], CARD)
    refused(only, ValueError, "trained for the constellations 16qam,64qam, the detector is for 'qpsk'")
    for key, value in dict(odd_states="7", stages="0", calls="x", warm_steps="1.5").items():
        model = onnx.load(path)
        for entry in model.metadata_props:
            if entry.key == f"thzum.{key}":
                entry.value = value
        wrong = tmp_path / f"{key}.onnx"
        onnx.save(model, wrong)
        refused(wrong, RuntimeError, "features" if key == "odd_states" else key)


def test_export_refuses_what_differs(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "parity", lambda *_: 1.0)
    with pytest.raises(RuntimeError, match="differs from PyTorch"):
        export.export_calibration(tiny_network(), str(tmp_path / "x.onnx"), NAMES, CARD)
    assert not list(tmp_path.iterdir())


LINKS = {"qpsk": (detection_links.Link(8, 4, "qpsk", 10.0), 500)}


@pytest.mark.parametrize("loss", ["cross_entropy", "l2"])
def test_training_and_its_continuation(tmp_path, loss):
    """A run that stops in the second stage and goes on equals one that does not stop."""
    def fit(folder, steps):
        return amp_gnn.fit(str(folder), steps, nodes=64, loss=loss, validate_every=2, links=LINKS)

    whole = fit(tmp_path / "whole", (2, 4))
    checkpoint = tmp_path / "parts"

    class Stop(Exception):
        pass

    trainer = amp_gnn.Trainer
    original = trainer._report

    def stop_at_two(self, *arguments):
        original(self, *arguments)
        if self.stage == "amp_gnn_hard" and self.step == 2:
            raise Stop

    trainer._report = stop_at_two
    try:
        with pytest.raises(Stop):
            fit(checkpoint, (2, 4))
    finally:
        trainer._report = original
    resumed = fit(checkpoint, (2, 4))
    for a, b in zip(whole.parameters(), resumed.parameters()):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert (checkpoint / "amp_gnn_plain.csv").read_text().startswith("step,seconds,loss,qpsk")


def test_command_line_trains(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(amp_gnn, "VALIDATION", LINKS)
    output = tmp_path / "out.onnx"
    command.main(["amp_gnn", "--folder", str(tmp_path), "--output", str(output), "--steps", "1", "1", "--nodes", "64"])
    assert str(output) in capsys.readouterr().out
    H, y, noise_var, _ = uses(detection_links.Link(8, 4, "qpsk", 10), 5)
    symbols, _ = thzum.detector("amp_gnn", 8, 4, "qpsk", model=str(output)).detect(H, y, noise_var)
    assert symbols.shape == (5, 4)
    card = thzum.onnx_model(str(output), "amp_calibration").card
    assert card["training_command"].startswith("./run train amp_gnn --steps 1 1")



def test_command_line_trains_for_a_size(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(amp_gnn, "VALIDATION", LINKS)
    output = tmp_path / "out.onnx"
    places = ["amp_gnn", "--folder", str(tmp_path), "--output", str(output)]
    chosen = "--steps 1 1 --nodes 64 --seed 1 --loss cross_entropy --sizes 8x4 6x4 --constellations qpsk"
    command.main(places + chosen.split())
    card = thzum.onnx_model(str(output), "amp_calibration").card
    assert card["training_command"] == f"./run train amp_gnn {chosen}" and card["constellations"] == "qpsk"
    assert "8x4 6x4" in card["training_data"]
    for size in ("8", "8x", "0x4", "axb"):
        with pytest.raises(SystemExit):
            command.main([*places, "--sizes", size])
        assert "expected antennas x users as in 32x24" in capsys.readouterr().err


def test_a_vector_at_rest_on_wrong_levels_begins_anew():
    """What a new beginning finds is kept if it explains y better: never worse for any vector, and better for some."""
    H, y, noise_var, _ = uses(detection_links.Link(32, 32, "16qam", 18), 600)
    points = thzum.constellation_points("16qam")

    def left(restarts):
        symbols, _ = thzum.detector("amp_gnn", 32, 32, "16qam", restarts=restarts).detect(H, y, noise_var)
        return np.sum(np.abs(y - np.einsum("brk,bk->br", H, points[symbols])) ** 2, axis=1)

    once, again = left(0), left(4)
    assert (again <= once * (1 + 1e-4)).all()
    cured = (once > noise_var * (32 + 3.5 * np.sqrt(32))) & (again < 0.99 * once)
    assert cured.sum() >= 3
