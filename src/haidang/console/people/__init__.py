"""Who works here: people, their roles, and what they may do."""
