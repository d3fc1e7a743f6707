"""Finding a service by initials and by characters, and lines that break like print."""

import pytest

from config import plans
from kiosk import search
from kiosk.ui.lines import wrap

NAMES = ("社会保障卡申领", "重新就业登记", "银行贷款证明", "老年人优待证办理", "养老待遇资格认证")


@pytest.fixture(scope="module")
def index():
    initials = search.read_aloud(NAMES)
    return search.build([{"code": str(n), "name": name, "english": ""} for n, name in enumerate(NAMES)], initials)


def names(found):
    return [service["name"] for service in found]


def test_initials_follow_the_word_not_the_character(index):
    assert names(index.find("CX")) == ["重新就业登记"]  # chóng, not zhòng
    assert names(index.find("YH")) == ["银行贷款证明"]  # háng, not xíng
    assert names(index.find("shbzk")) == ["社会保障卡申领"]


def test_the_beginning_of_a_name_comes_first(index):
    assert names(index.find("YL"))[0] == "养老待遇资格认证"


def test_characters_in_their_order(index):
    assert names(index.find("社卡")) == ["社会保障卡申领"]
    assert names(index.find("卡社")) == []


def test_only_keys_that_lead_somewhere(index):
    assert "B" in index.letters("SH") and "Q" not in index.letters("SH")
    assert set(index.characters("社")) == set("会保障卡申领")


def test_nothing_typed_finds_everything(index):
    assert len(index.find("")) == len(NAMES)


def test_english_words_are_found_too():
    index = search.build([{"code": "1", "name": "社会保障卡申领", "english": "Social security card"}], {})
    assert index.find("SEC") and not index.find("XYZ")


def test_every_service_of_our_plans_can_be_found_by_its_initials():
    services = [
        {"code": s.code, "name": s.name, "english": s.english}
        for name in plans.names()
        for s in plans.choose(name).services
    ]
    initials = search.read_aloud({s["name"] for s in services})
    index = search.build(services, initials)
    for service in services:
        assert len(initials[service["name"]]) >= 2
        assert service["name"] in names(index.find(initials[service["name"]]))


def each(text):
    return float(len(text))


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("打印机缺纸，请拍照或记下号码", 6, ["打印机缺纸，", "请拍照或记下", "号码"]),
        ("军人、消防救援人员、老年人、残疾人", 9, ["军人、", "消防救援人员、", "老年人、残疾人"]),
        ("（优先）取号", 4, ["（优先）", "取号"]),
        ("Take a number", 8, ["Take a", "number"]),
        ("", 5, [""]),
        ("一\n二", 5, ["一", "二"]),
    ],
)
def test_lines(text, width, lines):
    assert wrap(text, width, each) == lines


def test_no_line_begins_with_a_comma_or_ends_with_a_bracket():
    text = "请到一楼（综合窗口），或拨打“12345”。办事请取号，叫号到窗口；谢谢！"
    for width in range(4, 20):
        for line in wrap(text, width, each):
            assert line[0] not in "，。！；）”" and line[-1] not in "（“"


def test_balanced_lines_are_about_equally_long():
    lines = wrap("城乡居民基本医疗保险参保登记申请", 12, each, balance=True)
    assert len(lines) == 2 and abs(len(lines[0]) - len(lines[1])) <= 2
