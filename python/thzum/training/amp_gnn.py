# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of the network of the ``amp_gnn`` detector."""

import functools
import os

import numpy as np
import torch

from .amp_gnn_network import AmpGnn
from .detection_links import MODULATIONS, SHARES, Link, draw, random_link
from .export import export_calibration
from .trainer import Schedule, Trainer

#: What the network is watched on while it trains: name -> (link, channel uses).
VALIDATION = {
    "16qam_17.5": (Link(32, 24, "16qam", 17.5), 6000),
    "16qam_20": (Link(32, 24, "16qam", 20.0), 3000),
    "16qam_32x32_20": (Link(32, 32, "16qam", 20.0), 1500),
    "qpsk_9.7": (Link(32, 24, "qpsk", 9.7), 3000),
    "64qam_24": (Link(32, 24, "64qam", 24.0), 1500),
    "16qam_corr_20": (Link(32, 24, "16qam", 20.0, correlation_rx=0.5), 1500),
}


def cross_entropy(outputs, batch):
    """Mean of -log p(sent level)."""
    return -outputs.gather(-1, batch.sent[..., None]).mean()


def squared_error(outputs, batch):
    """Mean squared error of the posterior mean, in units of (half the distance of two levels)^2."""
    mean = (torch.exp(outputs) * batch.levels).sum(-1)
    return ((mean - batch.levels[batch.sent]) ** 2).mean()


LOSSES = {"cross_entropy": cross_entropy, "l2": squared_error}


def call_loss(measure, outputs, batch):
    """Loss of all calls, later ones weighing more.

    The root of each measure is taken, so that a batch of good links, in which few symbols go wrong, still counts.
    """
    weights = [(call + 1) ** 2 for call in range(len(outputs))]
    roots = (torch.sqrt(measure(output, batch) + 1e-4) for output in outputs)
    return sum(weight * root for weight, root in zip(weights, roots)) / sum(weights)


def symbol_errors(output, batch, axes):
    """Wrong symbols [B, n_tx] of log-probabilities [B, n, L]."""
    wrong = output.argmax(-1) != batch.sent
    users = wrong.shape[1] // axes
    return wrong[:, :users] | wrong[:, users:] if axes == 2 else wrong


def validate(network, links=None):
    """Symbol error rates of :data:`VALIDATION`, on the same draws every time."""
    rates = {}
    for index, (name, (link, count)) in enumerate((links or VALIDATION).items()):
        rng = np.random.default_rng([99, index])
        axes, errors = MODULATIONS[link.modulation][0], 0
        for _ in range(count // 500):
            batch = draw(link, 500, rng)
            errors += int(symbol_errors(network(batch)[-1], batch, axes).sum())
        rates[name] = errors / (count // 500 * 500 * link.n_tx)
    return rates


def plain_loss(measure, nodes, next_link=random_link):
    """Loss of one batch of a link of ``next_link(rng)`` with about ``nodes`` amplitudes in all."""

    def loss(network, rng):
        batch = _draw(next_link(rng), nodes, rng)
        return call_loss(measure, network(batch), batch)

    return loss


def hard_loss(measure, nodes, next_link=random_link, pool=3):
    """As :func:`plain_loss`, but half of the batches are the least certain vectors, after calls that are not trained."""

    def loss(network, rng):
        link = next_link(rng)
        if rng.random() < 0.5:
            batch = _draw(link, nodes, rng)
            return call_loss(measure, network(batch), batch)
        link.snr_db += rng.uniform(0.0, 1.5)
        batch = _draw(link, pool * nodes, rng)
        state, chosen = network.hardest(batch, len(batch.sent) // pool, int(rng.integers(0, 9)))
        batch.sent = batch.sent[chosen]
        return call_loss(measure, [network.advance(state, 1) for _ in range(network.plan.calls)], batch)

    return loss


def _draw(link, nodes, rng):
    return draw(link, max(8, nodes // (MODULATIONS[link.modulation][0] * link.n_tx)), rng)


#: Steps of the two stages.
STEPS = (3_000, 16_000)


def fit(
    folder, steps=STEPS, nodes=3072, seed=1, loss="cross_entropy", validate_every=1000, links=None,
    next_link=random_link,
):
    """Train in two stages, on random links and on what is hard of them, going on from ``folder``; returns the average."""
    torch.manual_seed(seed)
    network = AmpGnn()
    measure = LOSSES[loss]
    stages = (
        ("plain", plain_loss(measure, nodes, next_link), 2e-3),
        ("hard", hard_loss(measure, nodes, next_link), 1.5e-3),
    )
    for (stage, batch_loss, rate), count in zip(stages, steps):
        schedule = Schedule(count, rate, validate_every=validate_every)
        trainer = Trainer(
            network,
            batch_loss,
            lambda averaged: validate(averaged, links),
            schedule,
            seed,
            folder,
            f"amp_gnn_{stage}",
        )
        trainer.resume()
        network.load_state_dict(trainer.run().state_dict())
    return network


def train(
    folder, output, steps=STEPS, nodes=3072, seed=1, loss="cross_entropy", validate_every=1000, links=None,
    sizes=(), constellations=(),
):
    """Train, export to ``output`` and return the model's path.

    Args:
        folder: checkpoint and log; training resumes from what is there.
        output: the ``.onnx`` file to write.
        steps: optimisation steps of the two stages.
        nodes: real amplitudes of a batch.
        loss: a key of :data:`LOSSES`.
        links: validation instead of :data:`VALIDATION`, name -> (link, channel uses).
        sizes: pairs (n_rx, n_tx) to train on instead of those of the mixture.
        constellations: those to train on instead of all.
    """
    next_link = functools.partial(random_link, sizes=sizes, modulations=constellations)
    links = links or {
        name: case for name, case in VALIDATION.items() if case[0].modulation in (constellations or SHARES)
    }
    torch.set_num_threads(1)
    network = fit(folder, steps, nodes, seed, loss, validate_every, links, next_link)
    os.makedirs(os.path.dirname(os.path.abspath(output)), exist_ok=True)
    with torch.no_grad():
        measured = validate(network, links)
    export_calibration(
        network,
        output,
        constellations or SHARES,
        dict(
            training_command=_command(steps, nodes, seed, loss, sizes, constellations),
            training_seed=seed,
            training_data="random links of gnuradio.thzum.training.detection_links.random_link: "
            + (_names(sizes) if sizes else "16 to 64 antennas, 8 users up to as many as antennas without 32 x 24")
            + ", correlation, channel errors, wrong noise variances",
            measured="symbol error rates: " + ", ".join(f"{key} {value:.1e}" for key, value in measured.items()),
        ),
    )
    return output


def _names(sizes):
    return " ".join(f"{n_rx}x{n_tx}" for n_rx, n_tx in sizes)


def _command(steps, nodes, seed, loss, sizes, constellations):
    command = f"./run train amp_gnn --steps {steps[0]} {steps[1]} --nodes {nodes} --seed {seed} --loss {loss}"
    if sizes:
        command += f" --sizes {_names(sizes)}"
    if constellations:
        command += f" --constellations {' '.join(constellations)}"
    return command
