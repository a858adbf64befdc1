"""Headless Chromium, for what only a browser can tell of a page: one call, without a package of its own."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed, so what scripts do was not tried"
)


def evaluated(page: Path, script: str, profile: Path) -> Any:
    """Open a page, run the body of a function in it, and return what that returns, as JSON.

    The page must let scripts run; what it holds after loading is what `script` sees.
    """
    run = f"window.addEventListener('load', () => {{ const found = (() => {{ {script} }})();"
    write = "const pre = document.createElement('pre'); pre.id = 'found'; pre.append(JSON.stringify(found));"
    text = page.read_text(encoding="utf-8")
    tried = page.with_name(f"tried-{page.name}")
    tried.write_text(
        text.replace("</body>", f"<script>{run}{write} document.body.append(pre); }});</script></body>"),
        encoding="utf-8",
    )
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={profile}",
        "--dump-dom",
    ]
    done = subprocess.run(
        [*command, tried.as_uri()], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    found = re.search(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(html.unescape(found[1]))
