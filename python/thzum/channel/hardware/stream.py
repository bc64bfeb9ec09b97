# SPDX-License-Identifier: GPL-3.0-or-later
"""What the models of sampled signals share: layout, precision, and state carried between calls.

Complex arithmetic is written in real parts: NumPy's complex products may round differently in the
vectorised body and the tail of an array, and a stream in pieces would then differ from one call.
"""

import numpy as np

from .checks import complex_array


class SampleModel:
    """A model of complex samples [..., n] without memory; a subclass processes them as [rows, n]."""

    def __call__(self, samples):
        """The impaired samples, in the layout and precision of ``samples``, complex [..., n].

        Raises:
            ValueError: samples that are not finite complex numbers.
        """
        x = complex_array("samples", samples)
        self._begin(x.shape[:-1], x.dtype)
        if x.size == 0:
            return x.copy()
        y = self._process(x.reshape(-1, x.shape[-1]).astype(np.complex128))
        return y.reshape(*x.shape[:-1], y.shape[-1]).astype(x.dtype)

    def reset(self):
        """Start over; nothing to forget without memory."""

    def _begin(self, shape, dtype):
        """Hook before samples of this leading shape and precision."""


class StreamModel(SampleModel):
    """A model with state in every RF chain, which a subclass sets up in ``_start(rows)``.

    A call with another number of RF chains than the stream began with raises ValueError.
    """

    def reset(self):
        """Forget all samples seen, and the number of RF chains: the next call starts a new stream."""
        self._rows = None

    def _begin(self, shape, dtype):
        self._dtype = dtype
        if self._rows is None:
            self._rows = shape
            self._start(int(np.prod(shape)))
        elif self._rows != shape:
            raise ValueError(
                f"samples: expected leading shape {self._rows} as in the stream so far, got {shape}; "
                "call reset() before another stream"
            )


def rotate(x, phase):
    """x * exp(1j * phase); ``phase`` in rad broadcasts against x."""
    cos, sin = np.cos(phase), np.sin(phase)
    return compose(x.real * cos - x.imag * sin, x.real * sin + x.imag * cos)


def compose(real, imag):
    """The complex128 array real + 1j * imag."""
    out = np.empty(np.broadcast_shapes(np.shape(real), np.shape(imag)), np.complex128)
    out.real, out.imag = real, imag
    return out


def power(x):
    """|x|^2, float64."""
    return x.real * x.real + x.imag * x.imag
