"""A zone: the largest part of a cloud, such as a building; clusters, storage and L2 networks lie in one.

Enabled ⇄ Disabled: a disabled zone takes no new VM, and what it has goes on.
"""
