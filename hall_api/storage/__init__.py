"""Where the hall's facts are kept: one durable list of what happened, and the rows it led to."""

from hall_api.storage.store import Store, open_store

__all__ = ["Store", "open_store"]
