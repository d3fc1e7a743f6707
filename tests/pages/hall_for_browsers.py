"""The hall of the browser tests, as a program: `hall_for_browsers.py DATABASE PORT VOICE_FOLDER [large]`."""

import sys
from pathlib import Path

from config.plan import Category, HallPlan, Policy, Queue, Service, Staff, Window
from hall_api.server import Serving, serve
from kiosk.roles.hall import pages

sys.path.insert(0, str(Path(__file__).parent))
from large_hall import PLAN as LARGE

PLAN = HallPlan(
    name="东胜区便民服务中心",
    english="Dongsheng District Public Service Centre",
    complaint_phone="0477-8580000",
    notice="今日周五，大厅延时服务至 18:00。请保管好随身物品，凭号就座。需要帮办代办请到 3 号窗口。",
    categories=(Category(code="social", name="社会保险", english="Social insurance", icon="umbrella"),),
    services=(
        Service(
            code="pension",
            name="城乡居民基本养老保险参保登记",
            english="Basic pension insurance",
            category="social",
            queue="A",
        ),
    ),
    queues=(
        Queue(code="A", name="社会保险", english="Social insurance", zone="A区"),
        Queue(code="B", name="户政与出入境", english="Residence and exit-entry", zone="A区"),
        Queue(code="C", name="不动产登记", english="Real estate registration", zone="B区"),
        Queue(code="D", name="企业开办与综合咨询", english="Business registration and advice", zone="B区"),
    ),
    windows=(
        Window(no=1, name="综合服务", zone="A区"),
        Window(no=2, name="不动产登记", queues=("C",), kind="service", zone="B区"),
        Window(no=3, name="社会保险与帮办代办", zone="A区"),
    ),
    staff=(
        Staff(login="zhang", work_no="1003", name="张建军", window=1, duties="综合事项的受理与咨询"),
        Staff(
            login="li", work_no="1007", name="李秀英", window=3, duties="社会保险登记、转移接续、待遇申领的受理与咨询"
        ),
        Staff(login="chen", work_no="900", name="陈主任", role="manager"),
    ),
    policy=Policy(recall_gap=20, rating_prompt=60),
)

if __name__ == "__main__":
    database, port, voice, *large = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:]
    sys.exit(
        serve(
            Serving(database=database, plan=LARGE if large else PLAN, port=port), pages=lambda hall: pages(hall, voice)
        )
    )
