"""The steps of Feast's documentation serve values in any time zone, at any hour of the day."""

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from feast_cli.sample import DRIVERS, write_driver_stats
from feast_core.store import FeatureStore
from feast_core.timestamps import parse_timestamp

Run = Callable[..., Any]

#: Hours that local time is ahead of UTC, all round the world.
OFFSETS = range(-12, 15)


def bare_dates(now: datetime) -> set[str]:
    """What `date +%Y-%m-%d` prints somewhere in the world at this moment."""
    return {(now + timedelta(hours=offset)).strftime("%Y-%m-%d") for offset in OFFSETS}


def test_a_bare_date_of_any_time_zone_at_any_hour_finds_every_driver(fresh: Path) -> None:
    yesterday = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    checked = set()
    for hour in range(24):
        now = yesterday.replace(hour=hour) + timedelta(minutes=59)
        write_driver_stats(fresh / "data" / "driver_stats.parquet", now)
        for date in sorted(bare_dates(now)):
            with FeatureStore(repo_path=fresh) as store:
                store.teardown()
                store.apply()
                (outcome,) = store.materialize_incremental(parse_timestamp(date))
                assert outcome.error is None
                answer = store.get_online_features("driver_activity", {"driver_id": list(DRIVERS)}).to_dict()
            for feature in ("conv_rate", "acc_rate", "avg_daily_trips"):
                assert None not in answer[feature], (now, date, feature)
            checked.add((hour, date))
    assert len(checked) >= 48


@pytest.mark.parametrize("zone", ["<-12>12", "<+14>-14"])
def test_the_steps_as_they_are_typed(zone: str, feast: Run, tmp_path: Path, clean_env: Run) -> None:
    steps = """
        set -e
        feast init feature_repo
        cd feature_repo
        feast apply
        feast materialize-incremental $(date +%Y-%m-%d)
        feast get-online-features -e driver_id=1001 -e driver_id=1002 --feature-service driver_activity
    """
    done = subprocess.run(
        ["sh", "-c", steps], cwd=tmp_path, env=clean_env({"TZ": zone}), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "driver_hourly_stats: 5 rows in" in done.stdout
    header, *rows = [line.split() for line in done.stdout.splitlines()[-3:]]
    assert header == ["driver_id", "conv_rate", "acc_rate", "avg_daily_trips"]
    assert [row[0] for row in rows] == ["1001", "1002"]
    assert "-" not in rows[0] + rows[1]
