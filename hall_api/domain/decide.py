"""The hall's one question: what follows from this order? Each order has one function; the table says which."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hall_api.domain import calling, issuing, orders, papers, places, ratings, visit, watch
from hall_api.domain.book import Book, Draft, Moment

RULES: Mapping[type[orders.Order], Callable[[Any, Draft], None]] = {
    orders.Issue: issuing.issue,
    orders.Reprint: issuing.reprint,
    orders.SettleJob: issuing.settle_job,
    orders.CallNext: calling.call_next,
    orders.CallOne: calling.call_one,
    orders.Recall: calling.recall,
    orders.Pass: calling.pass_,
    orders.Rejoin: calling.rejoin,
    orders.Start: visit.start,
    orders.Hold: visit.hold,
    orders.Resume: visit.resume,
    orders.Transfer: visit.transfer,
    orders.Finish: visit.finish,
    orders.Cancel: visit.cancel,
    orders.VerifyPriority: visit.verify_priority,
    orders.Rate: ratings.rate,
    orders.SkipRating: ratings.skip_rating,
    orders.OpenWindow: places.open_window,
    orders.PauseWindow: places.pause_window,
    orders.ResumeWindow: places.resume_window,
    orders.CloseWindow: places.close_window,
    orders.OpenQueue: places.open_queue,
    orders.CloseQueue: places.close_queue,
    orders.ReportDevice: watch.report_device,
    orders.ReportDevices: watch.report_devices,
    orders.CallHelper: watch.call_helper,
    orders.AnswerHelp: watch.answer_help,
    orders.Housekeep: watch.housekeep,
    orders.Attach: papers.attach,
    orders.Detach: papers.detach,
}


def decide(order: orders.Order, book: Book, moment: Moment) -> Draft:
    """Changed rows and events of one order. Raises Refusal; the book is never written."""
    draft = Draft(book, moment)
    RULES[type(order)](order, draft)
    return draft


def new_day(old: str, book: Book, moment: Moment) -> Draft:
    """What the change of the business day demands, before any order of the new day."""
    draft = Draft(book, moment)
    watch.close_day(old, draft)
    return draft
