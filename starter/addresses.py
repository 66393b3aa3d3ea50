"""The addresses of the API that are no procedure's, in the order in which they are described."""

from fastapi import APIRouter

from starter import (
    alike,
    audit,
    audit_records,
    banks,
    case_export,
    categories,
    command_forms,
    decodings,
    inbox,
    incident_batch,
    indicators,
    operations,
    procedure_indicators,
    public,
    public_notices,
    reconciliations,
    similar,
    whistle_indicators,
)


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
        procedure_indicators.router,
        public.router,
        public_notices.router,
        banks.router,
        reconciliations.router,
        audit.router,
        audit_records.router,
        decodings.router,
        operations.router,
    )
