# SPDX-License-Identifier: GPL-3.0-or-later
"""``./run train NAME``: train a shipped network again."""

import argparse
import os

from .. import onnx_model
from . import fpn_oamp, without_truth


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./run train", description=__doc__)
    networks = parser.add_subparsers(dest="name", required=True, metavar="NAME")
    sub = networks.add_parser("fpn_oamp", help="denoiser of the fpn_oamp estimator, about 3 hours on one core")
    build = os.environ.get("THZUM_BUILD", "build")
    sub.add_argument("--folder", default=os.path.join(build, "train", "fpn_oamp"), help="checkpoints and logs")
    sub.add_argument("--output", default=os.path.join(build, "train", "fpn_oamp.onnx"), help="model to write")
    sub.add_argument(
        "--steps", type=int, nargs=3, default=(16_000, 4_000, 12_000), metavar=("PNP", "E2E", "MIXTURE"),
        help="steps of the stages: white noise, end to end, end to end on a mixture of channels (default: %(default)s)",
    )
    sub.add_argument("--batch", type=int, default=64)
    sub.add_argument("--seed", type=int, default=1)
    sub.add_argument(
        "--without-truth", metavar="PILOTS",
        help="fine-tune on the received pilots of this NPZ file (y, combiner, noise_var) instead: docs/training.md",
    )
    sub.add_argument("--start", metavar="MODEL", help="model to fine-tune without truth (default: the shipped one)")
    sub.add_argument("--adapt-steps", type=int, default=300, metavar="N", help="steps without truth (default: %(default)s)")
    eight = networks.add_parser("int8", help="inner convolutions of a trained denoiser in eight bits, half a minute")
    eight.add_argument("--model", help="denoiser to quantise (default: the shipped one)")
    eight.add_argument("--output", default=os.path.join(build, "train", "fpn_oamp_int8.onnx"), help="model to write")
    options = parser.parse_args(arguments)
    if options.name == "int8":
        from .quantise import quantise

        os.makedirs(os.path.dirname(os.path.abspath(options.output)), exist_ok=True)
        print(f"wrote {quantise(options.model or onnx_model.shipped('fpn_oamp'), options.output)}")
        return
    if options.without_truth:
        start = options.start or onnx_model.shipped("fpn_oamp")
        path = without_truth.adapt(
            options.without_truth, start, options.folder, options.output, options.adapt_steps, options.batch, options.seed
        )
        print(f"wrote {path}; give it to an estimator as model=")
        return
    path = fpn_oamp.train(options.folder, options.output, tuple(options.steps), options.batch, options.seed)
    print(f"wrote {path}; copy it to models/ to ship it")


if __name__ == "__main__":
    main()
