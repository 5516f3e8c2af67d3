"""ZQL as an API: one call that answers several queries with sub-queries, sums and groups."""
