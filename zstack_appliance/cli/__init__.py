"""The command line: an HTTP client of the appliance, whose resource commands are derived from the declarations.

It works against any appliance, on this machine or elsewhere. Nothing heavy is imported before a command runs.
"""
