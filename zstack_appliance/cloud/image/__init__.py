"""An image: a disk that VMs begin as.

Downloading → Ready; Enabled ⇄ Disabled; Deleted until it is expunged or recovered.
"""
