"""A whole Debian 12 under QEMU, with systemd and a kernel of its own: what only a real machine shows.

`base` makes the machine's disk once, `machine` boots it, `python -m tests.deep` installs the appliance there.
"""
