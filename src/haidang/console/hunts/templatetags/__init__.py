"""Tags of hunts."""
