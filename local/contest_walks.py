"""The ways a project can go (local/stories/walks.py). Tests have no bank: instalments are paid by hand."""

from local.stories.walks import A_DOCUMENT, Walks, walk

JUDGED = "street_officer accept, grid_worker judge, coordinator judge, supervisor judge"
AWARDED = f"{JUDGED}, (contest:awarded)"
REACHED = "applicant claim_milestone, street_officer verify_milestone"
BY_HAND = "(contest:payment:with_a_person), civil settle_payment, supervisor confirm_settlement"
DECLINED = "(contest:payment:with_a_person), civil settle_payment, applicant decline_settlement"
PAID = f"{REACHED}, (contest:payment:paid)"
LOW = {"score": 40, "reason": "受益面小"}
UPHELD = {"upheld": True, "finding": "属实", "appraisal": "评议属实", "legal_basis": "《微项目管理办法》第八条"}

WALKS = Walks(
    starter="applicant",
    opening={
        "plan": "楼道微更新:粉刷墙面、增设扶手",
        "payee": "何志远",
        "account": "6222020000000000017",
        "milestones": [{"amount_fen": 100000}, {"amount_fen": 200000}],
        "area": "320104.003.01",
    },
    left_alone="unresolved",
    bodies={
        "judge": {"score": 80},
        "object": {"reason": "施工影响通行", "contact": "3号楼李先生"},
        "investigate": {"upheld": False, "finding": "已征得全楼同意"},
        "attach": {"document": A_DOCUMENT, "note": "现场照片"},
        "claim_milestone": {"result": "已粉刷完毕", "documents": [A_DOCUMENT]},
        "verify_milestone": {"passed": True, "finding": "现场查看属实"},
        "settle_payment": {"how": "paid_otherwise", "reason": "银行未开通", "voucher": "CZ-2026-0001"},
        "account": {"spent_fen": 300000, "documents": [A_DOCUMENT]},
    },
    walks=(
        walk("main", f"applicant comment, {JUDGED}", "posted"),
        walk("paid and closed", f"{AWARDED}, {REACHED}, {BY_HAND}, {REACHED}, {BY_HAND}, applicant account", "closed"),
        walk("paid by the bank", f"{AWARDED}, {PAID}, {PAID}, applicant account", "closed", bank=True),
        walk(
            "spent less than was paid",
            f"{AWARDED}, {REACHED}, {BY_HAND}, {REACHED}, {BY_HAND}, applicant account",
            "closed",
            account={"spent_fen": 250000, "documents": [A_DOCUMENT]},
        ),
        walk("not good enough", JUDGED, "not_awarded", judge=LOW),
        walk("objected to and posted anew", f"{JUDGED}, clerk object, civil investigate", "posted"),
        walk(
            "objected to again beside the posting",
            f"{JUDGED}, clerk object, civil investigate, grid_worker object, street_officer investigate",
            "posted",
        ),
        walk("an objection upheld", f"{JUDGED}, clerk object, civil investigate", "not_awarded", investigate=UPHELD),
        walk(
            "a juror recuses",
            "street_officer accept, grid_worker judge, grid_worker recuse, street_officer judge, coordinator judge",
            "judging",
        ),
        walk(
            "a milestone that is not reached",
            f"{AWARDED}, clerk claim_milestone, street_officer verify_milestone",
            "running",
            verify_milestone={"passed": False, "finding": "扶手未固定"},
        ),
        walk(
            "another account",
            f"{AWARDED}, clerk change_account, street_officer confirm_account, admin replan",
            "running",
        ),
        walk("no other account", f"{AWARDED}, clerk change_account, street_officer refuse_account", "running"),
        walk(
            "paid again elsewhere",
            f"{AWARDED}, {REACHED}, (contest:payment:with_a_person), civil retry_payment, clerk confirm_account",
            "running",
            retry_payment={"account": "6222020000000000025"},
        ),
        walk("not paid by hand", f"{AWARDED}, {REACHED}, {DECLINED}", "running"),
        walk(
            "not due after all",
            f"{AWARDED}, {REACHED}, (contest:payment:with_a_person), civil settle_payment",
            "running",
            settle_payment={"how": "not_due", "reason": "项目方放弃本期款项"},
        ),
        walk("called off while it runs", f"{AWARDED}, civil cancel", "cancelled"),
        walk("rejected", "street_officer reject", "rejected"),
        walk("withdrawn", "grid_worker attach, applicant urge, applicant withdraw", "withdrawn"),
    ),
    stories={
        "paid by the bank": ("微项目入选,按里程碑拨付", "a project, selected and paid by milestones"),
        "an objection upheld": ("微项目公示异议成立", "an objection to a project is upheld"),
        "called off while it runs": ("微项目中途终止", "a project is called off"),
    },
    explained={"not good enough": {"contest:panel:concluded": "", "contest:not_awarded": ""}},
)
