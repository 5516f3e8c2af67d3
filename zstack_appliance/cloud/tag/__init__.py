"""Tags: free text that people put on resources, and system tags, by which they change how those behave."""
