-- Three drivers with a row for each of six hours, and one row each for what is particular.
-- 1795338000 is 2026-11-22 09:00:00 UTC.
SELECT
    to_timestamp(1795338000 - 3600 * hours) AS event_timestamp,
    driver_id::BIGINT AS driver_id,
    (0.1::DOUBLE * hours + driver_id::DOUBLE / 10000)::FLOAT AS conv_rate,
    0.3::FLOAT AS acc_rate,
    (10 * hours + driver_id % 1000)::INTEGER AS avg_daily_trips,
    to_timestamp(1795338060) AS created
FROM range(6) AS past (hours) CROSS JOIN (VALUES (1001), (1002), (1003)) AS drivers (driver_id)
UNION ALL BY NAME
SELECT
    to_timestamp(event) AS event_timestamp,
    driver_id::BIGINT AS driver_id,
    conv_rate::FLOAT AS conv_rate,
    acc_rate::FLOAT AS acc_rate,
    trips::INTEGER AS avg_daily_trips,
    to_timestamp(created) AS created
FROM (
    VALUES
        (1795338000, 1001, 0.777, 0.3, 777, 1795338300),  -- the same time as another row, created later
        (1795338000 - 10 * 86400, 1004, 0.444, 0.3, 4, 1795338000 - 9 * 86400),  -- older than the time to live
        (1795338000, 1005, NULL, NULL, 5, 1795338000)
) AS particular (event, driver_id, conv_rate, acc_rate, trips, created)
