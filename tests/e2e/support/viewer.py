"""Drives OHIF in a headless Chromium as a user would, and records errors of the page."""

import base64
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from urllib.parse import urlencode

import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

# WebGL in software, as test machines have no graphics card. No sandbox, as it does not start for root.
_CHROMIUM_OPTIONS = [
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
# The tour for first users covers the viewer.
_NO_TOUR = "localStorage.setItem('shownTours', JSON.stringify(['basicViewerTour']))"
_CANVAS = "canvas.cornerstone-canvas"
_TIMEOUT_MILLISECONDS = 60_000


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run Debian's Chromium; Playwright's own is in no package registry."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@dataclass
class Viewer:
    """One page of the viewer; `faults` holds failed requests, errors of the console and uncaught exceptions."""

    page: Page
    root: str
    faults: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(_TIMEOUT_MILLISECONDS)
        self.page.add_init_script(_NO_TOUR)
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("response", self._check_response)
        self.page.on("requestfailed", self._add_failed_request)
        self.page.on("console", self._check_console)
        self.page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))

    def list_studies(self, patient_name: str) -> None:
        """Open the study list with this filter, and wait for the row."""
        self.page.goto(f"{self.root}?{urlencode({'patientName': patient_name})}")
        row = self.page.locator("tr", has_text=patient_name).first
        expect(row).to_be_visible(timeout=_TIMEOUT_MILLISECONDS)

    def open_study(self, study_instance_uid: str) -> None:
        """Open a study, and wait until its first image is drawn."""
        self.page.goto(f"{self.root}viewer?{urlencode({'StudyInstanceUIDs': study_instance_uid})}")
        self.page.wait_for_function(
            f"""() => {{
                const canvas = document.querySelector('{_CANVAS}');
                if (!canvas || !canvas.width) return false;
                const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                for (let i = 4; i < data.length; i += 4) if (data[i] !== data[0]) return true;
                return false;
            }}""",
            timeout=_TIMEOUT_MILLISECONDS,
        )

    def drawn_image(self) -> Image.Image:
        """Return the image in the first viewport in grey levels, without the overlay of texts."""
        url = self.page.locator(_CANVAS).first.evaluate("canvas => canvas.toDataURL('image/png')")
        return Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))).convert("L")

    def _check_response(self, response: Response) -> None:
        if response.status >= 400:
            self.faults.append(f"{response.status} {response.request.method} {response.url}")

    def _add_failed_request(self, request: Request) -> None:
        # Leaving a page aborts its pending requests.
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.failure} {request.method} {request.url}")

    def _check_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.faults.append(f"console: {message.text}")
