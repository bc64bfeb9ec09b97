# SPDX-License-Identifier: GPL-3.0-or-later
"""``./run train NAME``: train a shipped network again."""

import argparse
import os

from .. import onnx_model
from . import amp_gnn, fpn_oamp, without_truth


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./run train", description=__doc__)
    networks = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    build = os.environ.get("THZUM_BUILD", "build")
    add_fpn_oamp(networks, os.path.join(build, "train"))
    add_amp_gnn(networks, os.path.join(build, "train"))
    add_int8(networks, os.path.join(build, "train"))
    options = parser.parse_args(arguments)
    print(f"wrote {options.train(options)}")


def _add_places(parser, name, folder):
    parser.add_argument("--folder", default=os.path.join(folder, name), help="checkpoints and logs")
    parser.add_argument("--output", default=os.path.join(folder, f"{name}.onnx"), help="model to write")
    parser.add_argument("--seed", type=int, default=1)


def add_fpn_oamp(networks, folder):
    sub = networks.add_parser("fpn_oamp", help="denoiser of the fpn_oamp estimator, about 3 hours on one core")
    _add_places(sub, "fpn_oamp", folder)
    sub.add_argument(
        "--steps", type=int, nargs=3, default=(16_000, 4_000, 12_000), metavar=("PNP", "E2E", "MIXTURE"),
        help="steps of the stages: white noise, end to end, end to end on a mixture of channels (default: %(default)s)",
    )
    sub.add_argument("--batch", type=int, default=64)
    sub.add_argument(
        "--without-truth", metavar="PILOTS",
        help="fine-tune on the received pilots of this NPZ file (y, combiner, noise_var) instead: docs/training.md",
    )
    sub.add_argument("--start", metavar="MODEL", help="model to fine-tune without truth (default: the shipped one)")
    sub.add_argument("--adapt-steps", type=int, default=300, metavar="N", help="steps without truth (default: %(default)s)")
    sub.set_defaults(train=_train_fpn_oamp)


def _train_fpn_oamp(options):
    if not options.without_truth:
        path = fpn_oamp.train(options.folder, options.output, tuple(options.steps), options.batch, options.seed)
        return f"{path}; copy it to models/ to ship it"
    start = options.start or onnx_model.shipped("fpn_oamp")
    path = without_truth.adapt(
        options.without_truth, start, options.folder, options.output, options.adapt_steps, options.batch, options.seed
    )
    return f"{path}; give it to an estimator as model="


def add_amp_gnn(networks, folder):
    sub = networks.add_parser("amp_gnn", help="network of the amp_gnn detector, about an hour on one core")
    _add_places(sub, "amp_gnn", folder)
    sub.add_argument(
        "--steps", type=int, nargs=2, default=amp_gnn.STEPS, metavar=("PLAIN", "HARD"),
        help="steps on random links, and on what is hard of them (default: %(default)s)",
    )
    sub.add_argument("--nodes", type=int, default=3072, help="real amplitudes of a batch (default: %(default)s)")
    sub.add_argument("--loss", choices=sorted(amp_gnn.LOSSES), default="cross_entropy")
    sub.add_argument(
        "--sizes", type=_size, nargs="+", default=(), metavar="NxK",
        help="antennas x users to train on, as 32x16 32x32 (default: many, 32x24 left out)",
    )
    sub.add_argument(
        "--constellations", choices=list(amp_gnn.SHARES), nargs="+", default=(), help="to train on (default: all)"
    )
    sub.set_defaults(train=_train_amp_gnn)


def _size(text):
    n_rx, _, n_tx = text.partition("x")
    if not (n_rx.isdecimal() and n_tx.isdecimal() and int(n_rx) > 0 and int(n_tx) > 0):
        raise argparse.ArgumentTypeError(f"sizes: expected antennas x users as in 32x24, got {text!r}")
    return int(n_rx), int(n_tx)


def _train_amp_gnn(options):
    path = amp_gnn.train(
        options.folder, options.output, tuple(options.steps), options.nodes, options.seed, options.loss,
        sizes=tuple(options.sizes), constellations=tuple(options.constellations),
    )
    return f"{path}; copy it to models/ to ship it"


def add_int8(networks, folder):
    sub = networks.add_parser("int8", help="inner convolutions of a trained denoiser in eight bits, half a minute")
    sub.add_argument("--model", help="denoiser to quantise (default: the shipped one)")
    sub.add_argument("--output", default=os.path.join(folder, "fpn_oamp_int8.onnx"), help="model to write")
    sub.set_defaults(train=_train_int8)


def _train_int8(options):
    from .quantise import quantise

    os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
    return quantise(options.model or onnx_model.shipped("fpn_oamp"), options.output)


if __name__ == "__main__":
    main()
