"""Documents with vectors for retrieval: a vector column, chunks that are written through a transformation."""

from datetime import timedelta

from feast import Entity, FeatureService, FeatureView, Field, FileSource, RequestSource
from feast.data_format import ParquetFormat
from feast.on_demand_feature_view import on_demand_feature_view
from feast.types import Array, Bytes, Float32, ImageBytes, Int64, PdfBytes, String, UnixTimestamp, ValueType

item = Entity(name="item_id", description="Item", value_type=ValueType.INT64)
author = Entity(name="author_id", description="Author", value_type=ValueType.STRING)
chunk = Entity(name="chunk", join_keys=["chunk_id"], value_type=ValueType.STRING)

source = FileSource(file_format=ParquetFormat(), path="./data/items.parquet", timestamp_field="event_timestamp")
items = FeatureView(
    name="item_embeddings",
    entities=[item, author],
    schema=[
        Field(name="vector", dtype=Array(Float32), vector_index=True, vector_length=3, vector_search_metric="COSINE"),
        Field(name="item_id", dtype=Int64),
        Field(name="author_id", dtype=String),
        Field(name="created_at", dtype=UnixTimestamp),
        Field(name="sentence_chunks", dtype=String),
        Field(name="picture", dtype=ImageBytes),
    ],
    source=source,
    ttl=timedelta(hours=2),
)
upload = RequestSource(
    name="upload",
    schema=[
        Field(name="chunk_id", dtype=String),
        Field(name="pdf_bytes", dtype=PdfBytes),
        Field(name="raw", dtype=Bytes),
    ],
)


@on_demand_feature_view(
    entities=[chunk],
    sources=[upload],
    schema=[
        Field(name="chunk_id", dtype=String),
        Field(name="chunk_text", dtype=String),
        Field(name="chunk_vector", dtype=Array(Float32), vector_index=True, vector_search_metric="L2"),
    ],
    mode="python",
    write_to_online_store=True,
    singleton=True,
)
def chunks(inputs):
    text = inputs["pdf_bytes"].decode()
    return {"chunk_id": inputs["chunk_id"], "chunk_text": text, "chunk_vector": [float(len(text))]}


answers = FeatureService(name="answers", features=[items[["sentence_chunks"]], chunks])
