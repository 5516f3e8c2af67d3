"""An image: a disk that VMs begin as. Creating → Downloading → Ready; Enabled ⇄ Disabled; Deleted until expunged."""
