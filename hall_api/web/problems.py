"""What the hall says when it cannot do what was asked: a sentence for people and a code for programs (RFC 9457)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from flask import Request, Response

# code: (HTTP status, Chinese, English); `{…}` are filled from the problem's own words.
SENTENCES: Mapping[str, tuple[int, str, str]] = MappingProxyType(
    {
        "malformed": (400, "请求内容不是有效的 JSON。", "The body is not valid JSON."),
        "bad_request": (400, "请求格式有误。", "The request could not be understood."),
        "bad_event_id": (400, "Last-Event-ID 应为数字。", "Last-Event-ID must be a number."),
        "not_signed_in": (401, "请先登录，或出示有效的令牌。", "Please log in, or show a valid token."),
        "wrong_password": (401, "用户名或密码不正确。", "The user name or the password is not right."),
        "not_allowed": (403, "您的角色不能使用此功能。", "Your role may not use this door."),
        "csrf": (403, "页面已过期，请刷新后再试。", "This page is out of date; reload it and try again."),
        "foreign_origin": (403, "请求来自其他网站，已拒绝。", "The request comes from another site and was refused."),
        "not_found": (404, "没有此内容。", "There is nothing at this address."),
        "method": (405, "此地址不支持这种操作。", "This address does not take this method."),
        "too_large": (413, "请求内容过大。", "The body is too large."),
        "no_pdf": (422, "应为完整的 PDF 文件。", "The body must be a whole PDF document."),
        "invalid": (422, "{place}：{wrong_zh}。", "{place}: {wrong_en}."),
        "slow_down": (429, "尝试次数过多，请在 {seconds} 秒后再试。", "Too many attempts; try again in {seconds} s."),
        "internal": (
            500,
            "系统出错，请联系技术人员，编号 {reference}。",
            "The hall made a mistake; tell the technician reference {reference}.",
        ),
        "away": (503, "大厅系统正忙，请稍后再试。", "The hall is not ready; try again in a moment."),
    }
)
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    422: "Not acceptable",
    429: "Too many requests",
    500: "Internal error",
    503: "Not ready",
}


class Problem(Exception):
    """A refusal of the web layer itself. `words` fill the sentence; `headers` go out with the answer."""

    def __init__(self, code: str, *, headers: Mapping[str, str] | None = None, **words: object) -> None:
        self.code = code
        self.status, self.chinese, self.english = SENTENCES[code]
        self.words = words
        self.headers = dict(headers or {})
        super().__init__(self.detail(english=True))

    def detail(self, *, english: bool = False) -> str:
        """The sentence to show."""
        return (self.english if english else self.chinese).format(**self.words)


def wrong(place: str, chinese: str, english: str) -> Problem:
    """A body or query that breaks the contract at `place`."""
    return Problem("invalid", place=place, wrong_zh=chinese, wrong_en=english)


def wants_english(header: str) -> bool:
    """Whether an Accept-Language header prefers English to Chinese; Chinese when it says nothing."""
    best = {"zh": -1.0, "en": -1.0}
    for part in header.split(","):
        tag, _, weight = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
        except ValueError:
            quality = 0.0
        if language in best:
            best[language] = max(best[language], quality)
    return best["en"] > best["zh"]


def answer(request: Request, status: int, code: str, chinese: str, english: str, **more: Any) -> Response:
    """The problem document as a response, in the language the asker prefers."""
    english_first = wants_english(request.headers.get("Accept-Language", ""))
    body = {
        "type": f"urn:bianmin:problem:{code}",
        "title": TITLES.get(status, "Problem"),
        "status": status,
        "detail": english if english_first else chinese,
        "code": code,
        **more,
    }
    response = Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")
    response.headers["Content-Language"] = "en" if english_first else "zh-CN"
    response.headers["Cache-Control"] = "no-store"
    return response
