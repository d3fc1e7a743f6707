"""A large hall with long names, for the pages' layout: 14 windows, 8 queues, nobody and nothing is short."""

from config.plan import Category, HallPlan, Policy, Queue, Service, Staff, Window

_QUEUES = (
    ("A", "城乡居民基本医疗保险与生育保险", "Medical and maternity insurance of urban and rural residents"),
    ("B", "户政、出入境与交通管理综合业务", "Residence, exit-entry and traffic administration"),
    ("C", "不动产登记、交易与税收一窗受理", "Real estate registration, trade and taxes in one window"),
    ("D", "企业开办注销与行政许可", "Business registration and licences"),
    ("E", "住房公积金", "Housing provident fund"),
    ("F", "退役军人事务与优待证", "Veterans' affairs"),
    ("G", "水电气热与公共服务", "Utilities"),
    ("H", "综合事务", "General"),
)
_CLERKS = (
    "欧阳娜仁其木格",
    "王芳",
    "阿拉坦格日乐",
    "李秀英",
    "张建军",
    "赵丽",
    "陈静",
    "刘洋",
    "孙悦",
    "周明",
    "吴霞",
    "郑强",
)
PLAN = HallPlan(
    name="内蒙古自治区鄂尔多斯市东胜区人民政府政务服务中心",
    english="Government Service Centre of Dongsheng District, Ordos, Inner Mongolia Autonomous Region",
    complaint_phone="0477-8580000",
    notice=(
        "今日周五，大厅延时服务至 18:00，周六上午照常办理。"
        "请保管好随身物品，凭号就座，过号请到导办台或自助终端重新排队。"
        "需要帮办代办请到 14 号窗口，老年人、孕妇、残疾人和现役军人走绿色通道。"
    ),
    categories=(Category(code="all", name="全部事项", english="Everything", icon="umbrella"),),
    services=tuple(
        Service(code=f"s{code}", name=f"{name}新增、变更、注销登记与查询", english=english, category="all", queue=code)
        for code, name, english in _QUEUES
    ),
    queues=tuple(
        Queue(code=code, name=name, english=english, zone=f"{'ABC'[n % 3]}区", minutes=12)
        for n, (code, name, english) in enumerate(_QUEUES)
    ),
    windows=(
        *(Window(no=n, name="综合受理、一窗通办与帮办代办服务窗口", zone="A区") for n in range(1, 8)),
        *(Window(no=n, name="专业服务窗口", queues=("C",), kind="service", zone="B区") for n in range(8, 14)),
        Window(no=14, name="“办不成事”反映窗口", kind="cannot_be_done", zone="C区"),
    ),
    staff=(
        *(
            Staff(
                login=f"clerk{n}",
                work_no=f"DS2026-{n:04}",
                name=name,
                window=n,
                duties="城乡居民基本医疗保险参保登记、关系转移接续、待遇申领与异地就医备案的受理、咨询和帮办代办",
            )
            for n, name in enumerate(_CLERKS, 1)
        ),
        Staff(login="chen", work_no="900", name="陈主任", role="manager"),
    ),
    policy=Policy(recall_gap=20, rating_prompt=60),
)
