#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the pictures of the README and of docs/ again. Drawing flowgraphs needs xvfb-run (Debian package xvfb).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
./run exec python3 docs/figures/draw_frame.py docs/figures/frame.svg
./run demo --png docs/figures/demo.png
for name in estimate_recording unrolled_oamp compare_estimators; do
    THZUM_MODELS=models xvfb-run -a ./run exec /usr/bin/python3 docs/figures/draw_flowgraph.py "examples/$name.grc" "docs/figures/$name.png"
done
QT_QPA_PLATFORM=offscreen ./run exec thzum-rx --repeat --seconds 9 --picture docs/figures/thzum_rx.png
for lesson in examples/tutorial/*.grc; do
    name=$(basename "$lesson")
    THZUM_MODELS=models xvfb-run -a ./run exec /usr/bin/python3 docs/figures/draw_flowgraph.py "$lesson" \
        "docs/figures/tutorial_${name%%_*}_flowgraph.png"
done
THZUM_FIGURES=docs/figures ./run test -k tutorial
./run exec thzum channel sample --config examples/channel.yaml --batch 4 --seed 3 --out build/channel.npz
./run exec thzum channel plot build/channel.npz --what overview --out docs/figures/channel.png
./run exec python3 bench/quantised.py --channels 40 --figure docs/figures/quantised.png
./run bench --only detection --figures docs/figures
