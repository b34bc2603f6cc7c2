"""Which keys, certificates and algorithms are in use where, until when, and what must move.

algorithms.py   what is known of each algorithm: strength, standard, whether a quantum computer breaks it
looking.py      folders → assets: recognised by content, never unlocked
judging.py      assets × horizons → concerns
table.py, page.py, cbom.py   how it is told: a table, an HTML page, a CycloneDX CBOM
"""
