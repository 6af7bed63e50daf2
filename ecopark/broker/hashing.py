"""Password hashes as mosquitto stores them: `$7$rounds$salt$hash`, PBKDF2 with SHA-512.

Done here and not by `mosquitto_passwd -U`: that program hashes hashes when it is run twice, and it is missing where the
command runs when the broker is a container. The passwords are 192 random bits, so the number of rounds (mosquitto's
default) does not matter for them; more would only slow down the broker when a thousand gateways reconnect at once.
"""

import base64
import hashlib
import hmac
import os

_ROUNDS = 101
_SALT_BYTES = 12
_KEY_BYTES = 64
_PARTS = 5
_SCHEME = "7"


def hashed(password: str) -> str:
    """The second half of a line in mosquitto's `password_file`, with a new salt."""
    return _line(password, os.urandom(_SALT_BYTES), _ROUNDS)


def matches(password: str, known: str) -> bool:
    """Whether a hash is of this password; false for a malformed hash."""
    parts = known.split("$")
    if len(parts) != _PARTS or parts[1] != _SCHEME or not parts[2].isdigit() or int(parts[2]) == 0:
        return False
    try:
        salt = base64.b64decode(parts[3], validate=True)
    except ValueError:
        return False
    return hmac.compare_digest(_line(password, salt, int(parts[2])), known)


def _line(password: str, salt: bytes, rounds: int) -> str:
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, _KEY_BYTES)
    return "$".join(("", _SCHEME, str(rounds), base64.b64encode(salt).decode(), base64.b64encode(key).decode()))
