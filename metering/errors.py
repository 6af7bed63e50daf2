"""What happens after a failure depends on whose it is, so there are exactly three kinds.

* the data's: not an exception but a `Refusal` (see `wire.messages`): it is recorded, and work continues;

* the other side's: `UnavailableError`: wait and try again, the data is kept;

* the operator's: `OperatorError`: report what to do, keep the data, exit 2 where nothing can continue.
"""


class UnavailableError(Exception):
    """The other side does not answer as it should; waiting may help.

    `retry_after` is the pause in seconds that the other side asked for, if any.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class OperatorError(Exception):
    """Something only a person can fix; the message says what happened, where, and what to do."""


def first_error(error: BaseException) -> BaseException:
    """The error itself, or the first one in a group, however deep."""
    return first_error(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
