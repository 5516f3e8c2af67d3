"""Jobs from outside: see the steps of one, and cancel one. Running them is the kernel's business.

Running → Succeeded or Failed.
"""
