"""The cloud: one folder per resource, each with its public face in schema.py and messages.py.

A folder imports the kernel, and of other folders nothing but that public face; what it adds is one
`Plugin`, found by discovery, so that a new resource or driver changes no other folder.
"""
