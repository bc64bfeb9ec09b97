# SPDX-License-Identifier: GPL-3.0-or-later
"""Export of trained networks to ONNX with a model card, checked against PyTorch."""

import os
import tempfile
import warnings

import numpy as np
import onnx
import onnxruntime
import torch

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
    example = torch.randn(2, 4, 2, grid, grid, generator=generator), torch.tensor([0.3, 1.0])
    handle, part = tempfile.mkstemp(suffix=".onnx", dir=os.path.dirname(os.path.abspath(path)))
    os.close(handle)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                network,
                example,
                part,
                input_names=["image", "noise_std"],
                output_names=["denoised"],
                dynamic_axes={
                    "image": {0: "batch", 1: "subarrays"},
                    "noise_std": {0: "batch"},
                    "denoised": {0: "batch", 1: "subarrays"},
                },
                opset_version=17,
                dynamo=False,
            )
        write_card(
            part,
            dict(
                format=FORMAT_VERSION,
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
        for batch, subarrays in ((1, 1), (1, 4), (5, 3)):
            image = torch.randn(batch, subarrays, 2, grid, grid, generator=generator)
            noise_std = 0.05 + torch.rand(batch, generator=generator)
            error = parity(network, part, (image, noise_std))
            if error > PARITY_TOLERANCE:
                raise RuntimeError(f"export differs from PyTorch by {error:.1e} of the output's scale")
        os.chmod(part, 0o644)
        os.replace(part, path)
    finally:
        if os.path.exists(part):
            os.remove(part)
