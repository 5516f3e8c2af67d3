"""Pages that plugins bring, put into our frame: `plugin_page`."""

from __future__ import annotations

import functools
from pathlib import Path

import jinja2
from markupsafe import Markup
from starlette.responses import Response

from zstack_appliance.api.ui.visit import Visit
from zstack_appliance.kernel.cloud import Cloud
from zstack_appliance.kernel.errors import Forbidden, NotFound


async def plugin_page(visit: Visit, path: str) -> Response:
    """A plugin's page, filled with the rights of whoever looks.

    Raises:
        NotFound: there is no such page.
        Forbidden: it is for administrators.
    """
    plugin, _, name = path.partition("/")
    found = visit.inside.menu.pages.get((plugin, name))
    if found is None:
        raise NotFound(f"no plugin brings a page {path[:100]}; `zstack-appliance plugins` lists those that are there")
    if found.page.admin and not visit.principal.admin:
        raise Forbidden(f"{found.page.title} is for administrators; ask one if you need to see it")
    template, filling = await found.page.show(Cloud(visit.inside.portal.kernel, visit.principal))
    assert found.plugin.templates is not None, f"the plugin {plugin} has pages, but no folder of templates"
    environment = _environment(visit.inside.templates, found.plugin.templates)
    body = Markup(environment.get_template(template).render(**filling))  # noqa: S704 — escaped as it was rendered
    return visit.page("plugin_page.html", title=found.page.title, body=body)


@functools.lru_cache(maxsize=64)
def _environment(ours: jinja2.Environment, folder: Path) -> jinja2.Environment:
    """Our filters and manners, a plugin's templates; ours stay within reach for what they import."""
    loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(folder), _ours(ours.loader)])
    return ours.overlay(loader=loader)


def _ours(loader: jinja2.BaseLoader | None) -> jinja2.BaseLoader:
    assert loader is not None
    return loader
