"""Typed settings that refuse what they do not know, in one readable line."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class Strict(BaseModel):
    """Base of all settings: unknown keys and wrong types are refused, nothing is converted silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def parse(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Check values against a model.

    Raises:
        ValueError: in one line, the keys that are wrong, their values, and what is allowed.
    """
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise ValueError("; ".join(_explain(model, item) for item in error.errors())) from None


def digest(values: Any) -> str:
    """Sixteen hexadecimal digits that depend on plain values, but not on the order of keys."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _explain(model: type[BaseModel], error: Any) -> str:
    """One readable clause for one pydantic error."""
    path = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"key '{path}' is not known; allowed: {', '.join(_keys(model, error['loc'][:-1]))}"
    if error["type"] == "missing":
        return f"key '{path}' is missing"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        return f"{path}: {message}" if path else message
    path, rule = path.removesuffix(".[key]"), message.partition(" should ")[2]
    return f"{path} = {error['input']!r} is not allowed; it must {rule}"


def _keys(model: Any, location: Sequence[str | int]) -> list[str]:
    """Field names of the model found by following a location of an error."""
    for part in location:
        fields = getattr(model, "model_fields", None)
        if fields and part in fields:
            model = fields[part].annotation
        inside = getattr(model, "__args__", ())  # of a union, a list or a mapping
        models = [item for item in (model, *inside) if isinstance(item, type) and issubclass(item, BaseModel)]
        model = (models or inside or [model])[-1]
    return list(getattr(model, "model_fields", {}))
