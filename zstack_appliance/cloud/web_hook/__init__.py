"""Web hooks: when a job that was asked for with `X-Web-Hook` ends, its result is posted there.

Waiting → Due → Delivered, or GivenUp. A result is sent at least once: a crash between sending and noting it sends
it again.
"""
