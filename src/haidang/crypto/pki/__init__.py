"""Authorities: from the root's ceremony to the revocation of a clerk's certificate."""
