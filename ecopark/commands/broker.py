"""`ecopark broker`: the broker's accounts, rules, configuration and certificates, from the park files."""

import json
from pathlib import Path
from typing import Annotated

import typer

from ecopark.broker.accounts import wanted
from ecopark.broker.certificates import today, write_certificates
from ecopark.broker.configuration import Listener, Listeners
from ecopark.broker.files import BrokerPlace, account_file, write_accounts
from ecopark.commands import AsJson
from ecopark.secretfiles import hand_out
from ecopark.settings import read_settings
from metering.parkfile import load_parks

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="The broker's accounts, rules and certificates, from the park files.",
)

Folder = Annotated[Path, typer.Option("--dir", help="The broker's folder.")]


@app.command(epilog="Example: ECOPARK_PARK=parks ecopark broker accounts --dir broker --url mqtts://broker.example")
def accounts(
    folder: Folder = Path("broker"),
    url: Annotated[str, typer.Option(help="Where gateways find the broker, without user.")] = "mqtt://127.0.0.1:1883",
    inner_url: Annotated[
        str, typer.Option(help="Where ingesters and the operator find it, without user.")
    ] = "mqtt://127.0.0.1:1884",
    port: Annotated[int, typer.Option(min=0, max=65535, help="For gateways without TLS; 0 for nowhere.")] = 1883,
    bind: Annotated[str, typer.Option(help="Address of --port; empty for all.")] = "127.0.0.1",
    tls_port: Annotated[int, typer.Option(min=0, max=65535, help="For gateways with TLS; 0 for nowhere.")] = 0,
    tls_bind: Annotated[str, typer.Option(help="Address of --tls-port; empty for all.")] = "",
    inner_port: Annotated[int, typer.Option(min=1, max=65535, help="For ingesters and the operator.")] = 1884,
    inner_bind: Annotated[
        str, typer.Option(help="Address of --inner-port; empty for all, and then publish it to nobody.")
    ] = "127.0.0.1",
    seen: Annotated[Path | None, typer.Option(help="The folder as the broker sees it, if elsewhere.")] = None,
    given: Annotated[
        Path | None, typer.Option("--hand-out", help="Copy accounts/NAME.env into each folder NAME that is here.")
    ] = None,
    data: Annotated[Path, typer.Option(help="Where the broker keeps its sessions.")] = Path("/var/lib/mosquitto"),
    hear: Annotated[
        list[str] | None,
        typer.Option(help="PARK.GATEWAY that may publish on any topic but Ecopark's, until the next run."),
    ] = None,
    *,
    identity: Annotated[bool, typer.Option("--client-certificates", help="On TLS they replace passwords.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Remove accounts of gateways that are gone.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write mosquitto's password files, ACLs and configuration, and a file with its own URL for each client.

    Passwords that exist stay. No password is ever shown: give each client its file, accounts/NAME.env.
    """
    parks = load_parks(read_settings().park).values()
    listeners = Listeners(
        plain=Listener(port, bind),
        tls=Listener(tls_port, tls_bind),
        inner=Listener(inner_port, inner_bind),
        identity=identity,
    )
    place = BrokerPlace(folder, (seen or folder).absolute(), data, url, inner_url)
    outcome = write_accounts(parks, place, listeners, prune=prune, heard=hear or ())
    if given is not None:
        hand_out((account_file(folder, name) for name in (*outcome.added, *outcome.kept)), given)
    if as_json:
        names = ("added", "kept", "stale", "removed", "changed")
        typer.echo(json.dumps({name: getattr(outcome, name) for name in names}))
        return
    for what, accounts in (("added", outcome.added), ("removed", outcome.removed)):
        for name in accounts:
            typer.echo(f"{what} {name}")
    for name in outcome.stale:
        typer.echo(f"{name} is in no park file any more; remove it with --prune")
    typer.echo(f"{len(outcome.added) + len(outcome.kept)} accounts in {folder}.")
    for name in hear or ():
        typer.echo(f"{name} may publish on any topic but Ecopark's; run this again without --hear once it is known.")
    if outcome.changed:
        typer.echo(
            "A broker that runs reads accounts, rules and revoked certificates at SIGHUP, and disconnects whom they "
            "exclude; it reads its listeners and its own certificate when it starts."
        )


@app.command(epilog="Example: ECOPARK_PARK=parks ecopark broker certificates --host broker.example --host 10.0.0.7")
def certificates(
    host: Annotated[list[str], typer.Option(help="A name or address by which clients find the broker; repeat it.")],
    folder: Folder = Path("broker"),
    *,
    clients: Annotated[bool, typer.Option("--clients", help="Also one for each account.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a certificate authority where there is none, the broker's certificate, and if wanted the clients'.

    Run it again to renew what ends within a month. Clients are to trust tls/ca.pem.
    """
    names = wanted(load_parks(read_settings().park).values()) if clients else []
    made = [str(file) for file in write_certificates(folder, host, names, today())]
    if as_json:
        typer.echo(json.dumps({"made": made}))
        return
    for file in made:
        typer.echo(f"made {file}")
    if not made:
        typer.echo("All certificates are good for another month at least.")
