"""What Feast 0.67 answered, and what is answered here: the same, or a line of DIFFERENCES that says why not.

`tests/data/recorded/answers.jsonl` holds requests to Feast's own server and its answers, in the order in which they
were sent; `tests/data/recorded/repository` is what they were sent to. Here they are sent in the same order to a server
that answers in columns. Run as a script, this file prints `difference_table()`, which is for people.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from feast_core.store import FeatureStore
from feast_core.timestamps import parse_timestamp

RECORDED = Path(__file__).parent.parent / "data" / "recorded"

#: By name, in the order of sending: method, path, body (JSON) or text (sent as it is, as this content_type or none),
#: status, answer (JSON; where there is none it was empty, or a page for people).
STEPS: dict[str, dict[str, Any]] = {
    step["name"]: step for step in map(json.loads, (RECORDED / "answers.jsonl").read_text("utf-8").splitlines())
}

#: Stands for every instant of a materialization with disable_event_timestamp.
RUN = "the time of the run"


@dataclass(frozen=True)
class Difference:
    """What is answered here instead: the status, a text that the body holds, parts of columns by name."""

    status: int
    reason: str
    says: str = ""
    columns: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict)


def wrong(says: str) -> Difference:
    return Difference(422, "a wrong value is the caller's: 422 where Feast says 500", says)


def collision() -> Difference:
    reason = "names that would be the same in the answer are the caller's: 422 where Feast says 500"
    return Difference(422, reason, "FeatureNameCollisionError")


def not_served(endpoint: str) -> Difference:
    return Difference(404, f"needs {endpoint}, which is not served yet", "Not Found")


def materialized(view: str) -> Difference:
    return Difference(200, TELLS, f'{{"feature_views":[{{"name":"{view}","rows":')


def on_demand(view: str) -> Difference:
    reason = "on-demand views are not computed yet"
    return Difference(501, reason, f"{view} is an on demand feature view")


def written(online: int = 1, superseded: int = 0, offline: int = 0, reason: str = "") -> Difference:
    says = f'"online":{online},"superseded":{superseded},"offline":{offline}'
    return Difference(200, reason or "a receipt says what was stored, where Feast's answer is empty", says)


def read(reason: str, **columns: Mapping[str, list[Any]]) -> Difference:
    return Difference(200, reason, columns=columns)


def statuses(letters: str) -> dict[str, list[str]]:
    """P, N and X for PRESENT, NULL_VALUE and NOT_FOUND."""
    return {"statuses": [{"P": "PRESENT", "N": "NULL_VALUE", "X": "NOT_FOUND"}[letter] for letter in letters]}


TELLS = "a materialization tells what it did, where Feast says null"
NULLS = "a row is there and its value is null: NULL_VALUE, which Feast never says"
SUB_SECONDS = "event times keep their microseconds, which Feast's SQLite store cuts off"
NEWEST = "the newest event wins, whatever order rows arrive in; on SQLite, Feast keeps what came last"
ANY_TYPE = "JSON is read whatever the Content-Type: Feast's own documented curl sends a form"
AS_RUN = "rows materialized with disable_event_timestamp carry the time of the run, as Feast documents and does not do"
SEARCH = not_served("POST /search")
EMPTY = "a push of nothing is a mistake of the sender: 422 where Feast says 200"

#: One line per recorded step that is answered differently.
DIFFERENCES: dict[str, Difference] = {
    "010_materialize_missing_ts": wrong("is needed, or disable_event_timestamp"),
    "012_materialize_bad_ts": wrong("'garbage' is not a timestamp"),
    "014_materialize_one": materialized("driver_stats"),
    "016_materialize_rest_all": materialized("cd_stats"),
    "018_matinc_bad_end": wrong("'garbage' is not a timestamp"),
    "016b_materialize_list": materialized("cd_stats"),
    "020_materialize_types": materialized("types_fv"),
    "015_stale_null_and_unknown_rows": read(NULLS, conv_rate=statuses("PPPPNX"), acc_rate=statuses("PPPPNX")),
    "021_every_type": read(
        f"{NULLS}; nulls are null (Feast: the smallest integer for a time, an empty text in a list, null for an empty "
        "inner list) and do not cost other rows precision",
        **dict.fromkeys(STEPS["021_every_type"]["answer"]["metadata"]["feature_names"][1:], statuses("PNPX"))
        | {
            "f_float32": statuses("PNNX"),
            "f_int64": {"values": [9007199254740993, None, -9223372036854775808, None], **statuses("PNPX")},
            "f_ts": {"values": [1795338000, None, -1, None], **statuses("PNPX")},
            "f_l_string": {"values": [["a", "b"], None, ["a", None], None], **statuses("PNPX")},
            "f_nested": {"values": [[[1, 2], [3]], None, [[]], None], **statuses("PNPX")},
        },
    ),
    "031_same_name_from_two_views": collision(),
    "032_dup_same_ref": collision(),
    "037_unknown_feature": Difference(
        404, "a name that does not exist: 404 as for views, where Feast says 500", "Feature nope does not exist"
    ),
    "038_bad_ref_no_colon": wrong("invalid feature reference 'conv_rate'"),
    "039_no_features": wrong("name some"),
    "041_entities_empty": wrong("'driver_id'"),
    "042_missing_join_key": wrong("'driver_id'"),
    "043_empty_join_key": read("no entity rows give no rows, where Feast says 500", driver_id={"values": []}),
    "044_ragged": wrong("all columns must have the same number of values"),
    "045_null_entity": wrong("an entity value cannot be null"),
    "047_text_for_number": wrong("expected an integer, got 'abc'"),
    "053_part_of_composite_key": Difference(
        422, "a missing join key is a mistake: Feast answers NOT_FOUND, which hides it", "'customer_id'"
    ),
    "055_entityless_without_entities": read(
        "a view without entities has one row for everybody, also when no column says how many", g_rate={"values": [2.5]}
    ),
    "059_alias_service_short_names": collision(),
    "061_version_metadata": Difference(
        200,
        "versions of views are not kept, so that there are none to tell of",
        '"metadata":{"feature_names":["driver_id",',
    ),
    "062_versioned_ref": wrong("versions are not kept here"),
    "070_odfv_pandas": on_demand("odfv_pandas"),
    "072_odfv_missing_request_data": on_demand("odfv_pandas"),
    "074_odfv_singleton": on_demand("odfv_singleton"),
    "074b_odfv_singleton_multi": on_demand("odfv_singleton"),
    "075_odfv_request_only": on_demand("odfv_reqonly"),
    "076_odfv_service": on_demand("odfv_pandas"),
    "077_odfv_full_names": on_demand("odfv_pandas"),
    "078_odfv_pandas_notfound": on_demand("odfv_pandas"),
    "080_odfv_write_read": on_demand("odfv_write"),
    "084_wrong_ct": read(ANY_TYPE, conv_rate={"values": [0.7770000100135803]}),
    "088_trailing_slash": read(
        "slashes at either end do not matter: a redirected POST loses its body in many clients",
        conv_rate={"values": [0.7770000100135803]},
    ),
    "092_health_head": Difference(200, "load balancers ask with HEAD"),
    "094_docs": not_served("GET /docs"),
    "104_search_no_vec": SEARCH,
    "106_retrieve_docs": not_served("POST /retrieve-online-documents"),
    "110_push_ok": written(2, reason="each time is read by itself, however the others are written: Feast says 500"),
    "110b_push_ok_consistent_ts": written(2),
    "111_push_read_subseconds": read(
        SUB_SECONDS,
        conv_rate={"event_timestamps": ["2026-11-22T09:30:00.123456Z", "2026-11-22T09:30:00.654321Z"]},
    ),
    "113_push_older": written(0, superseded=1),
    "114_after_push_older": read(
        f"{NEWEST}; {SUB_SECONDS}",
        avg_daily_trips={"values": [11], "event_timestamps": ["2026-11-22T09:30:00.123456Z"]},
        conv_rate={"values": [0.5], "event_timestamps": ["2026-11-22T09:30:00.123456Z"]},
        acc_rate={"values": [0.10000000149011612], "event_timestamps": ["2026-11-22T09:30:00.123456Z"]},
    ),
    "115_push_unknown_source": Difference(
        404, "a push source that does not exist: 404, where Feast says 422", "PushSourceNotFoundException"
    ),
    "116_push_bad_to": wrong("expected online, offline or online_and_offline"),
    "118_push_ragged": wrong("has 1 values, driver_id has 2"),
    "120_push_empty_df": Difference(422, EMPTY, "has no columns"),
    "120b_push_empty_cols": Difference(422, EMPTY, "has no rows"),
    "121_push_nulls": written(2),
    "122_after_push_nulls": read(
        NULLS, conv_rate=statuses("NP"), acc_rate=statuses("PN"), avg_daily_trips=statuses("NP")
    ),
    "122b_push_all_null_features": written(1),
    "122c_after_push_all_null": read(
        "a row that is pushed is there, also where all its features are null: Feast drops it",
        **dict.fromkeys(
            ("conv_rate", "acc_rate", "avg_daily_trips"), statuses("N") | {"event_timestamps": ["2026-11-22T09:30:00Z"]}
        ),
    ),
    "125b_push_offline": written(0, offline=1),
    "126_push_offline_extra_col": wrong("zzz"),
    "128_push_both": written(
        1, offline=1, reason="a time without an offset is UTC offline too: Feast says 500, online it is written"
    ),
    "130_push_type_mismatch": wrong("expected a number, got 'abc'"),
    "132_push_dup_keys_in_batch": written(1, superseded=1),
    "132b": read(
        NEWEST,
        avg_daily_trips={"values": [1], "event_timestamps": ["2026-11-22T09:30:00Z"]},
        conv_rate={"values": [0.10000000149011612], "event_timestamps": ["2026-11-22T09:30:00Z"]},
        acc_rate={"values": [0.10000000149011612], "event_timestamps": ["2026-11-22T09:30:00Z"]},
    ),
    "140_write_ok": written(1),
    "142_write_unknown_fv": Difference(404, "the message is ours", "Feature view nope does not exist"),
    "144_write_odfv": on_demand("odfv_write"),
    "146_write_push_fv": written(1, reason="a row without a created time is stored: Feast's SQLite store says 500"),
    "128b_push_both_Z": written(1, offline=1),
    "150_materialize_async": Difference(
        202, "a job has an id, by which one can ask for its state", '"status":"accepted","job":"'
    ),
    "152_get_during_materializing": read(
        "old values are served while a view is being materialized", conv_rate=statuses("P")
    ),
    "155_materialize_without_event_timestamp": materialized("driver_stats"),
    "156_after_disable_ets": read(AS_RUN, conv_rate={"event_timestamps": [RUN, RUN]}),
    "158_materialize_version": Difference(
        501, "versions of views are not kept", "versions of feature views are not kept here"
    ),
    "160_materialize_empty_list": Difference(200, TELLS, '{"feature_views":[]}'),
    "170_ct_none": read(ANY_TYPE, conv_rate={"values": [0.8999999761581421]}),
    "172_ct_json_charset": read(AS_RUN, conv_rate={"event_timestamps": [RUN]}),
    "174_ct_upper": read(AS_RUN, conv_rate={"event_timestamps": [RUN]}),
    "175_nan": wrong("NaN is no JSON"),
    "176_dup_key": read(AS_RUN, conv_rate={"event_timestamps": [RUN]}),
    "178_bigint": wrong("99999999999999999999 does not fit a 64-bit integer"),
    "180_str_bool_coerce": read(AS_RUN, driver_stats__conv_rate={"event_timestamps": [RUN]}),
    "181_full_names_number": read(AS_RUN, driver_stats__conv_rate={"event_timestamps": [RUN]}),
    "184_fs_empty_string": read(AS_RUN, conv_rate={"event_timestamps": [RUN]}),
    "230_push_dict_of_dict": written(1),
    "232_push_extra_cols": written(1),
    "234_push_float_to_int_feature": written(1),
    "236_push_int_overflow": wrong("3000000000 does not fit a 32-bit integer"),
    "238_push_null_joinkey": wrong("an entity value cannot be null"),
    "240_push_date_only": written(1),
    "242_push_ms_epoch": Difference(
        422, "a bare number is refused: Feast takes it for nanoseconds, people mean seconds", "is a bare number"
    ),
    "244_push_allow_registry_cache_false": written(1),
    "248_push_all_types": written(1, reason="bytes are taken as base64: Feast cannot be sent any over HTTP"),
    "250_write_types_dictmap": written(
        1, reason="instants are taken as ISO 8601 too: Feast wants seconds, and says 500"
    ),
    "252_write_bad_json": wrong("not JSON"),
    "254_write_mixed_float_list": written(1, reason="JSON is taken as an object too: Feast says 500"),
    "256_write_dict_map_jsonstr": written(1),
    "258_push_upper_to": wrong("expected online, offline or online_and_offline"),
}

CHAT = "the chat pages of Feast's server are no part of this one"
VECTOR_STORES = "/v1/vector_stores is no part of this server"
OTHER_REPOSITORY = "recorded with a repository of its own, for document search and on-demand views that are written"
BATCHING = "recorded with offline_push_batching_enabled; tests/http/test_push_batching.py sends such requests"
REDIS = "recorded with the Redis store, which is not there yet"
AUTH = "recorded with OIDC and permissions, which are not there yet"

#: Steps that are not sent, and why.
OUT_OF_SCOPE: dict[str, str] = {
    "096_chat_get": CHAT,
    "098_chat_post_bad": CHAT,
    "102_vector_store_404": VECTOR_STORES,
    "190_batch_push_offline": BATCHING,
    "192_batch_push_online": BATCHING,
    "194_batch_unknown_source_offline": BATCHING,
    "196_mat": BATCHING,
    "200_ws_chat": CHAT,
    "210_vector_stores_list": VECTOR_STORES,
    "212_vector_store_get_by_name": VECTOR_STORES,
    "214_vector_search_unsupported": VECTOR_STORES,
    "216_search_v1_no_query": OTHER_REPOSITORY,
    "218_search_v2_filter": OTHER_REPOSITORY,
    "220_search_v2_missing_topk": OTHER_REPOSITORY,
    "222_write_odfv_transform": OTHER_REPOSITORY,
    "224_write_odfv_no_transform": OTHER_REPOSITORY,
    "226_get_other": OTHER_REPOSITORY,
    "300_redis_unmaterialized": REDIS,
    "302_redis_get": REDIS,
    "304_redis_after_older": REDIS,
    "306_redis_after_equal": REDIS,
    "308_redis_after_usec": REDIS,
    "310_redis_transform_on_write_async": REDIS,
    "312_redis_dup_read": REDIS,
    "314_redis_materialize_all": REDIS,
    "400_auth_none": AUTH,
    "402_auth_garbage": AUTH,
    "404_auth_ok": AUTH,
    "406_auth_no_perm_for_view": AUTH,
    "408_auth_health_no_token": AUTH,
    "410_auth_mat_denied": AUTH,
    "412_auth_service": AUTH,
    "414_auth_vector_list": AUTH,
}

BRAND_NEW = """
brand_new = FeatureView(
    name="brand_new", entities=[driver], schema=[Field(name="conv_rate", dtype=Float32)], source=driver_source
)
"""


# Sending them.


def make_recorded_repository(path: Path) -> Path:
    """The repository of the recording in a new directory, its data files made."""
    shutil.copytree(RECORDED / "repository", path)
    for query in (path / "data").glob("*.sql"):
        with duckdb.connect() as connection:
            connection.execute(
                f"COPY ({query.read_text('utf-8')}) TO '{query.with_suffix('.parquet')}' (FORMAT parquet)"
            )
    return path


def has_ended(server: Any, job: str) -> bool:
    return bool(server.request("GET", f"/materialize/jobs/{job}").json["ended"])


@pytest.fixture(scope="module")
def answers(start: Any, wait_until: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Our answers by the name of the step, all of them sent in order."""
    repository = make_recorded_repository(tmp_path_factory.mktemp("recorded") / "repository")
    found = {}
    with FeatureStore(repo_path=repository) as store:
        store.apply()
        with start(repository, "--response-format", "columns", "-r", "1") as server:
            for name, step in STEPS.items():
                if name in OUT_OF_SCOPE:
                    continue
                if name == "270_new_view_after_refresh":
                    with (repository / "features.py").open("a") as features:
                        features.write(BRAND_NEW)
                    store.apply()
                    wait_until(lambda: send(server, STEPS["270_new_view_after_refresh"]).status == 200)
                found[name] = send(server, step)
                if found[name].status == 202 and "job" in found[name].json:
                    wait_until(partial(has_ended, server, found[name].json["job"]))
            yield found
            assert "Traceback" not in server.errors()


