"""What can go wrong with a document camera, as the technician reads it, and that it is over when it is over."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.gateway import create_gateway, faces, gateway_of
from devices.roles import BusFull, News, PictureBright, PictureDark, PictureFrozen, TakeStill, WrongFormat
from devices.station import DeviceEntry

OPTIONS = {"width": 160, "height": 120, "fps": 10}
GRANTED = "MJPG 320x240@10"
CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Page:
    """The technician's page of a station with one camera."""

    def __init__(self, bench: Any) -> None:
        self.bench = bench
        app = create_gateway(bench.start(lambda name, news: gateway_of(app).hear(name, news)), title="t")
        self._client = app.test_client()

    @property
    def shown(self) -> dict[str, Any]:
        device: dict[str, Any] = self._client.get("/api/devices?device=camera").json["device"]
        return device


@pytest.fixture
def page(bench: Any, until: Any) -> Page:
    bench.add_on_tcp("camera", "uvc-camera", "socket", OPTIONS)
    made = Page(bench)
    until(lambda: made.shown["state"] == "ready")
    return made


@pytest.mark.parametrize(
    ("trouble", "state", "reason", "advice"),
    [
        (PictureFrozen(), "error", "画面停止", "请拔下高拍仪"),
        (PictureDark(), "degraded", "画面全黑", "请打开补光灯"),
        (PictureBright(), "degraded", "画面过亮", "请遮挡直射阳光"),
        (
            WrongFormat(granted="MJPG 320x240@10"),
            "degraded",
            "画面格式不符 wrong picture format: MJPG 320x240@10",
            "得到的画面",
        ),
        (BusFull(), "error", "USB 带宽不足", "请把其中一台摄像头"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, News) else "",
)
def test_each_fault_is_told_with_what_to_do_and_is_over_on_return(
    page: Page, until: Any, trouble: News, state: str, reason: str, advice: str
) -> None:
    page.bench.far["camera"].happen(trouble)
    until(lambda: page.shown["state"] == state)
    shown = page.shown
    assert shown["reason"][0].startswith(reason) and [one[0].startswith(advice) for one in shown["advice"]] == [True]
    page.bench.far["camera"].happen(replace(trouble, over=True))  # type: ignore[call-arg]
    until(lambda: page.shown["state"] == "ready")
    assert page.shown["advice"] == []


def test_a_pulled_plug(page: Page, until: Any) -> None:
    page.bench.far["camera"].unplug()
    until(lambda: page.shown["state"] == "absent")
    shown = page.shown
    assert shown["reason"][0].startswith(("链路断开：", "连不上"))
    assert shown["advice"][0][0].startswith("请检查两端插头")
    assert "reason=链路断开" in shown["news"][0]["text"]
    page.bench.far["camera"].plug()
    until(lambda: page.shown["state"] == "ready")


@pytest.mark.parametrize("fault", ["truncated", "torn"])
def test_damaged_pictures_are_no_matter_of_speed(bench: Any, until: Any, fault: str) -> None:
    bench.add("camera", "uvc-camera", OPTIONS, faults=(fault,))
    page = Page(bench)
    until(lambda: page.shown["state"] == "degraded")
    assert page.shown["advice"] == [[
        "画面数据损坏：请换一根线缆或换一个 USB 口。",
        faces.CAMERA_ADVICE["Garbled"],
    ]]  # fmt: skip
    done = bench.station.send("camera", TakeStill()).result(10)
    assert type(done).__name__ == "Obeyed"  # the next whole one


@pytest.mark.parametrize(
    ("link", "reason", "advice"),
    [
        ("v4l2://by-path/no-such", "/dev/v4l/by-path/no-such 处没有摄像头", "请检查两端插头"),
        ("v4l2:///dev/null", "/dev/null 不是摄像头", "所填的链路地址是别的东西"),
    ],
)
def test_a_camera_that_is_not_where_it_should_be(bench: Any, until: Any, link: str, reason: str, advice: str) -> None:
    bench.entries.append(DeviceEntry("camera", "uvc-camera", link, OPTIONS))
    page = Page(bench)
    until(lambda: page.shown["state"] == "absent")
    assert page.shown["reason"][0].startswith(reason) and page.shown["advice"][0][0].startswith(advice)


def test_every_word_about_a_camera_is_chinese() -> None:
    from devices.drivers import uvc_camera
    from devices.gateway.wording import speaker

    code = Path(uvc_camera.__file__).read_text("utf-8")
    said = set(re.findall(r'_end\(Refused, "(.+?)"\)', code))
    assert len(said) > 4
    assert [one for one in said if not CHINESE.search(speaker(room="devices.gateway.local")(one)[0])] == []
