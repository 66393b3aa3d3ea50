"""A headless Chromium for looking at pages as a person would, where the machine has one: by its own DevTools protocol."""

import asyncio
import base64
import itertools
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.waiting import eventually

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--no-proxy-server", "--remote-debugging-port=0",
)  # fmt: skip

_READ = """[document, ...[...document.querySelectorAll('iframe')].map(frame => frame.contentDocument)]
    .map(page => page && page.body ? page.body.innerText : '').join('\\n')"""


class PageGone(Exception):
    """The browser has gone to another page while it was asked about this one."""


class Page:
    """One page of the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)

    async def open(self, url: str) -> None:
        """Go there."""
        await self._call("Page.navigate", url=url)

    async def size(self, width: int, height: int) -> None:
        """Make the window so many pixels large."""
        await self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def run(self, script: str) -> Any:
        """What an expression of JavaScript gives in the page."""
        answer = await self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    async def text(self) -> str:
        """What a person can read on the page now, the frames in it included; nothing while it goes to another page."""
        try:
            return str(await self.run(_READ))
        except PageGone:
            return ""

    async def picture(self, file: Path) -> None:
        """Save what the window shows, as PNG."""
        answer = await self._call("Page.captureScreenshot", format="png")
        await asyncio.to_thread(file.write_bytes, base64.b64decode(answer["data"]))

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(await self._socket.recv())
            if message.get("id") == number:
                if "navigated" in message.get("error", {}).get("message", ""):
                    raise PageGone
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                return dict(message["result"])


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own in an empty folder, at an empty page; it ends with the block."""
    assert PROGRAM is not None
    process = await asyncio.create_subprocess_exec(
        PROGRAM,
        *FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await eventually(lambda: bool(_address(folder)), within=30)
        address = _address(folder)
        async with connect(address, max_size=None, open_timeout=60) as front:
            target = await _first_page(front)
        base = address.partition("/devtools/")[0]
        async with connect(f"{base}/devtools/page/{target}", max_size=None, open_timeout=60) as socket:
            yield Page(socket)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _first_page(front: ClientConnection) -> str:
    """The page that the browser opens; it may listen a moment before it has one."""
    for number in itertools.count(1):
        await front.send(json.dumps({"id": number, "method": "Target.getTargets"}))
        targets = json.loads(await front.recv())["result"]["targetInfos"]
        pages = [str(each["targetId"]) for each in targets if each["type"] == "page"]
        if pages:
            return pages[0]
    raise AssertionError("counting has no end")


def _address(folder: Path) -> str:
    """Where the browser listens; it writes that down once it does. Empty before."""
    file = folder / "DevToolsActivePort"
    lines = file.read_text().split() if file.exists() else []
    return f"ws://127.0.0.1:{lines[0]}{lines[1]}" if len(lines) > 1 else ""
