"""What a gateway has done since it started, counted at its own side of the wire."""

from metering.model import Count, Model


class Counts(Model):
    """All but `resent` count readings; `resent` counts messages that were sent again.

    `read` by the source, `appended` to the spool, `published` (the broker has acknowledged them, for the first time),
    `confirmed` (forgotten, because the database or with `confirm: broker` the broker has them), `discarded` (given
    up: the spool was full, or the disk did not take them; counted over the life of the spool file).
    """

    read: Count = 0
    appended: Count = 0
    published: Count = 0
    confirmed: Count = 0
    discarded: Count = 0
    resent: Count = 0
