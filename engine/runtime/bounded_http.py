"""One question to a system that a setting names, such as the issuer of tokens: answered soon and in few bytes, or not at all."""

import asyncio
from collections.abc import Mapping

import httpx

PATIENCE_SECONDS = 3.0


async def ask(
    url: str,
    *,
    longest: int,
    content: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    within: float = PATIENCE_SECONDS,
) -> tuple[int, bytes]:
    """Status and body of the answer. No redirect is followed and no proxy asked.

    Args:
        url: whom to ask.
        longest: bytes of an answer at the most.
        content: what is posted; without it the question is a GET.
        headers: besides `Accept: application/json`.
        within: real seconds for all of it; httpx alone limits each read, so an answer in drops would have no end.

    Raises:
        httpx.HTTPError: nobody could be reached.
        TimeoutError: no whole answer in time.
        ValueError: the answer is too long.
    """
    async with (
        asyncio.timeout(within),
        httpx.AsyncClient(follow_redirects=False, trust_env=False) as client,
        client.stream(
            "GET" if content is None else "POST",
            url,
            content=content,
            headers={"Accept": "application/json", **(headers or {})},
        ) as answer,
    ):
        body = bytearray()
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > longest:
                raise ValueError("too long")
        return answer.status_code, bytes(body)
