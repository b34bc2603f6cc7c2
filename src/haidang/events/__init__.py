"""Bytes → events: opening, recognition of formats, and one reader for each format.

    from haidang.events.streams import find_inputs

    for found in find_inputs(["logs/"]):
        print(found.display, found.size)

Nothing here knows rules. All input is untrusted; what cannot be read is counted and named, never raised.
"""
