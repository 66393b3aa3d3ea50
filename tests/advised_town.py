"""Messages to learn from, made here: what people write of five matters, each in many words, by different people."""

MATTERS = {
    "环境卫生": [
        "垃圾堆放没人清运",
        "垃圾桶满了发臭",
        "路边垃圾成堆苍蝇多",
        "清洁工好几天没来扫地",
        "建筑垃圾倒在绿化带",
    ],
    "供水供电": ["停水三天没有通知", "自来水发黄有异味", "小区经常停电跳闸", "水管爆裂没人维修", "电压不稳灯泡闪"],
    "邻里纠纷": ["楼上邻居漏水不肯赔", "邻居半夜吵闹", "邻居占用楼道堆杂物", "和邻居因为围墙吵架", "邻居养狗乱叫"],
    "交通运输": [
        "公交车很久不来一班",
        "路口红绿灯时间太短",
        "货车超载压坏公路",
        "出租车拒载乱收费",
        "公交站台被拆没有站牌",
    ],
    "教育文体": [
        "学校乱收补课费",
        "幼儿园入学名额不公平",
        "老师工资被拖欠",
        "学校食堂饭菜不干净",
        "体育馆不对学生开放",
    ],
}
_AROUND = [
    "请尽快处理",
    "已经反映多次",
    "麻烦派人来看看",
    "住户意见很大",
    "希望有个答复",
    "老人小孩都受影响",
    "情况属实",
    "盼回复",
]
_WHERE = ["幸福小区", "平安里", "东门口", "河边", "老街", "新村", "学府苑", "北广场"]


def messages(per_category: int = 25) -> list[tuple[str, str, str]]:
    """Text, category and who wrote it: each text another one, each by somebody else."""
    return [
        (
            f"{_WHERE[(n * 3 + at) % 8]}{said[n % len(said)]}\n{_AROUND[n % 8]}，{_AROUND[(n * 5 + 3) % 8]}，第{n}次",
            category,
            f"{at}-{n}",
        )
        for at, (category, said) in enumerate(MATTERS.items())
        for n in range(per_category)
    ]


def as_csv(rows: list[tuple[str, str, str]]) -> str:
    """The same as a file that an import takes."""
    lines = [f'{n},{who},,2026-01-05 09:00,"{text}",{category}' for n, (text, category, who) in enumerate(rows)]
    return "\n".join(["message_id,user,subject,submitted_at,text,category", *lines]) + "\n"
