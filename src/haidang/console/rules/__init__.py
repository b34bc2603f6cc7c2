"""Which rules are on, and how much noise each makes."""
