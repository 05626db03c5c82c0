"""Feast's import path of on-demand feature views."""

from feast_core.definitions import (
    OnDemandFeatureView,
    PandasTransformation,
    PythonTransformation,
    on_demand_feature_view,
)

__all__ = ["OnDemandFeatureView", "PandasTransformation", "PythonTransformation", "on_demand_feature_view"]
