#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the documentation as a site: ``./run docs``. Every warning, a broken link say, is an error.

The Markdown of the repository stays where it is and readable there; this lays out a copy in the same folders,
adds pages for blocks (from grc/), Python (from the installed module), commands and C++ (by Doxygen), and runs Sphinx.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys

import block_pages
import command_pages
import python_pages

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]

#: Markdown and what it shows or links to, by folder.
PAGES = (
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md", "examples/**/README.md", "models/README.md",
    "conda/README.md",
)
LINKED = (
    "docs/figures/**/*", "docs/experiments/*", "examples/**/*.grc", "examples/**/*.py", "examples/*.yaml",
    "examples/recordings/*.sigmf-meta",
)


def lay_out(source):
    """The tree that Sphinx reads, anew."""
    shutil.rmtree(source, ignore_errors=True)
    for pattern in PAGES + LINKED:
        for path in ROOT.glob(pattern):
            if path.is_file():
                target = source / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target)
    for name in ("conf.py", "index.md", "cpp.md"):
        shutil.copy2(HERE / name, source / name)


def run_doxygen(folder):
    """The C++ reference into folder/doxygen."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = (ROOT / "docs" / "doxygen" / "Doxyfile.in").read_text()
    settings = settings.replace("@top_srcdir@", str(ROOT)).replace("@doxygen_output@", str(folder))
    settings += "HTML_OUTPUT = doxygen\n"
    subprocess.run(["doxygen", "-"], input=settings, text=True, check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=pathlib.Path, help="folder of the site")
    parser.add_argument("--no-doxygen", action="store_true", help="leave the C++ reference out")
    options = parser.parse_args()
    work = options.output.resolve().parent / "site-work"
    source = work / "source"
    lay_out(source)
    block_pages.write(ROOT / "grc", source / "blocks")
    python_pages.write(source / "python")
    command_pages.write(source / "man")
    shutil.rmtree(work / "extra", ignore_errors=True)
    (work / "extra").mkdir(parents=True)
    if not options.no_doxygen:
        run_doxygen(work / "extra")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-b", "html", "-d", str(work / "doctrees")]
    status = subprocess.run([*command, str(source), str(options.output)]).returncode
    if status == 0:
        print(f"written: {options.output}/index.html")
    return status


if __name__ == "__main__":
    sys.exit(main())
