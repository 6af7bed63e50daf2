"""`ecopark demo`: fills the past through the real path, then goes live, and counts at both ends.

Everything that it started ends with it.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from dashboards.viewer.alerts import Alerts
from dashboards.viewer.boards import Boards
from dashboards.viewer.server import Viewer
from dashboards.viewer.server import start as start_viewer
from ecopark.secretfiles import write_private
from metering.errors import OperatorError, UnavailableError
from metering.park import Park
from metering.parkfile import load_park
from proving.demo.baselines import freeze_baselines
from proving.demo.crew import Crew
from proving.demo.grafana import DemoGrafana, command
from proving.demo.plan import PUBLISHER, DemoPlan
from proving.demo.reports import write_reports
from proving.demo.screen import Scene, Where, draw
from proving.demo.tally import GatewaySide, computed, judged, refused, stored, used_today
from proving.plant.history import count
from proving.plant.malformed import malformed
from store.client import Store
from store.schema import OPERATOR_DATABASE
from wire.address import BrokerAddress
from wire.client import client_of
from wire.topics import Channel, topic

WITHOUT_TERMINAL_S = 60.0
VIEW_PORT = 3001
"""Port of the dashboards, unless it is in use."""
MONTHS_FOLLOW_S = 120.0
"""How long the demo waits for months to be compared with a new baseline; pages are complete then."""
NEARLY_DELIVERED = 8
"""Messages on the gateways' disks that are only those under way."""


Meanwhile = Callable[[str, str], Awaitable[None]]
"""What is done with the filled demo in place of watching it, by the addresses of its dashboards and its database."""


