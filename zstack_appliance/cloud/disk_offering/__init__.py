"""A disk offering: how large a volume is. Enabled ⇄ Disabled."""
