"""The build that histories name: another one for other code, the same one on another machine."""

from pathlib import Path

import pytest

from engine.execution.own_build import DECIDES, build_of


def code(folder: Path) -> Path:
    """Some code of each kind."""
    for name in DECIDES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".py"):
            (folder / name).write_text("# wiring")
        else:
            (folder / name / "deep").mkdir(parents=True)
            (folder / name / "deep" / "rules.py").write_text(f"# {name}")
            (folder / name / "deep" / "rows.sql").write_text(f"-- {name}")
    return folder


def test_the_same_code_elsewhere_is_the_same_build(tmp_path: Path) -> None:
    """Two machines of one town show one build; what is not code, such as a log or bytecode, makes no difference."""
    here, there = code(tmp_path / "here"), code(tmp_path / "there")
    (there / "schemas" / "deep" / "rules.pyc").write_bytes(b"bytecode")
    (there / "docs").mkdir()

    assert build_of(here, ["temporalio 1"]) == build_of(there, ["temporalio 1"])


@pytest.mark.parametrize("name", DECIDES)
def test_other_code_is_another_build(tmp_path: Path, name: str) -> None:
    """Whatever a history may depend on: one letter, one query, a file's place, a library."""
    folder = code(tmp_path)
    builds = [build_of(folder, ["temporalio 1"]), build_of(folder, ["temporalio 2"])]
    changed = [folder / name] if name.endswith(".py") else [*(folder / name / "deep").iterdir()]
    for file in changed:
        file.write_text(file.read_text() + " ")
        builds.append(build_of(folder, ["temporalio 1"]))
    if not name.endswith(".py"):
        changed[0].rename(folder / name / changed[0].name)
        builds.append(build_of(folder, ["temporalio 1"]))

    assert len({*builds}) == len(builds)
