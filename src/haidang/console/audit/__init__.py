"""Who did and looked at what: a log that cannot be cut or rewritten unseen."""
