"""Live logs: from ordinary shippers to a durable spool, and from it to findings."""
