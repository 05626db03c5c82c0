"""Fraud features of three tables: queries made of names, an entity shared by all views."""

from datetime import timedelta

from feast import BigQuerySource, Entity, FeatureView, Field
from feast.types import Int64, String

DATASET = "bank"
account = Entity(name="account", description="A bank account", join_keys=["account_id"])

counts = FeatureView(
    name="transaction_counts_7d",
    entities=[account],
    ttl=timedelta(weeks=1),
    schema=[Field(name="transactions", dtype=Int64), Field(name="account_id", dtype=String)],
    source=BigQuerySource(
        name="transaction_counts", query=f"SELECT * FROM {DATASET}.counts", timestamp_field="feature_timestamp"
    ),
)
profile = FeatureView(
    name="account_profile",
    entities=[account],
    ttl=timedelta(weeks=52),
    schema=[Field(name="credit_score", dtype=Int64), Field(name="has_2fa", dtype=Int64)],
    source=BigQuerySource(table=f"{DATASET}.profile", timestamp_field="feature_timestamp"),
)
has_fraud = FeatureView(
    name="account_has_fraud_7d",
    entities=[account],
    ttl=timedelta(weeks=52),
    schema=[Field(name="has_fraud", dtype=Int64)],
    source=BigQuerySource(table=f"{DATASET}.fraud", timestamp_field="feature_timestamp"),
)
