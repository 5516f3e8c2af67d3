"""Simulated hosts: they answer every command from memory, with latency and faults as asked for.

First-class, not a test double: the same contract suite runs against them and against KVM hosts, and
``zstack-appliance simulate`` is made of them.
"""
