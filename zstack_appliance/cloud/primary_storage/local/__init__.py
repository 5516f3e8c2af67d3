"""Primary storage in a folder of each host: linked qcow2 clones of cached images.

``<root>/imagecache/<image uuid>/``, ``<root>/rootVolumes/<volume uuid>/`` and
``<root>/dataVolumes/<volume uuid>/`` appear whole or not at all, and go the same way.
"""
