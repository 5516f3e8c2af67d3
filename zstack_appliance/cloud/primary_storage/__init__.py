"""Primary storage: where the volumes of VMs live, and the images that they are cloned from.

It is Enabled, Disabled, in Maintenance or Deleting, and Connecting, Connected or Disconnected besides. What
any primary storage can do on a host stands in `driver.py`; each type has a folder.
"""
