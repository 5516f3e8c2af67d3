"""How the appliance comes onto a machine and leaves it again.

`archive` knows the one-file program from inside; `install` and `uninstall` are lists of steps, each safe to
repeat. ``install.sh`` is for those who have only a URL.
"""
