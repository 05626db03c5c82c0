"""Feast's names of errors that code in and around a repository catches, as far as feastkit has them."""

from feast_core.errors import (
    DefinitionError,
    FeastError,
    FeatureServiceNotFound,
    FeatureViewNotFound,
    NameCollision,
    ObjectNotFound,
    PermissionDenied,
    RequestDataMissing,
)

ConflictingFeatureViewNames = DefinitionError
DataSourceNotFoundException = ObjectNotFound
EntityNotFoundException = ObjectNotFound
FeastObjectNotFoundException = ObjectNotFound
FeastPermissionError = PermissionDenied
FeatureNameCollisionError = NameCollision
FeatureServiceNotFoundException = FeatureServiceNotFound
FeatureViewNotFoundException = FeatureViewNotFound
OnDemandFeatureViewNotFoundException = FeatureViewNotFound
PermissionNotFoundException = ObjectNotFound
ProjectNotFoundException = ObjectNotFound
PushSourceNotFoundException = ObjectNotFound
RequestDataNotFoundInEntityRowsException = RequestDataMissing
SpecifiedFeaturesNotPresentError = DefinitionError

__all__ = [
    "ConflictingFeatureViewNames",
    "DataSourceNotFoundException",
    "EntityNotFoundException",
    "FeastError",
    "FeastObjectNotFoundException",
    "FeastPermissionError",
    "FeatureNameCollisionError",
    "FeatureServiceNotFoundException",
    "FeatureViewNotFoundException",
    "OnDemandFeatureViewNotFoundException",
    "PermissionNotFoundException",
    "ProjectNotFoundException",
    "PushSourceNotFoundException",
    "RequestDataNotFoundInEntityRowsException",
    "SpecifiedFeaturesNotPresentError",
]