def send(server: Any, step: Mapping[str, Any]) -> Any:
    body = step["text"].encode() if "text" in step else step.get("body")
    content_type = step.get("content_type", "application/json")
    headers = {"Content-Type": content_type} if content_type and body is not None else {}
    with closing(server.connect(60)) as connection:  # a materialization may take as long on a busy machine
        return server.request(step["method"], step["path"], body, headers, on=connection)


# Comparing them.

_JOIN_KEYS = {"driver_id", "customer_id", "k", "origin_id", "dest_id"}
_PARTS = ("values", "statuses", "event_timestamps")


def columns_of(body: Any) -> dict[str, dict[str, list[Any]]]:
    """name -> part -> values of an answer in columns; {} of any other."""
    if not isinstance(body, dict) or "results" not in body:
        return {}
    return dict(zip(body["metadata"]["feature_names"], body["results"], strict=True))


def unlike(step: Mapping[str, Any], answer: Any, instead: Difference | None = None) -> list[str]:
    """What an answer has that Feast's has not, `instead` put in the place of Feast's; empty where they are alike."""
    theirs, ours = step.get("answer"), answer.json if answer.body else None
    status = instead.status if instead else step["status"]
    if answer.status != status:
        return [f"status {answer.status} for {status}: {answer.body[:200]!r}"]
    if instead and instead.says:
        return [] if instead.says in answer.body.decode() else [f"{instead.says!r} is not in {answer.body!r}"]
    if isinstance(ours, dict) and "results" in ours:
        return [*unlike_columns(columns_of(theirs), columns_of(ours), instead), *unlike_metadata(theirs, ours, instead)]
    if step["status"] >= 400 and not instead:
        return unlike_errors(theirs, ours)
    return [] if ours == theirs else [f"{ours!r} for {theirs!r}"]


