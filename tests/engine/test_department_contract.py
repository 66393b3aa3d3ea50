"""The contract by itself: signatures, the four reports, and a page that says what the code does."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.policies.department_policy import load_departments
from local.simulation.characters import WORDS
from schemas.contracts.department import (
    CallbackAct,
    PlaceOrder,
    Receipt,
    ReturnedCallback,
    Rework,
    WorkOrder,
    callback_path,
    order_id,
    read_callback,
    rework_key,
)
from schemas.contracts.signature import SignatureFault, read_secrets, sign, verify
from schemas.incident import INCIDENT
from tests.department_town import NOON, text

PROJECT = Path(__file__).resolve().parents[2]
PAGE = (PROJECT / "docs" / "departments.md").read_text(encoding="utf-8")
NEW, OLD, OTHER = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
NOW = 1_795_406_400
CALLBACK: dict[str, Any] = {
    "callback_id": "cm-1",
    "order_id": "incident-20261123-000017.dispatch-1",
    "case_id": "incident-20261123-000017",
    "act": "signed",
    "by": "cm.0412",
    "as_of": "2026-11-23T12:10:00+08:00",
}


def example(name: str) -> str:
    """The block of the page under `<!-- example: name -->`."""
    found = re.search(rf"<!-- example: {name} -->\n```\w*\n(.*?)```", PAGE, re.DOTALL)
    assert found, f"docs/departments.md has no example {name!r}"
    return found[1]


def faults(callback: dict[str, Any]) -> set[str]:
    """The fields that are wrong with a callback."""
    with pytest.raises(ValidationError) as wrong:
        read_callback(json.dumps(callback).encode())
    return {str(fault["loc"][-1]) for fault in wrong.value.errors()}


@given(body=st.binary(max_size=200), second=st.integers(0, 10**11), skew=st.integers(-300, 300))
def test_what_was_signed_verifies_inside_the_window(body: bytes, second: int, skew: int) -> None:
    """Whatever the body and the time, the signature holds for five minutes in both directions."""
    assert verify([NEW], str(second), body, sign(NEW, str(second), body), second + skew) is None


@given(body=st.binary(min_size=1, max_size=50), place=st.integers(0, 49), bit=st.integers(0, 7))
def test_a_single_changed_bit_of_the_body_is_noticed(body: bytes, place: int, bit: int) -> None:
    """No body can be altered on the way."""
    changed = bytearray(body)
    changed[place % len(body)] ^= 1 << bit

    assert verify([NEW], str(NOW), bytes(changed), sign(NEW, str(NOW), body), NOW) is SignatureFault.WRONG


def test_both_keys_are_believed_while_a_key_is_changed_and_no_third() -> None:
    """The new key and the old one verify; another department's does not, and without keys nothing does."""
    signatures = [sign(key, str(NOW), b"{}") for key in (NEW, OLD, OTHER)]

    assert [verify([NEW, OLD], str(NOW), b"{}", each, NOW) for each in signatures] == [None, None, SignatureFault.WRONG]
    assert verify([], str(NOW), b"{}", signatures[0], NOW) is SignatureFault.WRONG


@pytest.mark.parametrize("late", [301, -301])
def test_a_message_kept_for_later_is_not_believed(late: int) -> None:
    """Outside the window a right signature is worth nothing, and its timestamp cannot be changed to fit."""
    signature = sign(NEW, str(NOW), b"{}")

    assert verify([NEW], str(NOW), b"{}", signature, NOW + late) is SignatureFault.OUTSIDE_WINDOW
    assert verify([NEW], str(NOW + late), b"{}", signature, NOW + late) is SignatureFault.WRONG


