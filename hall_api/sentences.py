"""What the hall says when it says no: a sentence for each code, fit to show, in the reader's language.

A new refusal needs a line here and one in the catalogue; a test reads both and the rules.
"""

from __future__ import annotations

from config.words import FIRST, translator
from hall_api.domain.refusal import Refusal

SENTENCES = {
    # tickets
    "no_ticket": "There is no such ticket.",
    "no_number": "There is no number {number} today.",
    "no_service": "There is no service called {service}.",
    "no_queue": "There is no queue called {queue}.",
    "queue_or_service": "Say which queue or which service the number is for.",
    "service_elsewhere": "{service} belongs to queue {queue}.",
    "queue_closed": "{queue} gives no more numbers today; please ask at the guide desk.",
    "no_priority": "There is no priority class called {priority}.",
    # steps of a ticket
    "cannot_call": "Number {number} is {state} and cannot be called.",
    "cannot_recall": "Number {number} is {state}; only a called number can be called again.",
    "cannot_pass": "Number {number} is {state}; only a called number can be passed.",
    "cannot_rejoin": "Number {number} is {state}; only a passed number can wait again.",
    "cannot_start": "Number {number} is {state}; only a called number can be started.",
    "cannot_hold": "Number {number} is {state}; only a number being served can be put aside.",
    "cannot_resume": "Number {number} is {state}; only a number put aside can be resumed.",
    "cannot_transfer": "Number {number} is {state}; only a number at a window can be sent elsewhere.",
    "cannot_finish": "Number {number} is {state}; only a number at a window can be finished.",
    "cannot_cancel": "Number {number} is {state} and cannot be cancelled.",
    "cannot_rate": "Number {number} is {state}; only a finished visit can be rated.",
    "cannot_verify": "Number {number} is {state}; priority is decided while a number waits.",
    "cannot_reprint": "Number {number} is {state}; its slip is not printed again.",
    "recall_too_soon": "Number {number} was called just now; call again in {seconds} s.",
    "recall_limit": "Number {number} was called again {limit} times already; pass it.",
    "rejoin_limit": "Number {number} has rejoined {limit} times already; please go to the guide desk.",
    "bound_elsewhere": "Number {number} was sent to window {window}.",
    "no_skill": "Window {window} does not serve the queue of number {number}.",
    "transfer_where": "Say to which queue or window.",
    # windows
    "no_window": "There is no window {window}.",
    "window_holds": "Window {window} still holds number {number}; finish it first.",
    "window_closed": "Window {window} is closed; open it first.",
    "window_paused": "Window {window} is paused; resume first.",
    "clerk_busy": "This clerk still holds number {number} at window {window}.",
    "no_staff": "Nobody here has the login {staff}.",
    "not_your_window": "This machine does not belong to window {window}.",
    # priority and rating
    "staff_verify": "Only staff can verify a priority.",
    "age_proves_nothing": "Number {number} claims no priority by age.",
    "too_young": "Priority by age begins at {age} years.",
    "already_rated": "This visit has been rated already; thank you.",
    "no_invitation": "The time to rate number {number} here is over.",
    "no_grade": "A grade is a whole number from 1 to 5.",
    "no_channel": "There is no rating channel called {channel}.",
    # papers
    "cannot_attach": "Number {number} is {state}; papers are attached while a number is at a window.",
    "too_many_attachments": "Number {number} has {limit} attachments already; remove one first.",
    "no_attachment": "There is no such attachment.",
    "not_your_ticket": "Only the window that serves number {number}, and managers, may see its papers.",
    "no_vault": "This hall cannot keep papers: its key file is missing or damaged; a technician must look.",
    "open_vault": "The key file of the hall's papers can be read by others; a technician must set its mode to 0600.",
    "wrong_vault": "These papers were sealed with another key; a technician must bring the key file back.",
    # printing and devices
    "no_job": "There is no such print job.",
    "no_job_state": "There is no print job state called {state}.",
    "no_device_state": "There is no device state called {state}.",
    # the hall itself
    "key_reused": "This Idempotency-Key was used for another request.",
    "disk_full": "The disk is full ({place}); a technician must make room. Nothing was stored.",
    "storage_trouble": "The hall cannot reach its database; nothing was answered for. A technician must look: {reason}",
    "no_tables": "The hall's tables could not be made; a technician must look: {reason}",
    "hall_closed": "The hall is shutting down; ask again in a moment.",
}
STATES = {
    "waiting": "waiting",
    "called": "called",
    "serving": "being served",
    "held": "put aside",
    "passed": "passed",
    "done": "finished",
    "cancelled": "cancelled",
    "expired": "expired",
}
TOLD = (  # what alarms say
    "The machine is silent; check its power and network.",
    "The hall computer's clock was set back; a technician must set it right.",
)


def say(refusal: Refusal, language: str = FIRST) -> str:
    """The refusal as a sentence in `language`."""
    words = translator("hall_api", language)
    params = dict(refusal.params)
    state = params.get("state")
    if isinstance(state, str) and state in STATES:
        params["state"] = words(STATES[state])
    return words(SENTENCES[refusal.code]).format(**params)
