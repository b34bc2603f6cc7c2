"""Findings put together to alerts, and what people do about them."""
