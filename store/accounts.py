"""InfluxQL that administers databases, accounts and grants of InfluxDB 1.x."""

from store.select import name, text


def databases() -> str:
    """A query for the databases; its column is `name`."""
    return "SHOW DATABASES"


def drop_database(database: str) -> str:
    """Drops a database with all it holds."""
    return f"DROP DATABASE {name(database)}"


def users() -> str:
    """A query for the accounts; its columns are `user` and `admin`."""
    return "SHOW USERS"


def make_user(user: str, secret: str) -> str:
    """Makes an account without rights."""
    return f"CREATE USER {name(user)} WITH PASSWORD {text(secret)}"


def set_password(user: str, secret: str) -> str:
    """Gives an account another password."""
    return f"SET PASSWORD FOR {name(user)} = {text(secret)}"


def no_administrator(user: str) -> str:
    """Takes an administrator's rights from an account."""
    return f"REVOKE ALL PRIVILEGES FROM {name(user)}"


def drop_user(user: str) -> str:
    """Drops an account with its grants."""
    return f"DROP USER {name(user)}"


def grants(user: str) -> str:
    """A query for an account's grants; its columns are `database` and `privilege`."""
    return f"SHOW GRANTS FOR {name(user)}"


def grant(privilege: str, database: str, user: str) -> str:
    """Grants `READ`, `WRITE` or `ALL PRIVILEGES` on a database, in place of what was granted there before."""
    return f"GRANT {privilege} ON {name(database)} TO {name(user)}"


def revoke(database: str, user: str) -> str:
    """Takes every right on a database from an account."""
    return f"REVOKE ALL PRIVILEGES ON {name(database)} FROM {name(user)}"