def unlike_columns(theirs: Mapping[str, Any], ours: Mapping[str, Any], instead: Difference | None) -> list[str]:
    changes = instead.columns if instead else {}
    found = [f"{name} is not in the answer" for name in [*theirs, *changes] if name not in ours]
    for name, column in ours.items():
        for part in _PARTS:
            got = column[part]
            wanted = {**theirs.get(name, {}), **changes.get(name, {})}.get(part)
            if wanted is None and not theirs:
                continue  # Feast gave none at all, and the table does not tell of this one
            if part == "event_timestamps" and wanted == [RUN] * len(got):
                wanted = got if all(is_now(text) for text in got) else wanted
            if name == "f_set" and part == "values":
                got, wanted = ([sorted(item or []) for item in values] for values in (got, wanted))
            if got != wanted:
                found.append(f"{part} of {name}: {got} for {wanted}")
    return found


def unlike_metadata(theirs: Any, ours: Any, instead: Difference | None) -> list[str]:
    """Join keys come first, in one order; inside a view, Feast's order is that of a set."""
    if not columns_of(theirs):
        return []
    names = [body["metadata"]["feature_names"] for body in (theirs, ours)]
    keys = [[name for name in listed if name in _JOIN_KEYS] for listed in names]
    found = [f"{names[1]} for {names[0]}"] if keys[0] != keys[1] or names[1][: len(keys[0])] != keys[0] else []
    if not instead and set(theirs["metadata"]) != set(ours["metadata"]):
        found.append(f"metadata: {sorted(ours['metadata'])} for {sorted(theirs['metadata'])}")
    return found


