"""Files that grow, followed."""
