"""Who is calling, and many guards folded into one."""

from collections.abc import Sequence

from feast_core.interfaces import Guard, User

ANYONE = User("anyone")
"""The caller where nobody is asked (auth: no_auth)."""


def fold_guards(guards: Sequence[Guard]) -> Guard | None:
    """None becomes None, one itself, many one loop in which all must pass."""
    if not guards:
        return None
    if len(guards) == 1:
        return guards[0]
    every = tuple(guards)

    def all_of(user: User) -> None:
        for guard in every:
            guard(user)

    return all_of
