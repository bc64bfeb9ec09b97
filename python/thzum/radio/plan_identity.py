# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether two pilot plans put the same frames on the air."""

import hashlib

import numpy as np

_NUMBERS = ("n_subarrays", "n_elements", "n_slots", "n_users", "n_noise", "n_data", "samples_per_symbol")


def plan_differences(plan, other):
    """Names of what differs between two plans, each with both values, as texts."""
    texts = []
    for name in _NUMBERS:
        ours, theirs = getattr(plan, name), getattr(other, name)
        if ours != theirs:
            texts.append(f"{name} {ours} and {theirs}")
    if not texts and plan.air is not None and plan.air.schedule() != other.air.schedule():
        texts.append("layout of the air frame")
    if not texts and not np.allclose(plan.combiner, other.combiner, atol=1e-6):
        texts.append(f"combiners (seed {plan.seed} and {other.seed})")
    return texts


def plan_fingerprint(plan):
    """A number of 63 bits that plans of the same frames share."""
    digest = hashlib.sha256(repr([getattr(plan, name) for name in _NUMBERS]).encode())
    digest.update(np.round(plan.combiner * 1e4).astype(np.complex64).tobytes())
    digest.update(np.round(plan.user_sequences * 1e4).astype(np.complex64).tobytes())
    if plan.air is not None:
        digest.update(repr([list(values) for values in plan.air.schedule()]).encode())
    return int.from_bytes(digest.digest()[:8], "little") >> 1