@pytest.mark.parametrize(
    ("timestamp", "signature", "fault"),
    [
        (None, "v1=" + "0" * 64, SignatureFault.MISSING),
        (str(NOW), None, SignatureFault.MISSING),
        (str(NOW), "", SignatureFault.MISSING),
        (str(NOW), "0" * 64, SignatureFault.MALFORMED),
        (str(NOW), "v2=" + "0" * 64, SignatureFault.MALFORMED),
        (str(NOW), "v1=" + "0" * 63 + "é", SignatureFault.MALFORMED),
        (str(NOW), "v1=" + "0" * 64 + "\n", SignatureFault.MALFORMED),
        ("-5", "v1=" + "0" * 64, SignatureFault.MALFORMED),
        ("1e9", "v1=" + "0" * 64, SignatureFault.MALFORMED),
        ("١٢٣", "v1=" + "0" * 64, SignatureFault.MALFORMED),
        ("9" * 5000, "v1=" + "0" * 64, SignatureFault.MALFORMED),
    ],
)
def test_headers_that_are_none_are_refused_and_break_nothing(
    timestamp: str | None, signature: str | None, fault: SignatureFault
) -> None:
    """Whatever stands in the headers, the answer is a fault and never an exception."""
    assert verify([NEW], timestamp, b"{}", signature, NOW) is fault


@pytest.mark.parametrize(
    ("content", "remedy"),
    [
        ("", "no key"),
        ("# only a remark\n", "no key"),
        ("abc\n", "line 1: not hex"),
        ("00ff\n", "line 1: the key is too short"),
        (f"# new\n{NEW.hex()}\nzz\n", "line 3: not hex"),
        (f"{NEW.hex()}\n{OLD.hex()}\n{OTHER.hex()}", "3 keys; keep at most 2"),
    ],
)
def test_bad_key_file_names_line_and_remedy_but_never_the_key(content: str, remedy: str) -> None:
    """A fault of a key file can be mended from its message, which shows nothing of a key."""
    with pytest.raises(ValueError, match=remedy) as wrong:
        read_secrets(content)

    assert NEW.hex() not in str(wrong.value)
    assert wrong.value.__suppress_context__ or wrong.value.__context__ is None


def test_first_key_of_the_file_signs() -> None:
    """The order of the file is kept: the new key stands first."""
    assert read_secrets(f"# new\n{NEW.hex()}\n\n{OLD.hex()}\n") == (NEW, OLD)


def test_all_faults_of_a_callback_are_told_at_once() -> None:
    """A sender learns every wrong field from one answer, by name."""
    assert faults({**CALLBACK, "callback_id": "张 三", "as_of": "2026-11-23T12:10:00", "by": "", "extra": 1}) == {
        "callback_id",
        "as_of",
        "by",
        "extra",
    }
    assert faults({**CALLBACK, "act": "returned", "reason": " \u3000\n"}) == {"reason", "legal_basis"}
    assert faults({**CALLBACK, "act": "finished"}) == {"result"}
    assert faults({**CALLBACK, "reason": "signed needs none"}) == {"reason"}
    assert faults({**CALLBACK, "act": "finished", "result": "完" * 4001}) == {"result"}
    assert faults({**CALLBACK, "as_of": 5}) == {"as_of"}


def test_act_that_nobody_knows_is_refused() -> None:
    """A fifth act, none, and what is no JSON at all are refused."""
    for body in (json.dumps({**CALLBACK, "act": "cancelled"}), "{}", "[]", "not json", ""):
        with pytest.raises(ValidationError):
            read_callback(body.encode())


def test_texts_of_a_callback_lose_their_blanks() -> None:
    """Blanks around a text, the wide Chinese one too, are not part of it."""
    body = {**CALLBACK, "act": "returned", "reason": "\u3000不属本单位 ", "legal_basis": "第三条\n"}
    callback = read_callback(json.dumps(body).encode())

    assert isinstance(callback, ReturnedCallback)
    assert (callback.reason, callback.legal_basis) == ("不属本单位", "第三条")


@pytest.mark.parametrize("step", ["dispatch.1", "dispatch/1", "Dispatch-1", "", "-1"])
def test_step_of_an_order_fits_into_its_id(step: str) -> None:
    """A dot or slash in a step would make two orders share an id or break an address."""
    with pytest.raises(ValidationError):
        place_order(step=step)


