"""Typed fields of mmengine's data elements."""

from typing import Any

__all__ = ['typed_field']


def typed_field(name: str, dtype: type) -> Any:
    """A property of a data element that is kept under ``_name`` and takes nothing but ``dtype``."""
    stored = f'_{name}'

    def get(self):
        return getattr(self, stored)

    def put(self, value):
        self.set_field(value, stored, dtype=dtype)

    def delete(self):
        delattr(self, stored)

    return property(get, put, delete)
