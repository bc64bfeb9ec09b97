# SPDX-License-Identifier: GPL-3.0-or-later
"""An ONNX model as flowgraphs hold it: its file and its model card, checked."""

import os

from .thzum_python import onnx_model


class Model:
    """A model file that exists, opens, and is made for a task.

    Args:
        source: path of an .onnx file, or the name of a model shipped with the module ("fpn_oamp").
        task: what the model card must say the model is for.

    Raises:
        RuntimeError: naming the file and what to do about it.

    Attributes:
        path: the file.
        task: as given.
        card: the model card {key: text}.

    >>> model = Model("fpn_oamp")                        # doctest: +SKIP
    >>> thzum.channel_estimator(op, "fpn_oamp", {"model": model})  # doctest: +SKIP
    """

    def __init__(self, source, task="subarray_denoiser"):
        source = os.fspath(source)
        is_name = os.path.basename(source) == source and not source.endswith(".onnx")
        self.path = onnx_model.shipped(source) if is_name and not os.path.exists(source) else source
        self.task = task
        self.card = dict(onnx_model(self.path, task).card)

    def __fspath__(self):
        return self.path

    def __repr__(self):
        return f"Model({self.path!r}, task={self.task!r})"
