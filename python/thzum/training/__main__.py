# SPDX-License-Identifier: GPL-3.0-or-later
"""``./run train NAME``: train a shipped network again."""

import argparse
import os

from . import amp_gnn, fpn_oamp


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./run train", description=__doc__)
    networks = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    build = os.environ.get("THZUM_BUILD", "build")
    add_fpn_oamp(networks, os.path.join(build, "train"))
    add_amp_gnn(networks, os.path.join(build, "train"))
    options = parser.parse_args(arguments)
    path = options.train(options)
    print(f"wrote {path}; copy it to models/ to ship it")


def _add_places(parser, name, folder):
    parser.add_argument("--folder", default=os.path.join(folder, name), help="checkpoints and logs")
    parser.add_argument("--output", default=os.path.join(folder, f"{name}.onnx"), help="model to write")
    parser.add_argument("--seed", type=int, default=1)


def add_fpn_oamp(networks, folder):
    sub = networks.add_parser("fpn_oamp", help="denoiser of the fpn_oamp estimator, about 1.5 hours on one core")
    _add_places(sub, "fpn_oamp", folder)
    sub.add_argument(
        "--steps", type=int, nargs=3, default=(16_000, 4_000, 0), metavar=("PNP", "E2E", "MIXTURE"),
        help="steps of the stages: white noise, end to end, end to end on a mixture of channels (default: %(default)s)",
    )
    sub.add_argument("--batch", type=int, default=64)
    sub.add_argument("--seed", type=int, default=1)
    sub.set_defaults(
        train=lambda o: fpn_oamp.train(o.folder, o.output, tuple(o.steps), o.batch, o.seed)
    )


def add_amp_gnn(networks, folder):
    sub = networks.add_parser("amp_gnn", help="network of the amp_gnn detector, about 1.5 hours on one core")
    _add_places(sub, "amp_gnn", folder)
    sub.add_argument("--steps", type=int, default=amp_gnn.STEPS, help="optimisation steps (default: %(default)s)")
    sub.add_argument("--nodes", type=int, default=3072, help="real amplitudes of a batch (default: %(default)s)")
    sub.add_argument("--loss", choices=sorted(amp_gnn.LOSSES), default="cross_entropy")
    sub.set_defaults(train=lambda o: amp_gnn.train(o.folder, o.output, o.steps, o.nodes, o.seed, o.loss))


if __name__ == "__main__":
    main()
