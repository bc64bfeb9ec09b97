# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Sphinx for the tree that build.py lays out."""

project = "gr-thzum"
copyright = "2026 the gr-thzum authors"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
html_theme = "furo"
html_title = "gr-thzum"
html_extra_path = ["../extra"]
html_show_sourcelink = False
exclude_patterns = ["**/.*"]

myst_heading_anchors = 3
# Markdown that GitHub shows as well: no syntax of Sphinx but links.
myst_enable_extensions = []

autodoc_default_options = {"members": True, "show-inheritance": False, "exclude-members": "__init__"}
autodoc_member_order = "bysource"
autodoc_typehints = "none"
# What training and clusters need, and their pages do not.
autodoc_mock_imports = ["torch", "onnx", "onnxruntime", "distributed", "h5py"]
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_custom_sections = ["Gives"]


def plain_bars(app, what, name, obj, options, lines):
    """Docstrings write |u| for a magnitude; reStructuredText would look for a substitution."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def setup(app):
    app.connect("autodoc-process-docstring", plain_bars, priority=100)
