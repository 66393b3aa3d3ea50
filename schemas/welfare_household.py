"""The household of an application: who lives in it, who consented, and whether it is sure who applies (decision 0009)."""

from collections.abc import Iterable, Mapping

from schemas.clocks.months import month_at, month_before
from schemas.kernel import people
from schemas.kernel.people import how_many
from schemas.parts.documents import CorrectedState
from schemas.values.document import Document, DocumentReference
from schemas.values.identity_document import ADULT_AT
from schemas.values.identity_number import age_in
from schemas.values.references import PersonReference
from schemas.values.refusals import Fault, say
from schemas.welfare_checked import Part

CONSENT = "consent:member-"
"""With the number of a member: what is missing while an adult of the household has not consented."""

DOCUMENT = "document:member-"
"""With the number of a member: what is missing while nobody has seen the document of who was stated as a minor."""

OTHERS_PAPER = Fault(
    field="consent",
    reason=say("该文件已作为其他材料提交", "is a file that stands in this case for something else already"),
    remedy=say("每名成年成员须各自签署并提交一份授权书", "each adult signs a paper of their own: send that"),
)

WORDS_FOR_AN_IDENTITY = 2
"""So many people of the town have seen the card of an applicant whose account nobody vouches for."""


class HouseholdMember(Part):
    """Somebody who lives with the applicant: `number` counts `members` from 1, in the order of the application.

    `birth` is the month of birth; None of cases from before, in which everybody counts as an adult. `adult`: had turned 18
    when the application came. `numbered`: has a document by whose number registers can be asked. `consent`: the paper that an
    adult signed; `consent_by`: who recorded it, while another person still has to see it. `age_shown`: the number of the
    document has the day of birth in it, or somebody has seen the document of who was stated as a minor.
    """

    number: int
    birth: str | None
    adult: bool
    numbered: bool
    consent: DocumentReference | None = None
    consent_by: str | None = None
    age_shown: bool = True

    @property
    def consented(self) -> bool:
        """Has consented, by a paper that does not rest on one unknown person's word."""
        return self.consent is not None and self.consent_by is None

    def may_be_asked_about(self, month: str) -> bool:
        """Consented for themselves; for a minor the applicant did, until the month in which they turn 18 is over."""
        if self.adult or self.birth is None or not self.age_shown:
            return self.consented
        return self.consented or age_in(self.birth, month_before(month)) < ADULT_AT


class HouseholdState(CorrectedState):
    """A case of a household.

    `reporter` is the applicant, as the kernel calls who a case is of; `members` are the other people of the household,
    `household_members` the same with who is an adult and who consented (none in cases from before). `account_bound`: by the
    issuer's word the account that applied is the applicant's; `card_seen_by`: who of the town has seen the applicant's card.
    """

    reporter: PersonReference
    members: tuple[PersonReference, ...] = ()
    household_members: list[HouseholdMember] = []
    on_behalf: bool = False
    account_bound: bool = False
    card_seen_by: list[str] = []

    def took_part(self) -> Mapping[people.Part, tuple[str, ...]]:
        """Who has seen the card, and who recorded a consent that nobody else has seen yet."""
        recorded = (each.consent_by for each in self.household_members)
        return {
            **super().took_part(),
            people.Part.CARD_SEEN: tuple(self.card_seen_by),
            people.Part.CONSENT_RECORDED: tuple(who for who in recorded if who),
        }

    @property
    def identified(self) -> bool:
        """It is sure who applies: the account is theirs, or two people of the town have seen their card (decision 0009)."""
        if not self.charter.people_are_identified or self.account_bound:
            return True
        return how_many(self.card_seen_by) >= WORDS_FOR_AN_IDENTITY

    def identified_with(self, subject: str) -> bool:
        """The same, once somebody more has seen the card."""
        seen = [*self.card_seen_by, subject]
        return self.identified or how_many(seen) >= WORDS_FOR_AN_IDENTITY

    @property
    def payee_decides(self) -> bool:
        """The account that the case is of is the payee's own, so that its word alone is the payee's."""
        return self.account_bound if self.charter.people_are_identified else not self.on_behalf

    def not_consenting(self) -> list[HouseholdMember]:
        """The adults of the household who have not consented: registers are not asked about them, and nothing is granted."""
        return [member for member in self.household_members if member.adult and not member.consented]

    def of_unknown_age(self) -> list[HouseholdMember]:
        """Those who were stated as minors by a document that does not show it, and nobody has seen it."""
        return [member for member in self.household_members if not (member.age_shown or member.consented)]

    def to_be_confirmed(self) -> list[HouseholdMember]:
        """Those of whom somebody still has to see a paper: the consent that was recorded, or the document."""
        return [
            member
            for member in self.household_members
            if member.consent_by is not None or member in self.of_unknown_age()
        ]

    def count_everybody_as_adult(self) -> None:
        """An application from before did not tell who is of age: whoever is not known to be a minor consents."""
        if not self.charter.people_as_stated and not self.household_members:
            self.household_members = [
                HouseholdMember(number=number, birth=None, adult=True, numbered=True)
                for number in range(1, len(self.members) + 1)
            ]

    @property
    def consented_members(self) -> tuple[PersonReference, ...]:
        """Who of the household, besides the applicant, lets the town ask about them; of cases from before, everybody."""
        if not self.charter.people_as_stated and not self.household_members:
            return self.members
        month = month_at(self.last_at or self.opened_at)
        return self.people(each.number for each in self.household_members if each.may_be_asked_about(month))

    def asked_about(self) -> list[int]:
        """The numbers of those whom a source is asked about: who consented, and can be told from others by a document."""
        consented = self.consented_members
        return [
            each.number for each in self.household_members if each.numbered and self.person(each.number) in consented
        ]

    def person(self, number: int) -> PersonReference:
        """A member of the household by number, counted from 1."""
        return self.members[number - 1]

    def people(self, numbers: Iterable[int]) -> tuple[PersonReference, ...]:
        """Members of the household by their numbers."""
        return tuple(map(self.person, numbers))

    @property
    def advance_members(self) -> list[HouseholdMember]:
        """Who of the household, besides the applicant, counts in what is paid first: minors, and adults who consented."""
        if not self.household_members:
            return []
        month = month_at(self.last_at or self.opened_at)
        return [member for member in self.household_members if member.may_be_asked_about(month)]

    def faults_of_paper(self, document: Document) -> tuple[Fault, ...]:
        """A consent is no paper for anything else."""
        consents = {member.consent for member in self.household_members}
        same = (each for each in self.documents if each.sha256 == document.sha256)
        return self.own_paper_faults(document) if any(each.reference in consents for each in same) else ()

    def own_paper_faults(self, document: Document) -> tuple[Fault, ...]:
        """一人一份: a consent is a paper of its own, not the file of a card or of somebody else's consent."""
        known = {each.sha256 for each in self.documents}
        if not self.charter.people_are_identified or document.sha256 not in known:
            return ()
        return (OTHERS_PAPER.model_copy(update={"field": "document"}),)
