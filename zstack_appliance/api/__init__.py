"""The doors: how the world outside reaches the cloud.

Each door turns a request into one typed message and its answer into bytes; no door knows a cloud noun by
name. Below them, `server` opens the listeners and `bridge` carries each request from uvicorn, which lives
in asyncio, to the application, which like everything else here lives in trio.
"""
