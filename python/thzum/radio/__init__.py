# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample streams of the RF chains from wherever they come: a radio, another process, a recording."""

from .receiver_source import receiver_source

__all__ = ["receiver_source"]
