"""A host: a machine that runs VMs.

State is the administrator's wish: Enabled ⇄ Disabled → PreMaintenance → Maintenance. Status is what is seen:
Connecting → Connected ⇄ Disconnected. Only a host that is Enabled and Connected takes new VMs.
"""
