"""Tested helpers behind every chapter of the book."""

__version__ = "0.1.0"
