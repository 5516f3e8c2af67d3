"""Tests; the folders mirror the package path for path."""
