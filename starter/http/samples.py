"""Examples of what is sent and answered, made from the schemas, so that a new field or command has one at once.

A field that says its own example (`Field(examples=[…])`) is taken at its word; every other gets a value of its kind.
"""

import re
from collections.abc import Mapping
from typing import Any

_SCHEMAS = "#/components/schemas/"
_DEPTH_MAX = 8
_BY_FORMAT = {
    "date-time": "2026-11-21T09:30:00+08:00",
    "date": "2026-11-21",
    "uri": "https://town.example/",
}
_BY_NAME: Mapping[str, Any] = {
    "case_id": "incident-20261121-000017", "procedure": "incident", "title": "事件处置", "stage": "handling",
    "stage_zh": "部门正在办理", "stage_en": "a department is dealing with it", "holder": "department:urban-management",
    "department": "urban-management", "department_zh": "城管局", "department_en": "Urban management bureau",
    "area": "320104.003.07", "category": "环境卫生", "urgency": "ordinary", "address": "幸福小区3号楼",
    "description": "小区垃圾堆积未清理", "name": "王小明", "phone": "13800000001", "result": "垃圾已清运,现场已冲洗",
    "text": "垃圾已清运,现场已冲洗", "reason": "情况说明", "legal_basis": "《城市市容和环境卫生管理条例》",
    "idempotency_key": "7f6a1c3e-0b5d-4c1e-9a55-2f0d3a1b9e77", "kind": "incident:dispatched", "command": "sign",
    "due_clock": "finish", "lat": 32.060255, "lon": 118.796877, "month": "2026-11", "code": "7HKQ3MXA",
    "version": "2026.1", "comment": "谢谢", "on_behalf_of": "resident-granny",
    "media_type": "image/jpeg", "into": "incident-20261121-000011", "years": [2026], "holidays": [], "makeup": [],
    "provisional": [], "box": "home-1",
}  # fmt: skip
_TEXTS = (
    "示例", "urban-management", "incident-20261121-000017", "council-20261121-000017",
    "320104.003.07", "2026-11-21", "2026.1", "a" * 64, "0" * 64,
    "text:" + "0" * 26, "person:" + "0" * 26, "document:" + "0" * 26, "1",
)  # fmt: skip


def sample(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that fits a JSON schema. `schemas` are the components to which it refers, `name` the field it is for."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].removeprefix(_SCHEMAS)], schemas, name, depth + 1)
    for said in ("examples", "enum"):
        if schema.get(said):
            return schema[said][0]
    if "const" in schema or ("default" in schema and schema["default"] is not None and depth > 1):
        return schema.get("const", schema.get("default"))
    choices = [each for each in schema.get("anyOf", schema.get("oneOf", ())) if each.get("type") != "null"]
    if choices:
        return sample(choices[0], schemas, name, depth + 1)
    if schema.get("type") == "object":
        return _object(schema, schemas, depth)
    known = _BY_NAME.get(name)
    return known if _fits(known, schema) else _plain(schema, schemas, name, depth)


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", ())
    # Deep down only what must be there: examples are to be read.
    wanted = [name for name in properties if name in required or (depth < _DEPTH_MAX and name in _BY_NAME)]
    return {name: sample(properties[name], schemas, name, depth + 1) for name in wanted}


def _plain(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str, depth: int) -> Any:
    kind = schema.get("type")
    if kind == "array":
        many = max(1, schema.get("minItems", 0)) if depth < _DEPTH_MAX else schema.get("minItems", 0)
        return [sample(each, schemas, name, depth + 1) for each in schema.get("prefixItems", ())] or [
            sample(schema.get("items", {}), schemas, name, depth + 1)
        ] * many
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    if kind == "string":
        return next(
            (text for text in (_BY_FORMAT.get(schema.get("format", "")), *_TEXTS) if _fits(text, schema)), "示例"
        )
    return None if kind == "null" else {}


def _fits(value: Any, schema: Mapping[str, Any]) -> bool:
    kind = schema.get("type")
    if isinstance(value, str) and kind == "string":
        if schema.get("format") in _BY_FORMAT and value != _BY_FORMAT[schema["format"]]:
            return False
        long_enough = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
        return long_enough and re.search(schema.get("pattern", ""), value) is not None
    return (isinstance(value, float) and kind == "number") or (isinstance(value, list) and kind == "array")
