"""What the host halves of drivers share: files that survive crashes, the kernel's network, names, daemons.

It runs on hosts, so it stands on the standard library, trio, msgspec and `kernel.remote` alone; everything that
it does on a host goes through the `Runtime` that it is given. Its simulated part is what simulated hosts keep
instead of files and devices.
"""
