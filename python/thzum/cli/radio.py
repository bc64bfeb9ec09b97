# SPDX-License-Identifier: GPL-3.0-or-later
"""``thzum radio``: the channel of the virtual radio, for its driver or to look at."""

import sys

#: Arguments of the pilot plan by their names in an address, with those of PilotPlan.
PLAN_KEYS = {
    "n_slots": "n_slots",
    "n_users": "n_users",
    "n_data": "n_data",
    "n_noise": "n_noise",
    "plan_seed": "seed",
    "samples_per_symbol": "samples_per_symbol",
}


def add_parser(subparsers):
    """Add the subcommand ``radio``."""
    text = "draw the virtual radio's channel into a setup file (what driver=thzum calls itself)"
    parser = subparsers.add_parser("radio", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("--out", required=True, help="setup file to write, for setup=FILE")
    parser.add_argument(
        "assignments",
        metavar="KEY=VALUE",
        nargs="*",
        help=f"as in the address of the radio: plan=FILE or {', '.join(PLAN_KEYS)}, modulation; and of the channel "
        "preset, config, seed, realisations, coherence, max_doppler, beams, rate",
    )
    parser.set_defaults(run=run)


def run(options):
    """Write the setup."""
    from ..radio.setup import ChannelChoice, make_setup

    texts = dict(_pair(assignment) for assignment in options.assignments)
    plan = plan_of({key: texts.pop(key) for key in [*PLAN_KEYS, "plan", "modulation"] if key in texts})
    unknown = sorted(set(texts) - set(ChannelChoice.names()))
    if unknown:
        known = ["plan", *PLAN_KEYS, "modulation", *ChannelChoice.names()]
        raise ValueError(f"{unknown[0]}: expected one of {', '.join(known)}")
    make_setup(plan, ChannelChoice.from_texts(texts)).save(options.out)
    print(f"wrote {options.out}; both ends take it as driver=thzum,setup={options.out}", file=sys.stderr)


def plan_of(texts):
    """The pilot plan that {key: text} describe; a file's "plan" has the keys of a recording's "thzum:plan"."""
    from ..frame.plan_file import read_plan_entry
    from ..frame.recording import plan_from_metadata

    settings = dict(array="thz300_aosa4x256", n_slots=128, samples_per_symbol=2, modulations="qpsk")
    if "plan" in texts:
        settings |= read_plan_entry(texts["plan"])
    for key, name in PLAN_KEYS.items():
        if key in texts:
            try:
                settings[name] = int(texts[key])
            except ValueError:
                raise ValueError(f"{key}: expected an integer, got {texts[key]!r}") from None
    if "modulation" in texts:
        settings["modulations"] = texts["modulation"]
    return plan_from_metadata(settings)


def _pair(assignment):
    key, equals, value = assignment.partition("=")
    if not equals:
        raise ValueError(f"expected KEY=VALUE, got {assignment!r}")
    return key, value
