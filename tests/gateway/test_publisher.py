"""Receipts, repeats and lost connections, on a real broker."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.gateway.conftest import Feed, Rig
    from wire.messages import Reading

    Until = Callable[..., Awaitable[None]]
    Make = Callable[..., list[Reading]]


async def test_what_the_source_yields_is_published_and_forgotten_by_its_receipt(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    receiver = await rig.listen()
    running = rig.start(feed)
    feed.put(readings(0, 3))
    await until(lambda: receiver.stored == {0, 1, 2})
    await until(lambda: receiver.statuses and receiver.statuses[-1].spooled == 0)
    counts = await running.end()
    assert (counts.read, counts.appended, counts.published, counts.confirmed) == (3, 3, 3, 3)
    assert (counts.resent, counts.discarded) == (0, 0)


async def test_without_a_receipt_it_is_kept_and_sent_again(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    receiver = await rig.listen()
    receiver.answer = lambda name, times: [name] if times == 3 else []
    running = rig.start(feed)
    feed.put(readings(0))
    await until(lambda: len(receiver.came) == 3)
    assert len(set(receiver.came)) == 1
    await until(lambda: receiver.statuses[-1].spooled == 0)
    assert (await running.end()).resent == 2


async def test_a_broker_that_loses_its_memory_loses_no_reading(
    rig: "Rig", feed: "Feed", until: "Until", readings: "Make"
) -> None:
    receiver = await rig.listen()
    running = rig.start(feed)
    for first in range(0, 200, 10):
        feed.put(readings(first, 10))
        if first == 100:
            rig.broker.process.kill()
            rig.broker.forget()
            feed.put(readings(1_000, 5))
            await rig.broker.start()
    await until(lambda: receiver.stored == {*range(200), *range(1_000, 1_005)})
    await until(lambda: bool(receiver.statuses) and receiver.statuses[-1].spooled == 0)
    await running.end()
