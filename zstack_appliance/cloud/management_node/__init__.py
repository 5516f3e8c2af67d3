"""A management node: a process of this appliance that serves. On a single machine there is one."""
