"""Where logs come from: each source has a token, a unit and limits."""
