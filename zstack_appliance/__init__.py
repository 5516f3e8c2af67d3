"""ZStack's cloud in one file: a single trio process that turns one Linux server into a cloud."""
