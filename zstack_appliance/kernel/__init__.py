"""The kernel: the mechanisms every resource stands on, and no cloud noun but principal, job and tag.

Its primitives are five: a **Resource** is a stored noun, a **Message** crosses folders, a **Flow** is
ordered steps with undo, a **Driver** is chosen by a resource's type, a **Plugin** is what a folder adds.
"""
