SELECT to_timestamp(event) AS event_timestamp, rate::DOUBLE AS g_rate, to_timestamp(1795338000) AS created
FROM (VALUES (1795334400, 1.5), (1795338000, 2.5)) AS hourly (event, rate)
