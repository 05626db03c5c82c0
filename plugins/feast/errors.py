"""Feast's names of errors that code in and around a repository catches, as far as feastkit has them."""

from feast_core.errors import (
    Conflict,
    DefinitionError,
    FeastError,
    FeatureServiceNotFound,
    FeatureViewNotFound,
    InvalidInput,
    NameCollision,
    NotSupported,
    ObjectNotFound,
    PermissionDenied,
    PushSourceNotFound,
    RequestDataMissing,
    SourceError,
)

ConcurrentVersionConflict = Conflict
ConflictingFeatureViewNames = DefinitionError
DataSourceNoNameException = DefinitionError
DataSourceNotFoundException = SourceError
DataSourceObjectNotFoundException = ObjectNotFound
DataSourceRepeatNamesException = DefinitionError
EntityNotFoundException = ObjectNotFound
EntityTimestampInferenceException = DefinitionError
FeastJoinKeysDuringMaterialization = SourceError
FeastObjectNotFoundException = ObjectNotFound
FeastOfflineStoreUnsupportedDataSource = SourceError
FeastPermissionError = PermissionDenied
FeatureNameCollisionError = NameCollision
FeatureServiceNotFoundException = FeatureServiceNotFound
FeatureViewMissingDuringFeatureServiceInference = DefinitionError
FeatureViewNotFoundException = FeatureViewNotFound
FeatureViewPinConflict = NotSupported
FeatureViewVersionNotFound = NotSupported
InvalidEntityType = DefinitionError
InvalidFeaturesParameterType = InvalidInput
OnDemandFeatureViewNotFoundException = FeatureViewNotFound
PermissionNotFoundException = ObjectNotFound
PermissionObjectNotFoundException = ObjectNotFound
ProjectNotFoundException = ObjectNotFound
ProjectObjectNotFoundException = ObjectNotFound
PushSourceNotFoundException = PushSourceNotFound
RegistryInferenceFailure = DefinitionError
RequestDataNotFoundInEntityDfException = RequestDataMissing
RequestDataNotFoundInEntityRowsException = RequestDataMissing
SavedDatasetNotFound = ObjectNotFound
SpecifiedFeaturesNotPresentError = DefinitionError
ValidationReferenceNotFound = ObjectNotFound
VersionedOnlineReadNotSupported = NotSupported

__all__ = [
    "ConcurrentVersionConflict",
    "ConflictingFeatureViewNames",
    "DataSourceNoNameException",
    "DataSourceNotFoundException",
    "DataSourceObjectNotFoundException",
    "DataSourceRepeatNamesException",
    "EntityNotFoundException",
    "EntityTimestampInferenceException",
    "FeastError",
    "FeastJoinKeysDuringMaterialization",
    "FeastObjectNotFoundException",
    "FeastOfflineStoreUnsupportedDataSource",
    "FeastPermissionError",
    "FeatureNameCollisionError",
    "FeatureServiceNotFoundException",
    "FeatureViewMissingDuringFeatureServiceInference",
    "FeatureViewNotFoundException",
    "FeatureViewPinConflict",
    "FeatureViewVersionNotFound",
    "InvalidEntityType",
    "InvalidFeaturesParameterType",
    "OnDemandFeatureViewNotFoundException",
    "PermissionNotFoundException",
    "PermissionObjectNotFoundException",
    "ProjectNotFoundException",
    "ProjectObjectNotFoundException",
    "PushSourceNotFoundException",
    "RegistryInferenceFailure",
    "RequestDataNotFoundInEntityDfException",
    "RequestDataNotFoundInEntityRowsException",
    "SavedDatasetNotFound",
    "SpecifiedFeaturesNotPresentError",
    "ValidationReferenceNotFound",
    "VersionedOnlineReadNotSupported",
]