def unlike_errors(theirs: Any, ours: Any) -> list[str]:
    """Errors of a class of Feast's, with the beginning of its text; the places in a wrong body; `detail` of others."""
    if isinstance(theirs, str) and theirs.startswith("{"):
        try:
            wanted, got = json.loads(theirs), json.loads(ours)
        except (TypeError, ValueError):
            return [f"{ours!r} for {theirs!r}"]
        alike = got.pop("message").startswith(wanted.pop("message")) and got == wanted
        return [] if alike else [f"{ours!r} for {theirs!r}"]
    if isinstance(theirs, dict) and isinstance(theirs["detail"], list):
        wanted_places, got_places = places(theirs), places(ours)
        return [] if wanted_places == got_places else [f"{got_places} for {wanted_places}"]
    return [] if ours == theirs else [f"{ours!r} for {theirs!r}"]


def places(body: Any) -> list[str]:
    """Where a body is wrong; without the offset at which it stops being JSON, which stands in our message."""
    if not isinstance(body, dict) or not isinstance(body.get("detail"), list):
        return [repr(body)]
    return sorted(str(["body"] if wrong["type"] == "json_invalid" else wrong["loc"]) for wrong in body["detail"])


def is_now(text: str) -> bool:
    return abs(datetime.now(UTC) - parse_timestamp(text)) < timedelta(minutes=10)


