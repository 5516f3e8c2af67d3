"""Cost centers: every VM that names one is booked on it, as long as its budget allows."""
