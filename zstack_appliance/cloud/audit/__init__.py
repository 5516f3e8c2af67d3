"""Audits: who called what. The kernel writes them down with each call; here they are forgotten when they are old."""
