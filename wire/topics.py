"""MQTT topics: `ecopark/v1/{park}/{gateway}/{channel}`."""

import hashlib
import hmac
from enum import StrEnum
from typing import NamedTuple

ROOT = "ecopark/v1"


class Channel(StrEnum):
    """What a gateway sends and receives."""

    READINGS = "readings"
    STATUS = "status"
    RECEIPTS = "receipts"
    REFUSALS = "refusals"


CHANNELS = frozenset(channel.value for channel in Channel)


class Topic(NamedTuple):
    """A topic, taken apart."""

    park: str
    gateway: str
    channel: Channel

    def __str__(self) -> str:
        return topic(self.park, self.gateway, self.channel)


def topic(park: str, gateway: str, channel: Channel) -> str:
    """Topic of one gateway's channel; `+` for `park` or `gateway` makes it a filter."""
    return f"{base(park, gateway)}/{channel.value}"


def base(park: str, gateway: str) -> str:
    """The common prefix of a gateway's topics."""
    return f"{ROOT}/{park}/{gateway}"


def parse(text: str) -> Topic | None:
    """Take a topic apart; None where it is not one of ours."""
    parts = text.removeprefix(f"{ROOT}/").split("/")
    if not text.startswith(f"{ROOT}/") or len(parts) != len(Topic._fields):
        return None
    park, gateway, channel = parts
    return Topic(park, gateway, Channel(channel)) if channel in CHANNELS else None


def ingester(instance: str) -> str:
    """Topic on which an ingester says, retained, that it is there; `+` for all of them."""
    return f"{ROOT}/ingesters/{instance}"


def shared(secret: str | None, pattern: str) -> str:
    """The ingesters' shared subscription to `pattern`, named by an HMAC of their account's password.

    A broker distributes messages to everybody who subscribes under the share's name, and some brokers cannot forbid a
    subscription: without the password nobody can guess the name. Where ingesters have no password, the share is called
    `ingest`.
    """
    name = "ingest" if not secret else hmac.new(secret.encode(), b"ecopark share", hashlib.sha256).hexdigest()[:32]
    return f"{_SHARE}{name}/{pattern}"


def is_shared(pattern: str) -> bool:
    """Whether a topic filter is that of a shared subscription."""
    return pattern.startswith(_SHARE)


_SHARE = "$share/"
