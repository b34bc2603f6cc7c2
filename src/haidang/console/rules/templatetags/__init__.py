"""Tags of rules."""
