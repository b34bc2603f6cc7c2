"""The same over REST: what the console does, for programs."""
