"""Many nodes as one cloud: what carries the log and the calls between them, below the kernel's seams."""
