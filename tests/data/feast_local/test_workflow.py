"""A script beside the definitions, as templates of Feast have: `apply` imports it, and it does nothing then."""

import subprocess
from datetime import datetime

from feast import FeatureStore
from feast.data_source import PushMode


def run_demo():
    store = FeatureStore(repo_path=".")
    subprocess.run(["feast", "apply"], check=True)
    store.materialize_incremental(end_date=datetime.now())
    store.push("deliveries_push_source", None, to=PushMode.ONLINE_AND_OFFLINE)


if __name__ == "__main__":
    run_demo()
