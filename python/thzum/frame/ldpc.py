# SPDX-License-Identifier: GPL-3.0-or-later
"""LDPC codes: the parity check matrices that GNU Radio installs."""

import os
from pathlib import Path

from gnuradio import gr

#: Rate 0.4, the code that examples use.
DEFAULT_CODE = "n_1100_k_0442_gap_24"


def _folder():
    return Path(os.environ.get("THZUM_LDPC", Path(gr.prefix()) / "share" / "gnuradio" / "fec" / "ldpc"))


def ldpc_codes():
    """Names that :func:`ldpc_file` knows, a sorted list: n bits of a codeword, k of information."""
    return sorted(path.stem for path in _folder().glob("n_*_gap_*.alist"))


def ldpc_decoder(name=DEFAULT_CODE, max_iterations=50):
    """gr-fec's decoder of the code :func:`ldpc_file` finds as ``name``, for soft bits that are log-likelihood ratios.

    Up to GNU Radio 3.10.11 gr-fec scales what it takes by a noise deviation; here that is the one that leaves it as it is.
    """
    from gnuradio import fec

    try:
        return fec.ldpc_decoder.make(ldpc_file(name), 0.5**0.5, max_iterations)
    except TypeError:
        return fec.ldpc_decoder.make(ldpc_file(name), max_iterations)


def ldpc_file(name=DEFAULT_CODE):
    """Path of the parity check matrix called ``name``, as gr-fec's blocks and ``payload_code`` take it.

    They lie in share/gnuradio/fec/ldpc of GNU Radio, or in the folder that the environment variable
    THZUM_LDPC names. A path to an alist file of one's own is returned as it is.

    Raises:
        ValueError: there is no such file.
    """
    own = Path(name)
    path = own if own.suffix == ".alist" else _folder() / f"{name}.alist"
    if not path.is_file():
        raise ValueError(
            f"name: expected one of {', '.join(ldpc_codes()) or 'none, as ' + str(_folder()) + ' is empty'} "
            f"or the path of an alist file, got {str(name)!r}"
        )
    return str(path)
