"""Verification of what anyone signed, without a network: a module for each form, a verdict for each file."""
