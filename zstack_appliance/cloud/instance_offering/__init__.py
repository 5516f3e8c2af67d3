"""An instance offering: how many CPUs and how much memory a VM gets. Enabled ⇄ Disabled."""
