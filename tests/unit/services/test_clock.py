from datetime import UTC, datetime, timedelta

from chalicelib.services.clock import utc_now


def test_the_time_has_its_zone_and_advances_with_the_clock_of_the_machine() -> None:
    before = datetime.now(UTC)
    assert before <= utc_now() <= datetime.now(UTC)
    assert utc_now().utcoffset() == timedelta(0)
