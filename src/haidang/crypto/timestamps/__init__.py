"""Timestamps after RFC 3161: an authority that gives them, and a client that asks several for one.

    authority.py   answers requests, bytes to bytes
    client.py      asks authorities over HTTP, in order, and believes no answer unchecked

Example::

    authority = TimestampAuthority(signatory, clock=lambda: dt.datetime.now(dt.UTC))
    sign_file(source, target, person, now=now, timestamper=authority.timestamper())
"""
