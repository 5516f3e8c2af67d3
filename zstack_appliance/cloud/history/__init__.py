"""The history of resources: what changed, when, by whom and by which call. The kernel writes it down with each
commit; here it is asked for, and forgotten when it is old.
"""
