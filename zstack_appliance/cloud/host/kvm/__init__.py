"""KVM hosts, the management half: what is recorded of one, and how it is added."""
