#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the present hash of each bound header into its binding, after checking by eye that they agree.

The build refuses bindings whose header has changed since. usage: renew_hashes.py [NAME ...], all by default.
"""

import hashlib
import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
HEADERS = FOLDER.parents[2] / "include" / "gnuradio" / "thzum"


def renew(binding):
    text = binding.read_text()
    header = re.search(r"BINDTOOL_HEADER_FILE\(([^)]*)\)", text)
    if header is None:
        return
    digest = hashlib.md5((HEADERS / header.group(1)).read_bytes()).hexdigest()
    renewed = re.sub(r"(BINDTOOL_HEADER_FILE_HASH\()[^)]*\)", rf"\g<1>{digest})", text)
    if renewed != text:
        binding.write_text(renewed)
        print(f"renewed {binding.name}")


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(p.name[: -len("_python.cc")] for p in FOLDER.glob("*_python.cc")):
        renew(FOLDER / f"{name}_python.cc")
