"""What the command line chose for one run of the server, as the parent hands it to its workers."""

import msgspec

from feast_core.config import ResponseFormat


class ServeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`port` is the real one, also where the command line said 0. `yaml_file` is None for the repository's own file, or
    what the environment names; `response_format` is None where feature_store.yaml decides. With a
    `registry_ttl_seconds` of 0 or less the registry is never asked again; with a `keep_alive_timeout_seconds` of 0 a
    connection is for one request. `log_level` is a level of `logging`. So many processes materialize at once
    as `most_runs`."""

    repo_path: str
    yaml_file: str | None = None
    host: str = "127.0.0.1"
    port: int = 6566
    workers: int = 1
    worker_connections: int = 1000
    keep_alive_timeout_seconds: int = 30
    registry_ttl_seconds: int = 60
    response_format: ResponseFormat | None = None
    access_log: bool = True
    log_level: int = 30
    most_runs: int = 2
