from __future__ import annotations

from typing import Any

from openapi_spec_validator import validate

from tests.api.things import (
    CreateThing,
    DeleteThing,
    GetBroken,
    MeasureThing,
    RefuseThing,
    Thing,
    UpdateThing,
    WaitForThing,
)
from tests.kernel.small_cloud import RESOURCES
from tests.running import every_plugin
from zstack_appliance.kernel.derive.openapi import openapi
from zstack_appliance.kernel.derive.route import Routes
from zstack_appliance.kernel.edges import Graph
from zstack_appliance.kernel.plugin import handler_of
from zstack_appliance.kernel.records import RECORDS
from zstack_appliance.kernel.schema import Record

REQUESTS = (CreateThing, UpdateThing, DeleteThing, WaitForThing, RefuseThing, GetBroken, MeasureThing)


def document() -> dict[str, Any]:
    resources: list[type[Record]] = [*RESOURCES, Thing]
    return openapi(Routes(REQUESTS, resources).all, Graph(resources), "1.0.0")


def test_the_document_of_every_plugin_is_valid() -> None:
    plugins = every_plugin()
    resources: list[type[Record]] = [*(cls for plugin in plugins for cls in plugin.resources), *RECORDS]
    requests = [handler_of(entry).message for plugin in plugins for entry in plugin.handlers]
    made = openapi(Routes(requests, resources).all, Graph(resources), "1.0.0")
    validate(made)
    assert len(made["paths"]) > 60


def test_a_small_document_is_valid() -> None:
    validate(document())


def test_a_creation_has_its_parameters_wrapped_and_its_tags_beside_them() -> None:
    operation = document()["paths"]["/things"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    assert body["required"] == ["params"]
    assert set(body["properties"]) == {"params", "systemTags", "userTags"}
    wrapped = body["properties"]["params"]
    assert wrapped["required"] == ["name"]
    assert wrapped["properties"]["size"] == {
        "type": "integer",
        "format": "int64",
        "minimum": 0,
        "maximum": 100,
        "default": 1,
    }
    assert operation["x-job-result"]["properties"]["inventory"] == {"$ref": "#/components/schemas/ThingInventory"}
    assert set(operation["responses"]) == {"202", "400", "503"}


def test_actions_of_one_path_are_one_operation_with_a_body_for_each() -> None:
    operation = document()["paths"]["/things/{uuid}/actions"]["put"]
    bodies = operation["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [body["required"] for body in bodies] == [["updateThing"], ["waitForThing"], ["refuseThing"]]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["uuid"]


def test_what_is_answered_at_once_says_what() -> None:
    operation = document()["paths"]["/things/{uuid}/size"]["get"]
    assert "x-job-result" not in operation
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Measured"}


def test_deletions_take_their_parameters_in_the_query_string() -> None:
    operation = document()["paths"]["/things/{uuid}"]["delete"]
    assert [(each["name"], each["in"]) for each in operation["parameters"]] == [
        ("uuid", "path"),
        ("deleteMode", "query"),
    ]


def test_a_resource_is_queried_by_list_and_by_uuid() -> None:
    paths = document()["paths"]
    assert paths["/things"]["get"]["operationId"] == "queryThing"
    assert "q" in {each["name"] for each in paths["/things"]["get"]["parameters"]}
    assert [each["name"] for each in paths["/things/{uuid}"]["get"]["parameters"]] == ["uuid"]


def test_inventories_show_what_is_embedded_and_no_secret() -> None:
    schemas = document()["components"]["schemas"]
    vm = schemas["VmInstanceInventory"]["properties"]
    assert vm["vmNics"] == {"type": "array", "items": {"$ref": "#/components/schemas/VmNicInventory"}}
    assert vm["state"] == {"enum": ["Running", "Stopped"]}
    assert vm["createDate"]["type"] == "string"
    assert "process" not in vm
    assert schemas["L3NetworkInventory"]["properties"]["dns"]["items"] == {"type": "string"}
