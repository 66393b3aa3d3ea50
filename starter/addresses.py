"""The addresses of the API that are no procedure's, in the order in which they are described."""

from fastapi import APIRouter

from starter import incident_batch, whistle_indicators
from starter.auditors import audit, audit_records, case_export, decodings
from starter.cases import alike, inbox, indicators, public, similar
from starter.counterparts import banks, reconciliations
from starter.intake import categories, command_forms, operations, public_notices


def own_routers() -> tuple[APIRouter, ...]:
    """All of them. Before `cases.router`: its `/{case_id}` would take `/export` for a case."""
    return (
        incident_batch.router,
        inbox.router,
        case_export.router,
        similar.router,
        alike.router,
        categories.router,
        command_forms.router,
        indicators.router,
        whistle_indicators.router,
        public.router,
        public_notices.router,
        banks.router,
        reconciliations.router,
        audit.router,
        audit_records.router,
        decodings.router,
        operations.router,
    )
