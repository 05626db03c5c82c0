"""Compiled plans by the shape of their requests, bounded in number and in size."""

import threading
from collections import OrderedDict
from collections.abc import Collection

from feast_core.retrieval import RetrievalPlan, RetrievalRequest

#: Plans kept per snapshot.
MOST_PLANS = 1024
#: A shape whose names take more bytes is compiled each time: they come from a client, and stay in memory with the plan.
LARGEST_SHAPE = 128 * 1024
#: What a text takes beside its characters, in the tuple that holds it too.
_TEXT_BYTES = 64


class Plans:
    """The plans of one snapshot. Looking one up takes no lock."""

    def __init__(self) -> None:
        self._plans: OrderedDict[RetrievalRequest, RetrievalPlan] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, request: RetrievalRequest) -> RetrievalPlan | None:
        """The plan of a shape, None where it is not compiled yet."""
        plan = self._plans.get(request)
        if plan is not None:
            plan.used = True
        return plan

    def put(self, request: RetrievalRequest, plan: RetrievalPlan) -> None:
        """Keep a plan, in the place of one that is not in use where there are too many."""
        names = (*request.columns, *request.features)
        if sum(map(len, names)) + _TEXT_BYTES * len(names) > LARGEST_SHAPE:
            return
        with self._lock:
            self._plans[request] = plan
            if len(self._plans) > MOST_PLANS:
                self._drop_one()

    def _drop_one(self) -> None:
        """The oldest plan that nobody asked for since the last time; those in use get a second chance. So a client that
        makes up shapes does not push out the plans of the others, and a request pays one assignment for it."""
        while True:
            request, plan = self._plans.popitem(last=False)
            if not plan.used:
                return
            plan.used = False
            self._plans[request] = plan

    def in_use(self) -> list[RetrievalRequest]:
        """Shapes that were asked for more than once, oldest first."""
        with self._lock:
            return [request for request, plan in self._plans.items() if plan.used]

    def values(self) -> Collection[RetrievalPlan]:
        """The plans, oldest first."""
        with self._lock:
            return list(self._plans.values())

    def __len__(self) -> int:
        return len(self._plans)
