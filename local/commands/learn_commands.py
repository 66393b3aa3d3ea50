"""`jiceng learn`: a model of dispatch from the town's closed cases, or from a file (docs/dispatch-help.md).

Exit codes: 0 learned and in use, or checked; 1 there is too little to learn from, it does worse than the town asks for, or a file
cannot be read; 2 the command line is wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from engine.advice.examples import Example
from engine.advice.learning import cross_validated, fitting, learn
from engine.advice.own_cases import closed_cases
from engine.advice.scores import Score, Scores
from engine.keys.keys import Keys
from engine.policies.advice_policy import load_advice
from engine.policies.department_policy import load_departments
from engine.policies.policies import load_policy
from engine.runtime.operator_error import OperatorError
from engine.runtime.settings import Settings
from engine.runtime.town_clock import read_town_time
from engine.store.database import open_pool
from engine.store.dispatch_models import Source, keep_model, list_models
from engine.vault.vault import Vault
from local.commands.up_commands import TOWN, Data, Json
from local.real.category_map import read_category_map, read_column_map
from local.real.message_examples import FileExamples, read_examples
from local.real.message_file import ColumnMap
from local.town.cli_errors import run_told
from local.town.running_town import town_or_settings
from schemas.incident import INCIDENT
from schemas.incident_policy import IncidentPolicy
from schemas.values.refusals import say

WIDTH_WITHOUT_TERMINAL = 170
_PERCENT = 100


class NotGoodEnough(OperatorError):
    """The model is right less often than the town asks for; the one in use stays."""


@dataclass(frozen=True)
class Learned:
    """What came of it. `version` None: checked alone, or the very same model was in use before."""

    version: int | None
    sha256: str | None
    texts: int
    scores: Scores
    left_out: Mapping[str, Any]


def learn_dispatch(
    file: Annotated[Path | None, typer.Argument(help="a CSV file of messages; without it, the closed cases")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="say how well it does on what it has not seen; keep nothing")
    ] = False,
    columns: Annotated[Path | None, typer.Option("--map", help="YAML: which column is which, as for an import")] = None,
    categories: Annotated[Path | None, typer.Option(help="CSV or YAML: foreign category to ours")] = None,
    listed: Annotated[bool, typer.Option("--list", help="the models that are kept, the newest first")] = False,
    data: Data = TOWN,
    as_json: Json = False,
) -> None:
    """学习 Learn from closed cases or a file which category a text is of; `--check` prints accuracy."""
    settings = town_or_settings(data)
    if listed:
        run_told(_show_models(settings, as_json=as_json))
        return
    read = None
    if file is not None:
        translated = read_category_map(categories) if categories else {}
        shape = read_column_map(columns) if columns else ColumnMap()
        read = read_examples(file, shape, translated, _policy(settings).categories)
    learned = run_told(_learn(settings, read, check=check))
    _show(learned, as_json=as_json, checked=check)


async def _learn(settings: Settings, read: FileExamples | None, *, check: bool) -> Learned:
    if read is not None and check:
        fit = fitting(read.examples)
        return Learned(None, None, len(fit), cross_validated(fit), _left_out(read))
    async with await open_pool(settings, process="jiceng learn") as pool:
        if read is not None:
            examples, left_out = read.examples, _left_out(read)
        else:
            listed = _policy(settings).categories
            examples, erased = await closed_cases(pool, Vault(Keys.of(settings)), INCIDENT.name, listed)
            left_out = {"erased": erased}
        fit = fitting(examples)
        if check:
            return Learned(None, None, len(fit), cross_validated(fit), left_out)
        return await _kept(settings, pool, fit, left_out, read)


async def _kept(
    settings: Settings, pool: Any, fit: list[Example], left_out: Mapping[str, Any], read: FileExamples | None
) -> Learned:
    model, scores = learn(fit)
    asked = load_advice(settings.policies).dispatch_help.learns_above_percent
    if scores.whole.first_rate * _PERCENT < asked:
        raise NotGoodEnough(
            say(
                f"首条正确率{_share(scores.whole.first_rate)},低于规则要求的{asked}%,不启用",
                f"right in {_share(scores.whole.first_rate)}, less than {asked}% (policies/advice.yaml): not taken into use",
            )
        )
    source: Source = "cases" if read is None else "file"
    async with pool.acquire() as connection:
        now = read_town_time(settings).to_town(datetime.now(UTC))
        plain = scores.model_dump(mode="json")
        digest = None if read is None else read.sha256
        version = await keep_model(connection, model, plain, len(fit), now, source, digest)
    return Learned(version, model.sha256, len(fit), scores, left_out)


def _left_out(read: FileExamples) -> dict[str, Any]:
    return {"faulty_lines": len({each.line for each in read.faults}), "not_on_the_list": list(read.strange)}


def _policy(settings: Settings) -> IncidentPolicy:
    codes = [each.code for each in load_departments(settings.policies / "departments.yaml").departments]
    policy = load_policy(INCIDENT, settings.policies, codes)
    assert isinstance(policy, IncidentPolicy)  # noqa: S101 - the procedure says which policy is its own
    return policy


async def _show_models(settings: Settings, *, as_json: bool) -> None:
    async with await open_pool(settings, process="jiceng learn") as pool, pool.acquire() as connection:
        found = await list_models(connection)
    if as_json:
        typer.echo(json.dumps([each.model_dump(mode="json") for each in found], ensure_ascii=False, indent=2))
        return
    table = Table(
        "版本 version", "摘要 digest", "时间 learned", "来源 from", "文本 texts", "首条 first", "前三 three", "kB"
    )
    for each in found:
        whole = Scores.model_validate(each.scores).whole
        first, three = _share(whole.first_rate), _share(whole.first_three_rate)
        size, when = f"{each.bytes / 1000:.0f}", f"{each.learned_at:%Y-%m-%d %H:%M}"
        table.add_row(str(each.version), each.sha256[:12], when, each.source, str(each.texts), first, three, size)
    _console().print(table if found else "没有模型 (no models: jiceng learn)")


def _show(learned: Learned, *, as_json: bool, checked: bool) -> None:
    if as_json:
        plain = {
            "version": learned.version,
            "sha256": learned.sha256,
            "texts": learned.texts,
            "first_rate": round(learned.scores.whole.first_rate, 4),
            "first_three_rate": round(learned.scores.whole.first_three_rate, 4),
            "scores": learned.scores.model_dump(mode="json"),
            "left_out": learned.left_out,
        }
        typer.echo(json.dumps(plain, ensure_ascii=False, indent=2))
        return
    console = _console()
    console.print(f"{learned.texts} 条 texts; 五折交叉验证 five folds, on what was not seen")
    table = Table("", "文本 texts", "首条 first", "前三 first three")
    lines: dict[str, Score] = {"全部 whole": learned.scores.whole, **learned.scores.by_category}
    lines |= {f"区域 area {name}": score for name, score in learned.scores.by_area.items()}
    lines |= {f"分组 {name}": score for name, score in learned.scores.by_group.items()}
    for name, score in lines.items():
        table.add_row(name, str(score.texts), _share(score.first_rate), _share(score.first_three_rate))
    console.print(table)
    sure = Table("概率不低于 at least", "文本 texts", "首条正确 first is right")
    for each in learned.scores.by_probability:
        sure.add_row(
            f"{each.permille / 10:.0f}%", str(each.texts), _share(each.first / each.texts if each.texts else 0.0)
        )
    console.print(sure)
    console.print(f"未用 left out: {json.dumps(learned.left_out, ensure_ascii=False)}")
    if not checked:
        known = f"第{learned.version}版已启用 version {learned.version} is in use"
        console.print(
            f"{known if learned.version else '与已有模型相同 the very same model is kept already'}: {learned.sha256}"
        )


def _share(part: float) -> str:
    return f"{part * _PERCENT:.1f}%"


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=WIDTH_WITHOUT_TERMINAL)
