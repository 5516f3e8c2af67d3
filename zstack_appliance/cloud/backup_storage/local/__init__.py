"""Backup storage in a folder of a host: ``<root>/images/<image uuid>/`` holds the file and its facts.

The folder of an image appears whole or not at all, and never changes afterwards.
"""
