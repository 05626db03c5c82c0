SELECT
    to_timestamp(1795338000) AS event_timestamp,
    driver_id::BIGINT AS driver_id,
    customer_id,
    trips::BIGINT AS trips,
    to_timestamp(1795338000) AS created
FROM (VALUES (1001, 'a', 1), (1001, 'b', 2), (1002, 'a', 3)) AS rides (driver_id, customer_id, trips)
