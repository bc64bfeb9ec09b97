# SPDX-License-Identifier: GPL-3.0-or-later
"""What packages the module: the recipes name files and options that exist, versions agree."""

import ast
import re
import sys

import jinja2
import pytest
import yaml


@pytest.fixture(scope="module")
def version(root):
    """MAJOR.API.ABI of CMakeLists.txt, which also is the library's soname."""
    text = (root / "CMakeLists.txt").read_text()
    return ".".join(re.search(rf"set\(VERSION_{part}\s+(\d+)\)", text).group(1) for part in ("MAJOR", "API", "ABI"))


@pytest.fixture(scope="module", params=["linux", "osx", "win"])
def recipe(root, request):
    """The conda recipe as conda-build renders it for one platform."""
    names = {"win": False, "linux": False, "osx": False, "build_platform": "a", "target_platform": "a"}
    names |= {request.param: True, "gnuradio_extra_pin": ""}
    lines = []
    for line in (root / "conda" / "recipe" / "meta.yaml").read_text().splitlines():
        selector = re.search(r"#\s*\[(.+)\]\s*$", line)
        if not selector or eval(selector.group(1), {"__builtins__": {}}, names):
            lines.append(line)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    functions = {"compiler": lambda language: f"{language}_compiler", "stdlib": lambda language: f"{language}_stdlib"}
    return yaml.safe_load(environment.from_string("\n".join(lines)).render(**names, **functions))


def test_conda_recipe_renders(recipe, version):
    assert recipe["package"] == {"name": "gnuradio-thzum", "version": version}
    assert "onnxruntime-cpp" in recipe["requirements"]["host"]


def test_conda_recipe_names_files_that_exist(recipe, root):
    assert (root / recipe["about"]["license_file"]).is_file()
    for pattern in recipe["test"]["source_files"]:
        assert list(root.glob(pattern)), pattern
    commands = " ".join(recipe["test"]["commands"])
    for path in re.findall(r"\$PREFIX/share/(\S+)", commands):
        source = path.replace("gnuradio/grc/blocks", "grc").removeprefix("gr-thzum/")
        assert (root / source).is_file(), path


def imports(path):
    """Top-level packages that a Python file imports from elsewhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_imported_packages_are_dependencies(recipe, root):
    """Every package that the installed module imports stands in the recipe and in debian/control."""
    distributions = {"yaml": "pyyaml", "matplotlib": "matplotlib-base", "PyQt5": "pyqt", "serial": "pyserial"}
    optional = {"torch", "onnx", "onnxruntime"}  # training
    provided = {"SoapySDR", "gnuradio", "pmt", "zmq"}  # by GNU Radio's packages
    files = (root / "python" / "thzum").rglob("*.py")
    imported = set().union(*(imports(path) for path in files)) - {*sys.stdlib_module_names, *optional, *provided}
    stated = {*recipe["requirements"]["run"], *recipe["requirements"]["run_constrained"], *recipe["test"]["requires"]}
    stated = {text.split()[0] for text in stated}
    debian = (root / "debian" / "control").read_text()
    for name in sorted(imported):
        assert distributions.get(name, name) in stated, f"{name} is not in conda/recipe/meta.yaml"
        assert f"python3-{name.lower()}" in debian, f"{name} is not in debian/control"


def test_debian_packages_carry_the_soname(root, version):
    control = (root / "debian" / "control").read_text()
    assert f"Package: libgnuradio-thzum{version}\n" in control
    assert (root / "debian" / f"libgnuradio-thzum{version}.install").is_file()
    assert (root / "debian" / "changelog").read_text().startswith(f"gr-thzum ({version}")


def test_cmake_options_of_the_recipes_exist(root):
    """An option that CMake does not know is passed in vain."""
    cmake = "".join(p.read_text() for p in [*root.glob("*/CMakeLists.txt"), root / "CMakeLists.txt",
                                            *(root / "cmake").rglob("*.cmake")])
    for recipe in ("conda/recipe/build.sh", "debian/rules"):
        for option in re.findall(r"-D(\w+)=", (root / recipe).read_text()):
            known = option.startswith(("CMAKE_BUILD", "CMAKE_INSTALL", "CMAKE_SKIP", "GR_PYTHON_DIR", "PYTHON_EXECUTABLE"))
            assert known or re.search(rf"\b{option}\b", cmake), f"{recipe}: {option}"
