"""Signs files: PAdES for PDF, CAdES or ASiC-E for any file, C2PA for pictures."""