def test_plain_words_cannot_be_put_where_a_reference_belongs() -> None:
    """What enters the history about an order is codes and references: its own texts are refused."""
    with pytest.raises(ValidationError):
        place_order(description="小区垃圾堆积未清理")


def test_order_knows_what_time_it_is() -> None:
    """Town time without an offset is refused before it reaches a department."""
    with pytest.raises(ValidationError):
        place_order(as_of=NOON.replace(tzinfo=None))
    with pytest.raises(ValidationError):
        place_order(due={"sign": NOON.replace(tzinfo=None)})


@pytest.mark.parametrize(("latitude", "longitude"), [(90_000_001, 0), (0, -180_000_001)])
def test_place_is_on_the_earth(latitude: int, longitude: int) -> None:
    """Coordinates that a department could not read are refused where the order is made."""
    with pytest.raises(ValidationError):
        place_order(latitude_microdegrees=latitude, longitude_microdegrees=longitude)


def place_order(**changes: Any) -> PlaceOrder:
    return PlaceOrder.model_validate(
        {
            "case_id": "incident-20261123-000017",
            "step": "dispatch-1",
            "department": "urban-management",
            "procedure": "incident",
            "category": "环境卫生",
            "urgency": "ordinary",
            "description": text("1"),
            "due": {"sign": NOON + timedelta(hours=1)},
            "as_of": NOON,
            **changes,
        }
    )


def test_signatures_on_the_page_are_right() -> None:
    """Somebody who writes the other side in another language can check it against the page's own example."""
    body = example("signature").removesuffix("\n").encode()
    signature, recall = re.findall(r"^v1=[0-9a-f]{64}$", PAGE, re.MULTILINE)

    assert "000102…1e1f" in PAGE
    assert f"`{NOW}`" in PAGE
    assert sign(NEW, str(NOW), body) == signature
    assert sign(NEW, str(NOW), read_callback(body).order_id.encode()) == recall


def test_messages_on_the_page_are_accepted() -> None:
    """Every example of the page is one that the code reads: order, receipt, and each of the four reports."""
    order = WorkOrder.model_validate_json(example("order"))
    callbacks = [read_callback(json.dumps(each).encode()) for each in json.loads(example("callbacks"))]

    assert set(json.loads(example("order"))) == set(WorkOrder.model_fields)
    assert order.callback_url.endswith(callback_path("urban-management"))
    assert Receipt.model_validate_json(example("receipt")).receipt == "CM-2026-004711"
    assert [callback.act for callback in callbacks] == list(CallbackAct)


def test_page_names_every_command_and_character() -> None:
    """No act, command or character exists that the page does not tell."""
    for act in CallbackAct:
        assert f"| `{act}`" in PAGE
        assert f"`{INCIDENT.callbacks[act]}` |" in PAGE
    for word, character in WORDS.items():
        assert word == character.value or f"| {character.value} | {word} |" in PAGE


def test_entry_on_the_page_is_one_that_loads(tmp_path: Path) -> None:
    """The entry shown for policies/departments.yaml can be copied as it is."""
    lines = PAGE.partition("    - code: urban-management\n")[2].splitlines()
    entry = "\n".join(["    - code: urban-management", *lines[: lines.index("")]])
    desk = "    - {code: coordination-centre, name: {zh: 中, en: C}, gateway: desk, duty_leader: d}"
    file = tmp_path / "departments.yaml"
    file.write_text(f"departments:\n{entry}\n{desk}\n", encoding="utf-8")

    assert load_departments(file).get("urban-management").url == "https://cm.example/jiceng"


def test_the_rework_of_the_page_is_one() -> None:
    """The example on the page has every field, fits its order, and its key is the one the page names."""
    plain = json.loads(example("rework"))
    rework = Rework.model_validate_json(example("rework"))

    assert set(plain) == set(Rework.model_fields)
    assert rework.order_id == order_id(rework.case_id, rework.step)
    assert f"Idempotency-Key: {rework_key(rework.case_id, rework.step, rework.number)}" in PAGE
