"""Backup storage: where images live before a host uses them.

It is Enabled or Disabled, and Connecting, Connected or Disconnected besides. What any backup storage can do
on a host stands in `driver.py`; each type has a folder.
"""
