"""Feast's import path of stream feature views."""

from feast_core.definitions import StreamFeatureView, stream_feature_view

__all__ = ["StreamFeatureView", "stream_feature_view"]
