"""Tags of alerts."""
