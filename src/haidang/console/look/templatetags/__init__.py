"""Helpers for templates."""
