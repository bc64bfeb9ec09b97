#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw a flowgraph as GNU Radio Companion shows it.

usage: xvfb-run ./run exec python3 docs/figures/draw_flowgraph.py examples/NAME.grc docs/figures/NAME.png
"""

import itertools
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("PangoCairo", "1.0")

from gi.repository import Gio, Gtk  # noqa: E402

from gnuradio import gr  # noqa: E402
from gnuradio.grc.gui.Platform import Platform  # noqa: E402  (first: Utils alone is a circular import)
from gnuradio.grc.gui import Actions, Utils  # noqa: E402
from gnuradio.grc.gui.canvas import flowgraph as canvas  # noqa: E402


def draw(flowgraph_path, picture_path):
    """Load ``flowgraph_path`` and write ``picture_path`` (.png, .svg or .pdf)."""
    # The canvas wants the running application's window for its context menu; there is neither here.
    canvas._ContextMenu = lambda window: None
    application = Gtk.Application()
    Gio.Application.set_default(application)
    Actions.TOGGLE_HIDE_VARIABLES.set_active(False)
    platform = Platform(
        version=gr.version(),
        version_parts=(gr.major_version(), gr.api_version(), gr.minor_version()),
        prefs=gr.prefs(),
        install_prefix=gr.prefix(),
    )
    platform.build_library()
    flow_graph = platform.make_flow_graph()
    flow_graph.grc_file_path = flowgraph_path
    flow_graph.import_data(platform.parse_flow_graph(flowgraph_path))
    flow_graph.update()
    Utils.make_screenshot(flow_graph, picture_path)
    for first, second in overlapping(flow_graph.blocks):
        print(f"{flowgraph_path}: {first.name} and {second.name} overlap", file=sys.stderr)


def overlapping(blocks):
    """Pairs of blocks of which one hides a part of the other."""
    for pair in itertools.combinations(blocks, 2):
        (a, b), sizes = pair, ("width", "height")
        ends = [
            (a.coordinate[k] + getattr(a, size), b.coordinate[k] + getattr(b, size)) for k, size in enumerate(sizes)
        ]
        if all(max(a.coordinate[k], b.coordinate[k]) < min(end) for k, end in enumerate(ends)):
            yield pair


if __name__ == "__main__":
    draw(*sys.argv[1:3])
