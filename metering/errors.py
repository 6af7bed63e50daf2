"""Whose fault a failure is decides what happens next, so there are exactly three kinds.

* the data's: not an exception but a `Refusal` (see `wire.messages`): recorded, and the work goes on;
* the other side's: `UnavailableError`: wait and try again, the data is kept;
* the operator's: `OperatorError`: say loudly what to do, keep the data, exit 2 where nothing can go on.
"""


class UnavailableError(Exception):
    """The other side does not answer as it should; waiting may help.

    `retry_after` is the pause in seconds that the other side asked for, if it did.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OperatorError(Exception):
    """Something only a person can mend; the message says what happened, where, and what to do."""
