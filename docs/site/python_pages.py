# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the Python interface: what the installed module exports, a page per subpackage."""

import importlib
import inspect

#: Subpackages whose __all__, or public names, make the interface.
SUBPACKAGES = ("array", "channel", "frame", "metrics", "bounds", "simulation")


def heading(text, line):
    return f"{text}\n{line * len(text)}\n\n"


def public(module):
    """Public names of a module: __all__, or what it defines or imports from this package."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not inspect.ismodule(value)
        and (getattr(value, "__module__", "") or "").startswith("gnuradio.thzum")
    )


def entry(module_name, module, name):
    value = getattr(module, name)
    kind = "autoclass" if inspect.isclass(value) else "autofunction" if callable(value) else "autodata"
    return f".. {kind}:: {module_name}.{name}\n\n"


def write(folder):
    """Writes a page for the module itself and one per subpackage; returns the names of the pages."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for name in ("", *SUBPACKAGES):
        full = f"gnuradio.thzum{'.' * bool(name)}{name}"
        module = importlib.import_module(full)
        text = heading(full, "=") + inspect.getdoc(module) + "\n\n"
        text += "".join(entry(full, module, member) for member in public(module))
        pages.append(name or "thzum")
        (folder / f"{pages[-1]}.rst").write_text(text)
    listing = "\n".join(f"   {page}" for page in pages)
    (folder / "index.rst").write_text(heading("Python", "=") + f".. toctree::\n   :maxdepth: 1\n\n{listing}\n")
    return pages
