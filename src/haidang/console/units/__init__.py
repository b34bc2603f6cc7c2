"""The tree of units, with their contacts and assets."""
