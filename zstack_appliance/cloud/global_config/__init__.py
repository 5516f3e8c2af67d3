"""Global configuration: the settings that an administrator changes while the cloud runs."""
