"""The HTML door, ``/ui/``: pages for people, made on the server from the same declarations as every other door.

A page is a function of a `Visit` (who looks, and at what) and answers HTML. What changes something becomes one
typed message, served by the portal or by a job as that person: nothing here may do what the API may not.
Templates, styles and scripts are in ``webui/``.
"""
