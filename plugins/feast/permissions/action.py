"""Feast's import path of the actions of permissions."""

from feast_core.definitions import ALL_ACTIONS, CRUD, READ, WRITE, AuthzedAction

__all__ = ["ALL_ACTIONS", "CRUD", "READ", "WRITE", "AuthzedAction"]
