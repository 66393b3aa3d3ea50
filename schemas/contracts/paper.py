"""Papers that a window hands over: 回执, 告知书. The town writes their words; what stands in braces is filled in from the case."""

from collections.abc import Iterator, Mapping

from pydantic import Field

from schemas.contracts.department_policy import Name
from schemas.contracts.notice import Wording
from schemas.values.both import chinese_of, english_of
from schemas.values.model import Model

OF_THE_CASE = frozenset(
    {"case_id", "procedure", "about", "stage", "holder", "area", "opened_at", "closed_at", "due_at", "wanting"}
)
OF_THE_TOWN = frozenset({"today", "host", "hall", "hall_address", "hall_phone", "hall_open"})
FACTS = OF_THE_CASE | OF_THE_TOWN


class Paper(Model):
    """policies/papers/KIND.yaml. It is offered for a case that has every fact it names: one that speaks of the end, at the end."""

    version: str = Field(min_length=1)
    title: Name
    paragraphs: tuple[Wording, ...] = Field(min_length=1)

    def facts(self) -> frozenset[str]:
        """What it names. Raises ValueError: braces that do not match."""
        return frozenset(name for each in self.paragraphs for name in each.fields())

    def faults(self) -> Iterator[str]:
        """Say what is wrong although each field is well formed: place, what, remedy."""
        for number, each in enumerate(self.paragraphs):
            try:
                unknown = sorted(each.fields() - FACTS)
            except ValueError:
                yield f"paragraphs.{number}: braces that do not match; write {{{{ for a brace"
                continue
            for name in unknown:
                yield f"paragraphs.{number}: {{{name}}} is no fact of a case; use {', '.join(sorted(FACTS))}"

    def filled(self, facts: Mapping[str, str]) -> list[Name] | None:
        """The paragraphs with the facts in them; None: the case lacks one that it names."""
        if not all(facts.get(name) for name in self.facts()):
            return None
        chinese = {name: chinese_of(text) for name, text in facts.items()}
        english = {name: english_of(text) for name, text in facts.items()}
        return [Name(zh=each.zh.format_map(chinese), en=each.en.format_map(english)) for each in self.paragraphs]
