"""冲突提示: what a case has of another living one, so that staff look at both. It refuses nothing; residents hear nothing of it.

same_person   somebody applies for the same benefit in the same identity, and it is not sure yet whose it is
possibly_same somebody of the same name and day of birth stands in another household by another document
same_file     one uploaded file stands in both
same_matter   two cases of one procedure in one area say the same where it is declared to matter (`Procedure.alike`)
"""

from enum import StrEnum

from schemas.contracts.department_policy import Name


class Likeness(StrEnum):
    """What two living cases have of each other."""

    SAME_PERSON = "same_person"
    POSSIBLY_SAME = "possibly_same"
    SAME_FILE = "same_file"
    SAME_MATTER = "same_matter"


LIKENESS_NAMES = {
    Likeness.SAME_PERSON: Name(zh="同一人重复申请", en="the same person applies twice"),
    Likeness.POSSIBLY_SAME: Name(zh="可能为同一人", en="possibly the same person"),
    Likeness.SAME_FILE: Name(zh="同一文件", en="the same file"),
    Likeness.SAME_MATTER: Name(zh="可能为同一事项", en="possibly the same matter"),
}
