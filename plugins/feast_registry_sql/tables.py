"""The tables of a registry, and the number of their layout."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, Text

#: Written when the tables are made. A registry with a higher number was made by a later version, and is refused. A
#: table that is only added does not raise it: the versions before work on without, and it is made by the next write.
LAYOUT = 1

metadata = MetaData()

layouts = Table("feast_layout", metadata, Column("version", Integer, primary_key=True, autoincrement=False))

# The row of a project outlives its teardown, so that its generation never goes back to one that a server has seen.
# Every write but of a lease that is held locks it first, so that writes of one project come one after the other.
projects = Table(
    "feast_projects",
    metadata,
    Column("project", String(255), primary_key=True),
    Column("generation", BigInteger, nullable=False),
)

objects = Table(
    "feast_objects",
    metadata,
    Column("project", String(255), primary_key=True),
    Column("kind", String(64), primary_key=True),
    Column("name", String(255), primary_key=True),
    Column("spec", Text, nullable=False),  # JSON, see definitions.from_spec
    Column("created_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

# Places in the online store whose rows are to go. Written with the change that makes them go, removed when they are.
dropped = Table(
    "feast_dropped",
    metadata,
    Column("project", String(255), nullable=False),
    Column("place", Text, nullable=False),
)

intervals = Table(
    "feast_intervals",
    metadata,
    Column("project", String(255), primary_key=True),
    Column("view", String(255), primary_key=True),
    Column("start_us", BigInteger, primary_key=True, autoincrement=False),
    Column("end_us", BigInteger, primary_key=True, autoincrement=False),
    Column("recorded_us", BigInteger, nullable=False),
)

# Materializations that were asked for over HTTP.
runs = Table(
    "feast_runs",
    metadata,
    Column("project", String(255), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("ignore_event_time", Boolean, nullable=False),
    Column("views", Text, nullable=False),  # JSON, see runs._views_text
    Column("error", Text),
    Column("host", String(255), nullable=False),  # These four are a `feast_core.processes.Process`.
    Column("machine", String(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("begun_us", BigInteger),
    Column("ended_us", BigInteger),
    Column("told_us", BigInteger, nullable=False),  # when its holder was heard of last
)

# One row per view that is being materialized, or was by a run that was killed.
leases = Table(
    "feast_leases",
    metadata,
    Column("project", String(255), primary_key=True),
    Column("view", String(255), primary_key=True),
    Column("token", String(64), nullable=False),
    Column("host", String(255), nullable=False),  # These four are a `feast_core.processes.Process`.
    Column("machine", String(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)
