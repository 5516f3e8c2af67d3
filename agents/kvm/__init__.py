"""The KVM host runtime: libvirt, real processes, and the host halves of the drivers.

Its primitives: a `KvmHost` serves encoded commands and says what happens on it; a `LocalLink` reaches it
from the same process; a `KvmRuntime` is what a command may use of it. Decisions are pure (`domain_xml`,
`events`, `accel`); blocking calls to libvirt are in `domains`, and run in threads.
"""
