"""A volume: a disk of a VM. Creating → Ready; Deleted until expunged; Enabled ⇄ Disabled."""
