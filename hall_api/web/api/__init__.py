"""The doors of the hall, one file for each noun: docs/api.md is their contract."""

from hall_api.web.api.attachments import attachments
from hall_api.web.api.events import events
from hall_api.web.api.hall import hall
from hall_api.web.api.people import machines, people
from hall_api.web.api.tickets import tickets
from hall_api.web.api.windows import queues, windows

NOUNS = (hall, queues, windows, tickets, attachments, events, people, machines)
