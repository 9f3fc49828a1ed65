import io
import re

import pytest

from localstack.errors import HarnessError
from localstack.progress import Progress


def test_a_step_is_numbered_and_timed():
    output = io.StringIO()
    progress = Progress(2, output)

    with progress.step("Emulator") as step:
        step.detail = "port 1"

    assert re.fullmatch(r"\[1/2\] Emulator … ready in 0\.\d s \(port 1\)\n", output.getvalue())


def test_a_failing_step_shows_the_end_of_its_log(tmp_path):
    log = tmp_path / "mariadb.log"
    log.write_text("".join(f"line {number}\n" for number in range(100)))
    output = io.StringIO()

    with pytest.raises(HarnessError), Progress(1, output).step("MariaDB"):
        raise HarnessError("it ended with status 1", log)

    text = output.getvalue()
    assert "[1/1] MariaDB … FAILED" in text
    assert f"  The last lines of {log}:\n" in text
    assert "    line 99" in text
    assert "line 74\n" not in text