@pytest.mark.parametrize("name", [name for name in STEPS if name not in OUT_OF_SCOPE])
def test_an_answer_is_that_of_feast_or_the_listed_one(answers: Mapping[str, Any], name: str) -> None:
    step, answer, listed = STEPS[name], answers[name], DIFFERENCES.get(name)
    assert unlike(step, answer, listed) == []
    if listed:
        assert unlike(step, answer), "no longer a difference: take the line out of DIFFERENCES"
        for column, parts in listed.columns.items():
            feasts = columns_of(step.get("answer")).get(column, {})
            assert all(feasts.get(part) != values for part, values in parts.items()), f"{column} is as Feast has it"
    if answer.body:
        assert answer.headers["content-type"] == "application/json"


def test_every_line_of_the_tables_is_of_a_recorded_step() -> None:
    assert set(DIFFERENCES) <= set(STEPS)
    assert set(OUT_OF_SCOPE) <= set(STEPS)
    assert not set(DIFFERENCES) & set(OUT_OF_SCOPE)


def test_the_comparison_sees_what_differs(answers: Mapping[str, Any]) -> None:
    compared = [name for name in answers if name not in DIFFERENCES]
    reads = [name for name in compared if columns_of(answers[name].json if answers[name].body else None)]
    assert len(reads) > 20
    for name in compared:
        assert unlike(STEPS[name], replace(answers[name], status=299))
    for name in reads:
        for part, other in (("values", "other"), ("statuses", "INVALID"), ("event_timestamps", "2026-11-22T09:00:01Z")):
            body = answers[name].json
            body["results"][-1][part][-1] = other
            assert unlike(STEPS[name], replace(answers[name], body=json.dumps(body).encode())), (name, part)
    for name, old, new in (
        ("036_unknown_fv", b"nope does", b"nope might"),
        ("036_unknown_fv", b"FeatureViewNotFoundException", b"FeastError"),
        ("040_missing_entities", b'"entities"', b'"features"'),
        ("086_unknown_path", b"Not Found", b"Nothing"),
    ):
        changed = answers[name].body.replace(old, new)
        assert changed != answers[name].body
        assert unlike(STEPS[name], replace(answers[name], body=changed)), (name, new)


