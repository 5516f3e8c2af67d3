"""A cluster: hosts of one hypervisor that share storage and networks.

Enabled ⇄ Disabled; Disabled takes no new VM.
"""
