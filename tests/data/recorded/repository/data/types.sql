-- A common value, a null and a special value of every type. Maps, JSON, structs, UUIDs and decimals are texts here.
SELECT to_timestamp(1795338000) AS event_timestamp, to_timestamp(1795338000) AS created, *
FROM (
    SELECT
        'x' AS k,
        1::INTEGER AS f_int32,
        9007199254740993::BIGINT AS f_int64,
        0.1::FLOAT AS f_float32,
        0.1::DOUBLE AS f_float64,
        'héllo' AS f_string,
        '\x00\xFF\x01'::BLOB AS f_bytes,
        true AS f_bool,
        to_timestamp(1795338000.123456) AS f_ts,
        [1, 2, 3]::BIGINT[] AS f_l_int64,
        [0.1, 0.2]::FLOAT[] AS f_l_float32,
        [0.1, 0.2]::DOUBLE[] AS f_l_float64,
        ['a', 'b'] AS f_l_string,
        ['a'::BLOB, '\xFF'::BLOB] AS f_l_bytes,
        [true, false] AS f_l_bool,
        [to_timestamp(1795338000)] AS f_l_ts,
        '{"a":1,"b":{"c":[1,2]}}' AS f_map,
        '{"a": 1, "b":[1,2]}' AS f_json,
        '{"name":"n","age":"3"}' AS f_struct,
        '12345678-1234-5678-1234-567812345678' AS f_uuid,
        '1.2300' AS f_decimal,
        [3, 1, 1]::BIGINT[] AS f_set,
        [[1, 2], [3]]::BIGINT[][] AS f_nested
    UNION ALL BY NAME
    SELECT 'nulls' AS k
    UNION ALL BY NAME
    SELECT
        'special' AS k,
        '-2147483648'::INTEGER AS f_int32,
        '-9223372036854775808'::BIGINT AS f_int64,
        'nan'::FLOAT AS f_float32,
        'inf'::DOUBLE AS f_float64,
        '' AS f_string,
        ''::BLOB AS f_bytes,
        false AS f_bool,
        to_timestamp(-1) AS f_ts,
        []::BIGINT[] AS f_l_int64,
        ['nan', '-inf']::FLOAT[] AS f_l_float32,
        ['nan', '-inf']::DOUBLE[] AS f_l_float64,
        ['a', NULL] AS f_l_string,
        []::BLOB[] AS f_l_bytes,
        []::BOOLEAN[] AS f_l_bool,
        []::TIMESTAMPTZ[] AS f_l_ts,
        '{}' AS f_map,
        '"str"' AS f_json,
        '{}' AS f_struct,
        '00000000-0000-0000-0000-000000000000' AS f_uuid,
        '-0.5' AS f_decimal,
        []::BIGINT[] AS f_set,
        [[]]::BIGINT[][] AS f_nested
)