# For people.


def difference_table() -> str:
    """The differences that are there to stay, in Markdown: a line for each reason, with the first request that has it
    (and how many there are) and, of columns, the first value that differs."""
    lines = ["| why | request | Feast 0.67 | here |", "|---|---|---|---|"]
    counts = Counter(difference.reason for difference in DIFFERENCES.values())
    for name, difference in DIFFERENCES.items():
        count = counts.pop(difference.reason, 0)
        if not count or difference.reason.endswith(" yet"):
            continue
        request, feast, here = _cells(STEPS[name], difference)
        more = f" (and {count - 1} more)" if count > 1 else ""
        cells = (difference.reason, f"`{_cut(request, 150)}`{more}", _cut(feast, 70), _cut(here, 70))
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(lines)


def _cells(step: Mapping[str, Any], difference: Difference) -> tuple[str, str, str]:
    """The request, what Feast answers, what is answered here."""
    sent = step.get("text") or (json.dumps(step["body"], ensure_ascii=False) if "body" in step else "")
    request = f"{step['method']} {step['path']} {sent}".strip()
    feast, here = (
        f"{step['status']} {_text(step.get('answer'))}".strip(),
        f"{difference.status} {difference.says}".strip(),
    )
    for name, parts in difference.columns.items():
        for part, values in parts.items():
            theirs = columns_of(step.get("answer")).get(name, {}).get(part, [])
            pairs = [(old, new) for old, new in zip(theirs, values, strict=False) if old != new]
            if pairs:
                return request, *(f"`{name}`: {json.dumps(value, ensure_ascii=False)}" for value in pairs[0])
            return request, feast, f"{here} `{name}`: {json.dumps(values, ensure_ascii=False)}"
    return request, feast, here


def _text(answer: Any) -> str:
    """An answer of Feast's in a few words: the class or the text of an error, what a read says of its last feature."""
    if isinstance(answer, str) and answer.startswith("{"):
        return str(json.loads(answer)["class"])
    if isinstance(answer, dict) and isinstance(answer.get("detail"), list):
        return str(answer["detail"][0]["msg"])
    if columns := columns_of(answer):
        more = [f"metadata.{name}" for name in answer["metadata"] if name != "feature_names"]
        name, column = list(columns.items())[-1]
        return more[0] if more else f"`{name}`: {json.dumps(column['statuses'][0])}"
    return "" if isinstance(answer, dict) or answer is None else str(answer)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


if __name__ == "__main__":
    print(difference_table())
