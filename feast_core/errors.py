"""Every error of feastkit, with its HTTP status and its exit code.

FeastError                       500  exit 1   something of ours is wrong
├── ConfigurationError           500  exit 1   feature_store.yaml, flags, environment
├── PluginError                  500  exit 1   a plugin is missing, broken, or there are two
├── DefinitionError              500  exit 1   what a feature repository declares
├── RegistryError                500  exit 1   the registry holds something that is not ours
├── NotFound                     404  exit 1   a name that is not in the registry
│   ├── FeatureNotFound
│   └── ObjectNotFound
│       ├── FeatureViewNotFound
│       ├── FeatureServiceNotFound
│       └── PushSourceNotFound
├── RequestDataMissing           404  exit 1   an on-demand view needs a column the request lacks
├── InvalidInput                 422  exit 2   body, type, timestamp, entity value, ragged columns
│   └── NameCollision            422  exit 2   two requested features would share one name
├── NotSupported                 501  exit 1   declared for Feast, no engine for it here
├── TooLarge                     413  exit 2   body or rows over the limit
├── Unauthenticated              401  exit 1   no token, or a bad one
├── PermissionDenied             403  exit 1   a guard says no
├── Conflict                     409  exit 1   another run is working on it
├── MaterializationError         500  exit 1   some views could not be materialized
├── SourceError                  500  exit 1   a data file is missing, or is not what the view declares
└── Unavailable                  503  exit 1   a store or registry cannot be reached, or is too busy

A message says what is wrong, where, and what to do. It may name what the caller named; it never holds SQL, a path of
the server or a traceback when it is one that a client sees (404, 409, 413, 422).
"""

import itertools
import reprlib
from collections.abc import Sequence
from typing import ClassVar

_short = reprlib.Repr()
_short.maxlevel, _short.maxstring, _short.maxlong, _short.maxother = 1, 80, 80, 80


def shown(value: object) -> str:
    """A value in a message: what `repr` says, at most 60 characters of it. A client may send a list of millions, or one
    that is nested a thousand deep: only its first items are looked at."""
    first = dict(itertools.islice(value.items(), 5)) if isinstance(value, dict) else value
    text = _short.repr(first)
    return text if len(text) <= 60 else f"{text[:57]}..."


class FeastError(Exception):
    """Base of all errors that are ours. `str(error)` is the whole message, ready to print.

    What to do: read the message. Over HTTP it is a number, under which the log of the server has the reason.
    """

    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1
    title: ClassVar[str] = "Internal error"
    #: The class of Feast that its SDK raises for this error, where there is one; used by the `columns` format.
    feast_class: ClassVar[str | None] = None


class ConfigurationError(FeastError):
    """feature_store.yaml, a flag or an environment variable is wrong.

    What to do: correct the line and the key that the message names; docs/settings.md has all of them.
    """

    title = "Configuration error"


class PluginError(FeastError):
    """A plugin that the configuration needs is missing, broken, or not the only one.

    What to do: install the package that the message names, or block the plugin with FEAST_BLOCK_PLUGINS.
    """

    title = "Plugin error"


class DefinitionError(FeastError):
    """A feature repository declares something that cannot be.

    What to do: correct the definition at the file and line of the message, and run `feast plan` until it is content.
    """

    title = "Definition error"


class RegistryError(FeastError):
    """What the registry's path points to is not a registry of ours.

    What to do: name another path, or run `feast apply --replace-registry` to keep the file that is there as .bak.
    """

    title = "Registry error"


class NotFound(FeastError):
    """A name that the registry does not know. `hint` may tell of other names, and is for who may know them.

    What to do: correct the name. A name that is new in the repository is known after `feast apply`; a server sees it
    within `--registry_ttl_sec`.
    """

    http_status = 404
    title = "Not found"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message + hint)
        self.message = message


class ObjectNotFound(NotFound):
    """No object of this kind and name.

    What to do: the `list` command of its kind shows those there are.
    """

    title = "Object not found"
    feast_class = "FeastObjectNotFoundException"


