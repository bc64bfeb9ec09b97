#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Tests the installed module: the block tests and the pytest suite of this source tree against whatever
# "import gnuradio.thzum" finds, models included. usage: test-installed.sh [ARGUMENTS FOR PYTEST]
# Left out, and named at the start, are test files whose optional packages (PyTorch, ONNX) are missing. The C++
# units need the build tree; "cmake --build" and the package build run them.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export QT_QPA_PLATFORM=offscreen PYTHONDONTWRITEBYTECODE=1
cd /

python3 - "$root" <<'EOF'
import pathlib, sys
from gnuradio import thzum
folder = pathlib.Path(thzum.__file__).parent
assert not folder.is_relative_to(sys.argv[1]), f"{folder} is in the source tree, nothing is installed"
print(f"gnuradio.thzum from {folder}, models from {thzum.onnx_model.shipped('fpn_oamp')}", flush=True)
EOF
failed=()
for test in "$root"/python/thzum/qa_*.py; do
    name=$(basename "$test" .py)
    if log=$(python3 "$test" 2>&1); then echo "$name: passed"; else
        echo "$log"
        echo "$name: FAILED"
        failed+=("$name")
    fi
done
python3 -m pytest -p no:cacheprovider --rootdir "$root" --leave-out-missing "$root/tests" "$@" || failed+=("pytest")
[ ${#failed[@]} -eq 0 ] || { echo "failed: ${failed[*]}" >&2; exit 1; }
