"""Hải Đăng: the security watch of a public body."""
