"""The timeline of a case as a page to read and to print: Chinese, no scripts, nothing loaded from anywhere."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from schemas.clocks.calendar import in_shanghai
from schemas.kernel.procedure import Procedure
from schemas.kernel.screen_words import ScreenWords, role_words
from schemas.words.entry_titles import OF_EVERY_CASE

Values = Mapping[str, Any]

_STYLE = """
body { font: 14px/1.6 "Noto Serif CJK SC", "Source Han Serif SC", SimSun, serif; margin: 2em auto; max-width: 60em; }
h1 { font-size: 1.5em; }
h2 { font-size: 1.15em; margin-top: 2em; }
table { border-collapse: collapse; width: 100%; }
th, td { border: 1px solid #999; padding: .3em .5em; text-align: left; vertical-align: top; }
th { background: #eee; }
td.number { text-align: right; }
code { font-size: .85em; word-break: break-all; }
@media print {
  body { margin: 0; max-width: none; font-size: 11px; }
  tr { break-inside: avoid; }
  thead { display: table-header-group; }
}
"""


def timeline_page(
    case: Values, procedure: Procedure, chain: Sequence[Values], manifests: Sequence[Values], seal: Values
) -> str:
    """The page. `case`: the row; `procedure`: whose words it is told in; `seal`: the newest in the bundle."""
    head = [
        ("案件编号", case["case_id"]),
        ("业务", f"{procedure.title} {case['procedure']}"),
        ("环节", procedure.words.stage(case["stage"], procedure.name)),
        ("受理时间", _moment(case["opened_at"])),
        ("结案时间", _moment(case["closed_at"]) if case["closed_at"] else "-"),
        ("已终结", "是" if case["ended"] else "否"),
        ("台账条数", str(len(chain))),
    ]
    said = json.loads(seal["body"])
    return f"""<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><title>{escape(case["case_id"])} 办理过程</title><style>{_STYLE}</style></head>
<body>
<h1>{escape(case["case_id"])} 办理过程</h1>
<table>{"".join(f"<tr><th>{name}</th><td>{escape(str(text))}</td></tr>" for name, text in head)}</table>
<h2>办理过程</h2>
<table><thead><tr><th>序号</th><th>时间</th><th>事项</th><th>办理人</th><th>内容</th></tr></thead>
<tbody>{"".join(_entry(row, procedure) for row in chain)}</tbody></table>
<h2>运行记录</h2>
<table><thead><tr><th>运行</th><th>开始</th><th>结束</th><th>状态</th><th>规则版本</th><th>日历版本</th><th>SHA-256</th></tr></thead>
<tbody>{"".join(_run(manifest) for manifest in manifests)}</tbody></table>
<h2>封印</h2>
<p>最近一次封印:第 {seal["number"]} 号,{_moment(said["at"])},密钥 <code>{escape(said["key_id"])}</code>,
哈希 <code>{escape(seal["hash"])}</code></p>
<p>姓名、证件号、电话、地址和文字不在此页:它们留在保密库中,此处只有代码和编号。时间为乡镇(街道)办案时间。
真伪以 check.py 核验结果为准。</p>
</body>
</html>
"""


def _entry(row: Values, procedure: Procedure) -> str:
    entry = json.loads(row["body"])
    actor = entry["actor"]
    who = f"{role_words(actor['role'])} {actor['subject']}" + (
        f"({actor['department']})" if actor["department"] else ""
    )
    kind = entry["kind"]
    title = procedure.titles.get(kind) or OF_EVERY_CASE.get(kind, kind)
    facts = "".join(
        f"<div>{escape(name)}: {escape(_fact(name, value, procedure.words))}</div>"
        for name, value in entry["facts"].items()
    )
    return (
        f'<tr><td class="number">{entry["seq"]}</td><td>{_moment(entry["at"])}</td>'
        f"<td>{escape(title)}<br><code>{escape(kind)}</code></td><td>{escape(who)}</td><td>{facts}</td></tr>"
    )


def _fact(name: str, value: Any, words: ScreenWords) -> str:
    if name == "clock" and isinstance(value, str):
        return words.clock(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _run(manifest: Values) -> str:
    columns = (
        manifest["run_id"],
        _moment(manifest["started_at"]),
        _moment(manifest["closed_at"]) if manifest["closed_at"] else "-",
        manifest["status"],
        manifest["policy_version"] or "-",
        manifest["calendar_version"] or "-",
        manifest["sha256"],
    )
    return "<tr>" + "".join(f"<td><code>{escape(column)}</code></td>" for column in columns) + "</tr>"


def _moment(text: str) -> str:
    return f"{in_shanghai(datetime.fromisoformat(text)):%Y-%m-%d %H:%M:%S}"
