"""Signatures over files: CAdES for any file, PAdES for PDF, ASiC-E for several files, C2PA for pictures.

A module for each form; who signs is a :class:`haidang.crypto.signers.Signatory`::

    sign_file(Path("report.csv"), Path("report.csv.p7s"), signatory, now=now, timestamper=authorities)
"""
