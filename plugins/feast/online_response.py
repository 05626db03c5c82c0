"""Feast's import path of the answer of `get_online_features`, looked up when it is asked for."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "OnlineResponse":
        from feast_core.online_response import OnlineResponse

        return OnlineResponse
    raise AttributeError(f"module 'feast.online_response' has no attribute {name!r}")
