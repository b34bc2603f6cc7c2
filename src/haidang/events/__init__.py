"""Bytes → events: opening, recognition of formats, and one reader for each format.

    from haidang.events.streams import find_inputs
    from haidang.limits import DEFAULT_LIMITS

    for found in find_inputs(["logs/"], limits=DEFAULT_LIMITS, on_problem=print):
        print(found.display, found.size)

Nothing here knows rules. All input is untrusted; what cannot be read is counted and named, never raised.
"""
