# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation hangs together: no page left out, no dead link, pages of blocks and commands as their sources."""

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys

import pytest
import yaml

#: Folders whose Markdown belongs to the documentation.
PAGES = ("*.md", "docs/*.md", "examples/*.md", "models/*.md", "conda/*.md")


def headings(text):
    """Anchors of a page's headings, as GitHub forms them."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.+)$", outside, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


def links(text):
    """Targets of Markdown links and images, code left out."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))


@pytest.fixture(scope="module")
def site(root):
    """The scripts that write the generated pages."""
    sys.path.insert(0, str(root / "docs" / "site"))
    yield importlib.import_module
    sys.path.remove(str(root / "docs" / "site"))


@pytest.fixture(scope="module")
def contents(root):
    """Pages that the site's table of contents names, in its order."""
    text = (root / "docs" / "site" / "index.md").read_text()
    trees = re.findall(r"^```\{toctree\}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    return [line for tree in trees for line in tree.splitlines() if line and not line.startswith(":")]


def test_links_lead_somewhere(root):
    dead = []
    for pattern in PAGES:
        for page in root.glob(pattern):
            for target in links(page.read_text()):
                if target.startswith(("http://", "https://", "mailto:")):
                    continue
                path, _, anchor = target.partition("#")
                goal = (page.parent / path).resolve() if path else page
                if not goal.exists() or anchor and anchor not in headings(goal.read_text()):
                    dead.append(f"{page.relative_to(root)}: {target}")
    assert dead == []


def test_contents_hold_every_page_once(root, contents):
    assert len(set(contents)) == len(contents)
    pages = {f"docs/{path.stem}" for path in (root / "docs").glob("*.md")}
    assert pages <= set(contents), f"not in docs/site/index.md: {sorted(pages - set(contents))}"
    for entry in contents:
        generated = entry.startswith(("blocks/", "python/", "man/"))
        written = any((folder / f"{entry}.md").is_file() for folder in (root, root / "docs" / "site"))
        assert generated or written, entry


def test_every_block_has_a_page(root, site, tmp_path):
    names = site("block_pages").write(root / "grc", tmp_path)
    files = sorted((root / "grc").glob("*.block.yml"))
    assert sorted(names) == [path.name.removesuffix(".block.yml") for path in files]
    index = (tmp_path / "index.md").read_text().splitlines()
    for path in files:
        block = yaml.safe_load(path.read_text())
        page = (tmp_path / f"{block['id']}.md").read_text()
        assert index.count(block["id"]) == 1
        assert page.startswith(f"# {block['label']}\n") and "**Worked example:**" in page
        for parameter in block.get("parameters", []):
            if parameter.get("hide") != "all":
                assert f"`{parameter['id']}`" in page, f"{path.name}: {parameter['id']}"
        shown = re.sub(r"\\(.)", r"\1", page).replace("**", "")
        for word in re.findall(r"[A-Za-z]{4,}", block["documentation"]):
            assert word in shown, f"{path.name}: {word}"


def test_markup_in_block_documentation_shows_as_it_is(site):
    escaped = site("block_pages").escaped
    assert escaped("M = S*Q, [S][Q] a_b <x> |u|") == r"M = S\*Q, \[S\]\[Q\] a\_b \<x\> \|u\|"


@pytest.mark.parametrize("command", ["thzum", "thzum-rx"])
class TestManualPage:
    def test_tells_every_option(self, site, root, command):
        module, function = site("command_pages").COMMANDS[command]
        parser = getattr(importlib.import_module(module), function)()
        assert parser.prog == command
        page = self.page(root, parser).replace("\\-", "-")
        for child in site("command_pages").parsers(parser):
            for action in child._actions:
                for option in action.option_strings:
                    assert option in page, f"{child.prog} {option}"

    def test_is_valid_roff(self, site, root, command):
        module, function = site("command_pages").COMMANDS[command]
        page = self.page(root, getattr(importlib.import_module(module), function)())
        assert page.startswith(".TH") and f"\n.SH NAME\n{command.replace('-', chr(92) + '-')} \\- " in page
        # A line that begins with a dot is a request; no text may be mistaken for one.
        assert {line.split()[0] for line in page.splitlines() if line.startswith(".")} <= {
            ".TH", ".SH", ".SS", ".B", ".PP", ".TP"
        }
        groff = shutil.which("groff")
        if groff:
            command = [groff, "-Kutf8", "-man", "-Tutf8", "-ww", "-z"]
            run = subprocess.run(command, input=page, text=True, capture_output=True)
            assert run.stderr == ""

    def page(self, root, parser):
        specification = importlib.util.spec_from_file_location("man_page", root / "apps" / "man_page.py")
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module.manual_page(parser)


def test_commands_are_installed_with_their_pages(root, site):
    listed = re.search(r"set\(thzum_commands ([^)]+)\)", (root / "apps" / "CMakeLists.txt").read_text()).group(1)
    entries = dict(entry.split("=") for entry in listed.split())
    assert entries == {name: module for name, (module, _) in site("command_pages").COMMANDS.items()}
    assert set(entries) == {path.name for path in (root / "apps").iterdir() if path.is_file() and not path.suffix}


def test_site_builds_without_a_warning(root, tmp_path):
    for package in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(package)
    doxygen = [] if shutil.which("doxygen") else ["--no-doxygen"]
    command = [sys.executable, str(root / "docs" / "site" / "build.py"), str(tmp_path / "site"), *doxygen]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "site" / "blocks" / "thzum_channel_estimator.html").read_text()
    assert "newtonized_omp" in page
    assert "predicted_nmse_db" in (tmp_path / "site" / "python" / "thzum.html").read_text()
    links = re.findall(r'href="([^"#:?]+\.html)', page)
    assert links and all((tmp_path / "site" / "blocks" / link).exists() for link in links)
