"""Entities of the test repository, imported by its siblings."""

from feast import Entity, ValueType

driver = Entity(name="driver", join_keys=["driver_id"], value_type=ValueType.INT64, description="who drives")
customer = Entity(name="customer", value_type=ValueType.STRING, tags={"team": "growth"}, owner="a@example.com")
