"""The made-up driver statistics of the local template, written fresh when a repository is made."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

DRIVERS = (1001, 1002, 1003, 1004, 1005)
DAYS = 15


def write_driver_stats(path: Path, now: datetime) -> None:
    """A parquet file with a row per driver and hour, from 15 days ago to the last full hour before `now` (aware).

    Raises OSError.
    """
    import duckdb  # heavy, and needed by `init` and `demo` only

    last = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(days=DAYS)
    target = str(path).replace("'", "''")
    drivers = ", ".join(f"({driver})" for driver in DRIVERS)
    query = f"""
        COPY (
            SELECT
                to_timestamp(hour) AS event_timestamp,
                driver_id::BIGINT AS driver_id,
                random()::FLOAT AS conv_rate,
                random()::FLOAT AS acc_rate,
                (random() * 1000)::BIGINT AS avg_daily_trips,
                to_timestamp({now.timestamp()}) AS created
            FROM range({int(first.timestamp())}, {int(last.timestamp()) + 1}, 3600) AS hours (hour)
            CROSS JOIN (VALUES {drivers}) AS drivers (driver_id)
            ORDER BY event_timestamp, driver_id
        ) TO '{target}' (FORMAT parquet)
        """
    with duckdb.connect() as connection:
        try:
            # The columns and types of Feast's own example, in its order.
            connection.execute(query)
        except duckdb.IOException as error:
            raise OSError(str(error).partition("\n")[0].removeprefix("IO Error: ")) from error
