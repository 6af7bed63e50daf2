"""A lasting failure is logged when it begins, now and then while it lasts, and when it is over."""

import logging

import pytest

from running.trouble import Trouble


def test_a_lasting_failure_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    trouble = Trouble(logging.getLogger("test"), "disk", lambda: now, every_s=100)
    trouble.over()
    for second in range(150):
        now = float(second)
        trouble.happened("full")
    trouble.happened("broken")
    now = 200.0
    trouble.over()
    trouble.over()
    assert caplog.messages == [
        "disk: full",
        "disk: full (101 times in 100 s)",
        "disk: broken (151 times in 149 s)",
        "disk: recovered after 200 s",
    ]
