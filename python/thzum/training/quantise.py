# SPDX-License-Identifier: GPL-3.0-or-later
"""Integers of eight bits in a shipped denoiser: post-training quantisation, calibrated on our own channels."""

import os
import tempfile

import numpy as np
import onnx
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from .domain import complex_noise
from .export import write_card
from .fpn_oamp import NOISE_RANGE_DB, PlugAndPlay

CALIBRATION_SEED = 30_000_001
PERCENTILE = 99.995  # of the activations, beyond which they are clipped
CURVE_NOISE_DB = (3.0, -2.0, -7.0, -12.0, -17.0, -22.0)


class _Session:
    """A denoiser in ONNX Runtime where training expects a network; keeps its inputs if asked to."""

    training = False

    def __init__(self, path, keep=False):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.seen = [] if keep else None

    def __call__(self, image, noise_std):
        feed = dict(image=image.numpy(), noise_std=noise_std.numpy())
        if self.seen is not None:
            self.seen.append(feed)
        return torch.from_numpy(self.session.run(None, feed)[0])


class _Reader(CalibrationDataReader):
    def __init__(self, feeds):
        self.feeds = iter(feeds)

    def get_next(self):
        return next(self.feeds, None)


def _inner_convolutions(path):
    """Names of the 3x3 convolutions between the first and the last one, and of all other convolutions."""
    graph = onnx.load(path).graph
    shapes = {weights.name: weights.dims for weights in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    inner = [node.name for node in convolutions[1:-1] if shapes[node.input[1]][2] == 3]
    return inner, [node.name for node in convolutions if node.name not in inner]


def _calibration(path, batches, batch=16):
    """Inputs of the network over its whole range of noise levels."""
    task, network = PlugAndPlay(batch, validation_batch=1), _Session(path, keep=True)
    rng = np.random.default_rng(CALIBRATION_SEED)
    for _ in range(batches):
        truth = task._coefficients(batch, rng)
        noise_std = torch.from_numpy(10 ** (rng.uniform(*NOISE_RANGE_DB, batch) / 20)).float()
        noisy = truth + noise_std[:, None, None, None] * complex_noise(truth.shape, rng)
        task.domain.denoise(network, noisy, noise_std)
    return network.seen


def quantise(source, output, batches=8, channels=128):
    """Write ``source`` with its inner 3x3 convolutions in eight bits to ``output``, and return that path.

    Weights are int8 with a scale for each output channel, activations uint8 with one scale, set by calibration on
    ``batches`` x 16 channels in white noise of every level. The card is that of the source with its error measured
    anew on ``channels`` channels.
    """
    card = {entry.key.removeprefix("thzum."): entry.value for entry in onnx.load(source).metadata_props}
    with tempfile.TemporaryDirectory() as folder:
        prepared, part = (os.path.join(folder, name) for name in ("prepared.onnx", "quantised.onnx"))
        quant_pre_process(source, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            part,
            _Reader(_calibration(prepared, batches)),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            calibrate_method=CalibrationMethod.Percentile,
            op_types_to_quantize=["Conv"],
            nodes_to_exclude=_inner_convolutions(prepared)[1],
            extra_options={"CalibPercentile": PERCENTILE},
        )
        task, network = PlugAndPlay(validation_batch=channels), _Session(part)
        measured = {level: task.nmse_db(network, level) for level in sorted(CURVE_NOISE_DB)}
        card.update(
            nmse_curve_noise_db=",".join(f"{level:g}" for level in measured),
            nmse_curve_db=",".join(f"{value:g}" for value in measured.values()),
            measured=", ".join(f"{value:.2f} dB in noise of {level:g} dB" for level, value in measured.items()),
            quantisation="inner 3x3 convolutions: int8 weights, uint8 activations",
        )
        write_card(part, card)
        with open(part, "rb") as done, open(output, "wb") as file:
            file.write(done.read())
    return output
