"""An account: who owns what is made here, and who may log in.

An account is of type SystemAdmin, who may do everything, or Normal, who sees what it owns and what everybody
may read. It logs in with its name and password and gets a session, whose uuid is the key to every other call
until it expires. Neither has states. The first account, `admin`, is made at the first start.
"""
