# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of the blocks, written from the YAML files that GNU Radio Companion reads."""

import re

import yaml

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$])")


def escaped(text):
    """Plain text as Markdown that shows it unchanged."""
    return SPECIAL.sub(r"\\\1", str(text))


def code(text):
    """Text in a code span; in a table a bar would end the cell."""
    return f"`{text}`".replace("|", "\\|") if str(text).strip() else ""


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in lines)


def choices(parameter):
    """What a parameter may be, as one table cell."""
    options = parameter.get("options", [])
    labels = parameter.get("option_labels", [])
    if labels:
        return ", ".join(f"{code(o)} ({escaped(text)})" for o, text in zip(options, labels))
    return ", ".join(map(code, options))


def parameters(block):
    rows = [
        [escaped(p["label"]), code(p["id"]), p.get("dtype", ""), code(p.get("default", "")), choices(p)]
        for p in block.get("parameters", [])
        if p.get("hide") != "all"
    ]
    return table(["parameter", "id", "type", "default", "choices"], rows) if rows else "None."


def port(entry, direction):
    """One port as a table row: its size as the expression GRC evaluates."""
    name = entry.get("label") or entry.get("id", "")
    if entry["domain"] == "message":
        return [direction, escaped(name), "message", "", "yes" if entry.get("optional") else ""]
    sizes = [f"{what} {code(entry[key])}" for key, what in (("vlen", "items of"), ("multiplicity", "ports:"))
             if key in entry]
    return [direction, escaped(name), escaped(entry.get("dtype", "")), ", ".join(sizes),
            code(entry["optional"]) if isinstance(entry.get("optional"), str) else
            "yes" if entry.get("optional") else ""]


def ports(block):
    rows = [port(p, "in") for p in block.get("inputs", [])] + [port(p, "out") for p in block.get("outputs", [])]
    return table(["", "port", "type", "size", "optional"], rows) if rows else "None: a variable."


def documentation(block):
    """GRC shows this text as it is; here each named parameter or port begins a line of its own."""
    labels = {re.sub(r" [(\[].*[)\]]$", "", p["label"]) for p in block.get("parameters", [])}
    paragraphs = []
    for paragraph in re.split(r"\n\s*\n", block["documentation"].strip("\n")):
        if all(line.startswith(("  ", "\t")) for line in paragraph.splitlines()):
            paragraphs.append(f"```\n{paragraph}\n```")
            continue
        text = ""
        for line in paragraph.splitlines():
            name, colon, rest = line.strip().partition(":")
            if colon and (name in labels or name == "Worked example"):
                line = f"**{escaped(name)}:**{escaped(rest)}"
                text += "\n\n" + line if text else line
            else:
                text += ("\n" if text else "") + escaped(line.strip())
        paragraphs.append(text)
    return "\n\n".join(paragraphs)


def page(block):
    """The page of one block."""
    asserts = [f"- {code(text)}" for text in block.get("asserts", [])]
    checked = "\n\n## Checked while you draw\n" + "\n".join(asserts) if asserts else ""
    return (
        f"# {escaped(block['label'])}\n\n{code(block['id'])}, in {escaped(block['category'])}\n\n"
        f"{documentation(block)}\n\n## Parameters\n{parameters(block)}\n\n## Ports\n{ports(block)}{checked}\n"
    )


def write(grc_folder, folder):
    """Writes a page per block and an index by category into ``folder``; returns the blocks' ids."""
    blocks = [yaml.safe_load(path.read_text()) for path in sorted(grc_folder.glob("*.block.yml"))]
    folder.mkdir(parents=True, exist_ok=True)
    index = ["# Blocks", "", "As GNU Radio Companion shows them, written from `grc/*.block.yml`."]
    for category in sorted({block["category"] for block in blocks}):
        inside = sorted((b for b in blocks if b["category"] == category), key=lambda b: b["label"])
        title = category.replace("[THz UM-MIMO]", "").strip("/") or "Receiver"
        tree = ["```{toctree}", ":maxdepth: 1", "", *(block["id"] for block in inside), "```"]
        index += ["", f"## {escaped(title)}", "", *tree]
    for block in blocks:
        (folder / f"{block['id']}.md").write_text(page(block))
    (folder / "index.md").write_text("\n".join(index) + "\n")
    return [block["id"] for block in blocks]
