"""The hall's pages for people: clerk's desk, manager's overview, a citizen's ticket, the list of doors.

The pages hold no rule of the hall. They are served as they are; what they show they fetch from the public doors of
docs/api.md, and what the hall refuses they show as the hall's own sentence.
"""

from hall_api.pages.blueprint import create_pages, nowhere

__all__ = ["create_pages", "nowhere"]
