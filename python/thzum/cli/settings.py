# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments by which commands take a channel configuration: --preset, --config and --set."""


def add_source(parser):
    """Add --preset NAME or --config FILE, and --set KEY=VALUE."""
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--preset", metavar="NAME", help="channel preset (thzum channel presets lists them)")
    source.add_argument("--config", metavar="FILE", help="configuration, .yaml or .json")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="change a setting, such as users=4 or model.n_paths=3; values as in YAML; may be repeated",
    )


def chosen_config(options):
    """The :class:`ChannelConfig` that the arguments of :func:`add_source` ask for."""
    from ..channel.config import ChannelConfig
    from ..channel.config_file import read_document

    document = {"model": options.preset} if options.config is None else read_document(options.config)
    for assignment in options.set:
        _assign(document, assignment)
    try:
        return ChannelConfig.from_dict(document)
    except ValueError as error:
        raise ValueError(str(error) if options.config is None else f"{options.config}: {error}") from None


def _assign(document, assignment):
    """Apply "a.b=value" to nested dictionaries; a name that stands for a preset becomes {"preset": name}."""
    from ..channel.config_file import parse_yaml

    key, equals, text = assignment.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        raise ValueError(f"--set: expected KEY=VALUE, such as users=4, got {assignment!r}")
    inner = document
    for step in steps[:-1]:
        below = inner.get(step)
        if below is None:
            below = {}
        elif isinstance(below, str):
            below = {"preset": below}
        elif not isinstance(below, dict):
            raise ValueError(f"--set: expected {step!r} to be a section, but it is {below!r}; got {assignment!r}")
        inner[step] = below
        inner = below
    try:
        inner[steps[-1]] = parse_yaml(text)
    except ValueError as error:
        raise ValueError(f"--set: {assignment!r}: {error}") from None
