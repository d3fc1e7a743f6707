"""The paper of the simulated printer as a picture: its code must be readable by a citizen's phone."""

import pytest
from PIL import Image
from pyzbar.pyzbar import ZBarSymbol, decode

from devices.drivers.escpos_printer import Driver, Options, Simulator
from devices.roles import PrintSlip
from devices.slip_picture import draw

URL = "https://zwfw.example.gov.cn/t/Zk3mQ9xWv7Lr2pTn8sYbHc4dJf60"


@pytest.mark.parametrize(("width", "dots"), [(58, 384), (80, 576)])
def test_the_code_on_paper_can_be_scanned(width, dots):
    slip = PrintSlip(hall="便民服务中心", service="社会保险", number="A012", ahead=3, url=URL)
    printer = Simulator(Options(width_mm=width))
    printer.receive(Driver(Options(width_mm=width)).encode(slip))
    picture = draw(printer.slips()[0], width)
    assert isinstance(picture, Image.Image)
    assert picture.width == dots + 48
    assert [x.data.decode() for x in decode(picture, symbols=[ZBarSymbol.QRCODE])] == [URL]
    assert picture.getextrema()[0] < 60  # something is printed
