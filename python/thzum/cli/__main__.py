# SPDX-License-Identifier: GPL-3.0-or-later
"""``python3 -m gnuradio.thzum.cli`` is the command ``thzum``."""

import sys

from . import main

if __name__ == "__main__":
    sys.exit(main())
