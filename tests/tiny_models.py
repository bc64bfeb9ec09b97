# SPDX-License-Identifier: GPL-3.0-or-later
"""ONNX models of a few operators, made on the spot, with and without model cards."""

import onnx
from onnx import TensorProto, helper

#: A correct card of a denoiser of 16x16 subarrays with any number of them.
CARD = {
    "format": "1",
    "task": "subarray_denoiser",
    "subarray_rows": "16",
    "subarray_cols": "16",
    "n_subarrays": "any",
    "domain": "visible_region",
    "n_slepian": "10",
    "half_bandwidth": "0.205",
    "grid": "12, 12",
    "span": "0.215",
    "input_layout": "image[batch,subarray,re/im,row,col] noise_std[batch]",
    "normalisation": "unit power per antenna",
    "noise_db_min": "-20",
    "noise_db_max": "6",
    "nmse_curve_noise_db": "-20,-10,0",
    "nmse_curve_db": "-25,-18,-12",
    "training_command": "none",
    "training_seed": "0",
    "training_data": "none",
    "measured": "nothing",
}


def shrinkage(operator="Mul", dims=("batch", "subarrays", 2, 12, 12), opset=17, ir_version=8, **ports):
    """The denoiser ``image / (1 + noise_std**2)``: LMMSE estimate of white unit-power coefficients."""
    names = dict(image="image", noise_std="noise_std", denoised="denoised") | ports
    image = helper.make_tensor_value_info(names["image"], TensorProto.FLOAT, dims)
    noise_std = helper.make_tensor_value_info(names["noise_std"], TensorProto.FLOAT, dims[:1])
    denoised = helper.make_tensor_value_info(names["denoised"], TensorProto.FLOAT, dims)
    one = helper.make_tensor("one", TensorProto.FLOAT, [1], [1.0])
    shape = helper.make_tensor("shape", TensorProto.INT64, [5], [-1, 1, 1, 1, 1])
    nodes = [
        helper.make_node("Mul", [names["noise_std"], names["noise_std"]], ["variance"]),
        helper.make_node("Add", ["variance", "one"], ["power"]),
        helper.make_node("Reciprocal", ["power"], ["gain"]),
        helper.make_node("Reshape", ["gain", "shape"], ["weight"]),
        helper.make_node(operator, [names["image"], "weight"], [names["denoised"]]),
    ]
    graph = helper.make_graph(nodes, "shrinkage", [image, noise_std], [denoised], [one, shape])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)


def save(path, model=None, card=CARD, **changes):
    """Write ``model`` with ``card``, of which ``changes`` replace entries or, where None, drop them."""
    model = model or shrinkage()
    entries = {f"thzum.{k}": v for k, v in ({**card, **changes}).items() if v is not None} if card else {}
    helper.set_model_props(model, entries)
    onnx.save(model, str(path))
    return path
