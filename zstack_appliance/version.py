"""The appliance's own version, by semantic versioning. ZStack's API level is another number."""

VERSION = "0.1.0.dev0"
