"""Aggregation: a function over a column, in a time window."""

from datetime import timedelta

from feast_core.definitions.definition import Declared


class Aggregation(Declared):
    """One aggregated feature, as `Aggregation("amount", "sum", timedelta(hours=1))`. Stored; nothing here runs it."""

    def __init__(
        self,
        column: str | None = "",
        function: str | None = "",
        time_window: timedelta | None = None,
        slide_interval: timedelta | None = None,
        name: str | None = None,
    ) -> None:
        self.column = column or ""
        self.function = function or ""
        self.time_window = time_window
        # As Feast: windows without a slide interval tumble.
        self.slide_interval = slide_interval or time_window
        self.name = name or ""

    def resolved_name(self, time_window: timedelta | None = None) -> str:
        """As Feast: the name of the feature: `name`, or `sum_amount`, or with a window `sum_amount_3600s`."""
        if self.name:
            return self.name
        seconds = int(time_window.total_seconds()) if time_window else 0
        return f"{self.function}_{self.column}_{seconds}s" if seconds else f"{self.function}_{self.column}"
