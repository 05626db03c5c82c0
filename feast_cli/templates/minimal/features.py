"""Feature definitions: entities, data sources, feature views, feature services; `feast apply` reads this file."""
