"""The cryptographic service of a public body: keys, certificates, signatures, seals and timestamps.

    pki/          authorities: create, issue, renew, revoke, CRL, OCSP, log, ceremony
    addressbook/  who is who: certificates and sealing keys of units and people, signed by the authority
    signing/      PAdES for PDF, CAdES or ASiC-E for any file, C2PA for pictures
    verifying/    any of them, made by anyone, without a network, into a verdict
    timestamps/   an RFC 3161 authority and its client
    sealing/      age files that hold a signed ASiC-E container; S/MIME
    archiving/    archive timestamps that keep signed documents provable
    inventory/    which keys, certificates and algorithms are in use, until when
    marking/      TLP and classification labels, and what this system may hold

A plain library without Django. Algorithms and formats are those of the libraries that the extra
``[crypto]`` brings (``docs/explanation/dependencies.md``); nothing here is of our own invention. Heavy
libraries are imported where they are used. Times are aware ``datetime`` objects in UTC.
"""
