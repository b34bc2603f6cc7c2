"""Verifies signed files of any kind, made by anyone, without a network, into a verdict."""