async def run_demo(
    folder: Path, *, days: int, seconds: float | None, as_json: bool, meanwhile: Meanwhile | None = None
) -> int:
    """Run the demo; returns the exit status, 1 where a reading was lost."""
    console = Console(stderr=as_json)
    if seconds is None and not sys.stdout.isatty():
        seconds = WITHOUT_TERMINAL_S
    plan = DemoPlan.of(folder, days, datetime.now(UTC))
    park = load_park(folder / "park.yaml")
    crew = Crew(folder, park, plan, usage=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    shell, publisher = folder / "env", folder / PUBLISHER
    try:
        await crew.start()
        write_private(publisher, _options(crew.broker.address))
        write_private(shell, "".join(f"export {name}={value}\n" for name, value in crew.environment.items()))
        async with (
            Store(crew.database.url) as store,
            _dashboards(
                folder, park, crew, store=store, console=console, how=None if meanwhile else command()
            ) as dashboards,
            _listening(park, crew) as gateways,
        ):
            demo = _Demo(
                folder,
                park,
                plan,
                crew=crew,
                store=store,
                gateways=gateways,
                console=console,
                stop=stop,
                dashboards=dashboards,
            )
            return await demo.run(seconds, as_json=as_json, meanwhile=meanwhile)
    finally:
        await crew.stop()
        shell.unlink(missing_ok=True)
        publisher.unlink(missing_ok=True)


def _options(address: BrokerAddress) -> str:
    """The operator's account as `mosquitto_pub` reads it from `$XDG_CONFIG_HOME`; everybody sees command lines."""
    return f"-h {address.host}\n-p {address.port}\n-u {address.user}\n-P {address.secret}\n"


@contextlib.asynccontextmanager
async def _dashboards(
    folder: Path, park: Park, crew: Crew, store: Store, console: Console, how: list[str] | None
) -> AsyncIterator[str]:
    """The address of the dashboards: Grafana's where there is a command for it, else those of `ecopark view`."""
    if how is not None:
        grafana = DemoGrafana(folder / "grafana", how, crew.database.url)
        grafana.start(park, datetime.now(park.zone).date())
        console.print(f"Dashboards, in Grafana: [bold]{grafana.url}[/]")
        try:
            yield grafana.url
        finally:
            await asyncio.to_thread(grafana.process.stop)
        return
    boards = await asyncio.to_thread(Boards, folder / "park.yaml", _now)
    application = Viewer(boards, store, OPERATOR_DATABASE, Alerts(store), _now).application(loopback=True)
    try:
        runner, address = await start_viewer(application, "127.0.0.1", VIEW_PORT)
    except OperatorError:
        runner, address = await start_viewer(application, "127.0.0.1", 0)
    console.print(f"Dashboards: [bold]{address}[/]")
    try:
        yield address
    finally:
        await runner.cleanup()


def _now() -> datetime:
    return datetime.now(UTC)


@contextlib.asynccontextmanager
async def _listening(park: Park, crew: Crew) -> AsyncIterator[GatewaySide]:
    side = GatewaySide(park, crew.broker.address)
    async with asyncio.TaskGroup() as tasks:
        ready = asyncio.Event()
        listening = tasks.create_task(side.run(ready))
        await ready.wait()
        yield side
        listening.cancel()


class _Demo:
    def __init__(
        self,
        folder: Path,
        park: Park,
        plan: DemoPlan,
        crew: Crew,
        store: Store,
        gateways: GatewaySide,
        console: Console,
        stop: asyncio.Event,
        dashboards: str,
    ) -> None:
        self._dashboards = dashboards
        self._folder = folder
        self._reports = folder / "reports"
        self._park = park
        self._plan = plan
        self._crew = crew
        self._store = store
        self._gateways = gateways
        self._console = console
        self._stop = stop
        self._since = datetime.fromtimestamp(plan.since / 1000, UTC)
        self._rate = 0.0

    async def run(self, seconds: float | None, *, as_json: bool, meanwhile: Meanwhile | None) -> int:
        stored_before = await stored(self._store, self._park, self._since)
        refused_before = await refused(self._store, self._park)
        self._crew.start_gateways(past=True)
        await self._fill()
        await self._usage_computed()
        if not self._reports.exists() and not self._stop.is_set():
            await self._freeze_baselines()
            await self._write_reports()
        await self._send_malformed()
        if meanwhile is None:
            await self._live(seconds)
        else:
            await meanwhile(self._dashboards, self._crew.database.url)
        await self._crew.stop_reading()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._gateways.until(lambda: self._gateways.all_offline), 5.0)
        came = await stored(self._store, self._park, self._since) - stored_before
        turned_away = await refused(self._store, self._park) - refused_before
        lost = max(self._gateways.read - came, 0)  # others may publish readings, too
        self._plan.model_copy(update={"since": time.time_ns() // 1_000_000}).save(self._folder)
        if as_json:
            result = {
                "published": self._gateways.read,
                "stored": came,
                "refused": turned_away,
                "lost": lost,
                "readings_per_s": round(self._rate, 1),
            }
            sys.stdout.write(json.dumps(result) + "\n")
        else:
            self._console.print(f"{self._gateways.read:,} readings taken, {came:,} stored, {lost:,} lost.")
        return 1 if lost else 0

    async def _fill(self) -> None:
        """Wait until the gateways have delivered what lies behind them; a bar shows how far they are."""
        now = datetime.now(UTC)
        expected, plant = 0, self._plan.plant(self._park)
        for gateway in self._park.gateways:  # one after the other: side by side they would starve the dashboards
            expected += await asyncio.to_thread(count, plant, gateway.id, self._since, now)
        began = time.monotonic()
        with Progress(
            TextColumn("Filling the past"),
            BarColumn(),
            TaskProgressColumn(),
            MofNCompleteColumn(),
            TextColumn("readings"),
            TimeRemainingColumn(),
            console=self._console,
        ) as progress:
            bar = progress.add_task("fill", total=expected)
            while not self._stop.is_set():
                self._check()
                delivered = await stored(self._store, self._park, self._since)
                progress.update(bar, completed=min(delivered, expected))
                if self._gateways.read >= expected and self._gateways.spooled <= NEARLY_DELIVERED:
                    break
                await self._pause(1.0)
        self._rate = expected / max(time.monotonic() - began, 0.001)

    async def _usage_computed(self) -> None:
        """Wait until the usage service has taken in everything that is stored now."""
        filled = time.time_ns() // 1_000_000
        with self._console.status("Computing what was used"):
            while not self._stop.is_set() and await computed(self._store, self._park) < filled:
                self._check()
                await self._pause(0.5)

    async def _freeze_baselines(self) -> None:
        """After the first fill: give tenants a baseline where one fits, and wait until it is in use."""
        file, first = self._folder / "park.yaml", self._plan.start.astimezone(self._park.zone).date()
        frozen = await freeze_baselines(self._store, self._park, file, first, self._plan.days)
        if frozen:
            self._console.print(f"Baselines: {', '.join(frozen)}")
            await self._usage_computed()
            until = time.monotonic() + MONTHS_FOLLOW_S
            while not self._stop.is_set() and time.monotonic() < until and not await judged(self._store, self._park):
                self._check()
                await self._pause(0.5)

    async def _write_reports(self) -> None:
        """Write this month's reports in both languages after the first fill, and say where they are."""
        self._reports.mkdir()
        today = datetime.now(self._park.zone).date()
        for file in await write_reports(self._store, self._park, self._reports, today):
            self._console.print(f"Report: {file}")

    async def _send_malformed(self) -> None:
        """Publish what must be refused, as some device in the field would."""
        address = self._crew.broker.address
        async with client_of(address) as client:
            for message in malformed(self._park, time.time_ns() // 1_000_000):
                await client.publish(topic(self._park.id, message.gateway, Channel.READINGS), message.payload, qos=1)

    async def _live(self, seconds: float | None) -> None:
        until = None if seconds is None else time.monotonic() + seconds
        where = Where(
            self._dashboards, self._reports, self._crew.broker.url, self._crew.database.url, shell=self._folder / "env"
        )
        scene = Scene()
        before = (time.monotonic(), self._gateways.read)
        with Live(draw(self._park, scene, where), console=self._console, refresh_per_second=2) as screen:
            while not self._stop.is_set() and (until is None or time.monotonic() < until):
                self._check()
                now = (time.monotonic(), self._gateways.read)
                try:
                    scene = await self._scene((now[1] - before[1]) / max(now[0] - before[0], 0.001))
                except UnavailableError as error:
                    scene.trouble = str(error)
                before = now
                screen.update(draw(self._park, scene, where))
                await self._pause(2.0 if until is None else min(2.0, max(until - time.monotonic(), 0.0)))
        if not self._console.is_terminal:  # Rich ends the last picture with a new line on a terminal only.
            self._console.line()

    async def _scene(self, rate: float) -> Scene:
        midnight = datetime.now(self._park.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return Scene(
            read=self._gateways.read,
            stored=await stored(self._store, self._park, self._since),
            refused=await refused(self._store, self._park),
            spooled=self._gateways.spooled,
            readings_per_s=rate,
            today=await used_today(self._store, self._park, midnight),
        )

    def _check(self) -> None:
        fallen = self._crew.fallen()
        if fallen is not None:
            raise OperatorError(f"{fallen.name} has ended with status {fallen.status}; see {fallen.log}")

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
