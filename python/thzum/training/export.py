# SPDX-License-Identifier: GPL-3.0-or-later
"""Export of trained networks to ONNX with a model card, checked against PyTorch."""

import os
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

FORMAT_VERSION = "1"
CARD_PREFIX = "thzum."

#: Largest difference to PyTorch that an export may show, relative to the output's scale.
PARITY_TOLERANCE = 1e-4


def write_card(path, card):
    """Store ``card`` (name -> value) in the metadata of the ONNX file ``path``."""
    model = onnx.load(path)
    del model.metadata_props[:]
    for key, value in card.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = CARD_PREFIX + key, str(value)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def parity(network, path, inputs):
    """Largest difference between ``network`` and the ONNX file on ``inputs``, relative to the output's scale."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = {port.name: tensor.numpy() for port, tensor in zip(session.get_inputs(), inputs)}
    exported = session.run(None, feeds)[0]
    with torch.no_grad():
        reference = network(*inputs).numpy()
    return float(np.abs(exported - reference).max() / np.abs(reference).max())


def _numbers(values):
    return ",".join(f"{value:g}" for value in values)


def export_denoiser(network, region, path, noise_range_db, nmse_curve, card):
    """Write a :class:`~.networks.SubarrayDenoiser` as a ``subarray_denoiser`` model.

    Args:
        network: the trained network, in evaluation mode.
        region: its :class:`~..array.visible_region.VisibleRegion`.
        path: output file; replaced only when the parity check passes.
        noise_range_db: (min, max) of noise_std^2 in dB.
        nmse_curve: (noise levels in dB, measured NMSE in dB), the state evolution of the denoiser.
        card: further entries of the model card.

    Raises:
        RuntimeError: when the exported file does not reproduce the network to :data:`PARITY_TOLERANCE`.
    """
    grid = region.grid
    generator = torch.Generator().manual_seed(0)

    def example(batch, subarrays):
        image = torch.randn(batch, subarrays, 2, grid, grid, generator=generator)
        return image, 0.05 + torch.rand(batch, generator=generator)

    write_checked(
        network,
        path,
        inputs=dict(image={0: "batch", 1: "subarrays"}, noise_std={0: "batch"}),
        output=("denoised", {0: "batch", 1: "subarrays"}),
        examples=[example(*sizes) for sizes in ((2, 4), (1, 1), (1, 4), (5, 3))],
        card=dict(
            task="subarray_denoiser",
            subarray_rows=region.size,
            subarray_cols=region.size,
            n_subarrays="any",
            domain="visible_region",
            n_slepian=region.n_slepian,
            half_bandwidth=region.half_bandwidth,
            grid=grid,
            span=region.span,
            input_layout="image[batch,subarray,re/im,row,col] noise_std[batch]",
            normalisation="unit power per antenna",
            noise_db_min=noise_range_db[0],
            noise_db_max=noise_range_db[1],
            nmse_curve_noise_db=_numbers(nmse_curve[0]),
            nmse_curve_db=_numbers(nmse_curve[1]),
            **card,
        ),
    )


class NodeNetwork(nn.Module):
    """The perceptron of an :class:`~.amp_gnn_network.AmpGnn` on all amplitudes: [B, features, n] -> [B, updates, n]."""

    def __init__(self, network):
        super().__init__()
        layers = []
        for weight, bias in network.update.matrices():
            layer = nn.Conv1d(weight.shape[1], weight.shape[0], 1)
            with torch.no_grad():
                layer.weight.copy_(weight[..., None])
                layer.bias.copy_(bias)
            layers += [layer, nn.ReLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, features):
        return self.layers(features)


def export_calibration(network, path, constellations, card):
    """Write the network of an :class:`~.amp_gnn_network.AmpGnn` as an ``amp_calibration`` model.

    Args:
        network: the trained :class:`~.amp_gnn_network.AmpGnn`.
        path: output file; replaced only when the parity check passes.
        constellations: names of those it was trained for.
        card: further entries of the model card.

    Raises:
        RuntimeError: when the exported file does not reproduce the network to :data:`PARITY_TOLERANCE`.
    """
    nodes = NodeNetwork(network).eval()
    generator = torch.Generator().manual_seed(0)
    features = nodes.layers[0].in_channels
    sizes = ((2, 48), (1, 16), (1, 64), (7, 32))
    write_checked(
        nodes,
        path,
        inputs=dict(features={0: "batch", 2: "amplitudes"}),
        output=("updates", {0: "batch", 2: "amplitudes"}),
        examples=[(torch.randn(batch, features, n, generator=generator),) for batch, n in sizes],
        card=dict(
            task="amp_calibration",
            constellations=",".join(constellations),
            odd_states=network.odd_states,
            even_states=network.even_states,
            stages=network.stages,
            warm_steps=network.plan.warm,
            inner_steps=network.plan.inner,
            calls=network.plan.calls,
            input_layout="features[batch,feature,amplitude]",
            normalisation="levels are odd integers, columns of the channel have unit energy on average",
            **card,
        ),
    )


def write_checked(network, path, inputs, output, examples, card):
    """Export ``network`` with ``card`` to ``path``, which is replaced only when the parity check passes.

    Args:
        inputs: name -> {axis: name} of the dynamic axes.
        output: (name, {axis: name}).
        examples: tuples of input tensors; the first is traced, the others are compared.
    """
    handle, part = tempfile.mkstemp(suffix=".onnx", dir=os.path.dirname(os.path.abspath(path)))
    os.close(handle)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                examples[0],
                part,
                input_names=list(inputs),
                output_names=[output[0]],
                dynamic_axes=inputs | dict([output]),
                opset_version=17,
                dynamo=False,
            )
        write_card(part, dict(format=FORMAT_VERSION) | card)
        for example in examples[1:]:
            error = parity(network, part, example)
            if error > PARITY_TOLERANCE:
                raise RuntimeError(f"export differs from PyTorch by {error:.1e} of the output's scale")
        os.chmod(part, 0o644)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)