class FeatureViewNotFound(ObjectNotFound):
    """No feature view of this name.

    What to do: `feast feature-views list` shows those there are.
    """

    title = "Feature view not found"
    feast_class = "FeatureViewNotFoundException"


class FeatureNotFound(NotFound):
    """The view is there, the feature is not.

    What to do: `feast features list` shows those there are.
    """

    title = "Feature not found"


class FeatureServiceNotFound(ObjectNotFound):
    """No feature service of this name.

    What to do: `feast feature-services list` shows those there are.
    """

    title = "Feature service not found"
    feast_class = "FeatureServiceNotFoundException"


class PushSourceNotFound(ObjectNotFound):
    """No push source of this name, or one that feeds no feature view.

    What to do: `feast data-sources list` shows those there are; a view takes it as its `source`.
    """

    title = "Push source not found"
    feast_class = "PushSourceNotFoundException"


class RequestDataMissing(FeastError):
    """An on-demand feature view needs a column that the request does not have.

    What to do: send the column in `entities`, beside the join keys.
    """

    http_status = 404
    title = "Request data missing"
    feast_class = "RequestDataNotFoundInEntityRowsException"


class InvalidInput(FeastError):
    """What the caller sent cannot be used.

    `problems` lists (path, message) pairs, path as `entities.driver_id[3]`; the message of the error is the first one,
    with its path, and how many more there are.

    What to do: correct the value at the path that the message names.
    """

    http_status = 422
    exit_code = 2
    title = "Invalid input"

    def __init__(self, message: str, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def at(cls, path: str, message: str) -> "InvalidInput":
        """The common case: one problem at one place."""
        return cls(f"{path}: {message}", [(path, message)])


class NameCollision(InvalidInput):
    """Two requested features would have the same name in the response.

    What to do: set `full_feature_names` to true, or request each feature once.
    """

    title = "Feature names collide"
    feast_class = "FeatureNameCollisionError"


class NotSupported(FeastError):
    """An object that Feast knows and this project has no engine for was used, not just declared.

    What to do: do what the message proposes; docs/from-feast.md lists what is not there yet.
    """

    http_status = 501
    title = "Not supported"


class TooLarge(FeastError):
    """The body or the number of rows is over the configured limit.

    What to do: send less at once, or raise the key under `feature_server.limits` that the message names.
    """

    http_status = 413
    exit_code = 2
    title = "Too large"


class Unauthenticated(FeastError):
    """No token, or one that does not hold.

    What to do: send `Authorization: Bearer TOKEN` with a token that is valid now.
    """

    http_status = 401
    title = "Unauthenticated"


class PermissionDenied(FeastError):
    """The caller is known and may not do this.

    What to do: ask who runs the server for the permission that the message names.
    """

    http_status = 403
    title = "Permission denied"
    feast_class = "FeastPermissionError"


class Conflict(FeastError):
    """Another run is working on the same thing, or has just changed it. `views` are the feature views it has, where
    they are known.

    What to do: wait until it is over, or end it, and run the command again.
    """

    http_status = 409
    title = "Conflict"

    def __init__(self, message: str, views: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.views = tuple(views)


class MaterializationError(FeastError):
    """Some views could not be materialized; the others are done. `outcomes` has one `interfaces.Outcome` per view.

    What to do: see to the reason that stands beside each view, and run the same again.
    """

    title = "Materialization failed"

    def __init__(self, message: str, outcomes: Sequence[object] = ()) -> None:
        super().__init__(message)
        self.outcomes = tuple(outcomes)


class SourceError(FeastError):
    """A batch source cannot be read: missing file, missing column, not the declared type.

    What to do: repair the data or the definition that the message names, and materialize the view again.
    """

    title = "Data source error"


class Unavailable(FeastError):
    """A store or the registry cannot be reached, or is too busy. Trying again later may help.

    What to do: look whether the store runs and can be reached; the log of the server says which, and why.
    """

    http_status = 503
    title = "Unavailable"
