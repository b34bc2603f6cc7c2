"""Keeps signed documents provable for decades: archive timestamps, renewed before what they rest on ends.

A timestamp proves that a signature was there while its certificate still held. When the timestamp's own
certificate, or its algorithm, nears its end, a further timestamp over all of it takes over, and so on.

- PDF: PAdES-B-LTA. Revocation data and document timestamps go into the document itself.
- Anything else: an *archive package*, an ASiC-E container with a time assertion (ETSI EN 319 162-1, clause
  4.3.2). It holds the documents as they are, with their detached signatures, the certificates and revocation
  data that prove them, and a chain of ``ASiCArchiveManifest`` files, each with its timestamp (annex A.7).

    evidence.py     certificates, CRLs and OCSP answers that a signature's proof needs
    packages.py     writes packages, and renews them
    pdf.py          the same for PDF
    protection.py   until when a document is provable, and what must be done by when
"""
