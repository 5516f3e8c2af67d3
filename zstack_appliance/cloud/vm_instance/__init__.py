"""A VM instance: a virtual machine with its NICs and volumes.

Created → Starting → Running ⇄ Stopped, through Stopping, Rebooting, Paused; Destroyed until expunged; Unknown
while its host does not answer, Crashed when its hypervisor says so.
"""
