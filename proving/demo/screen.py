"""What the demo shows in the terminal: how the path is doing, and what each tenant has used today."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from metering.park import Park
from metering.quantities import UTILITIES, Utility


@dataclass(slots=True)
class Scene:
    """The state that is drawn. `today`: use by tenant and utility, in the utility's unit. `trouble`: why it is old."""

    read: int = 0
    stored: int = 0
    refused: int = 0
    spooled: int = 0
    readings_per_s: float = 0.0
    today: Mapping[tuple[str, str], float] = field(default_factory=dict)
    trouble: str = ""


_SHOWN = (
    Utility.ELECTRICITY,
    Utility.WATER,
    Utility.WASTEWATER,
    Utility.STEAM,
    Utility.NATURAL_GAS,
    Utility.COMPRESSED_AIR,
    Utility.CHILLED_WATER,
)


def draw(park: Park, scene: Scene, where: str) -> RenderableType:
    """Draw the scene."""
    path = Table.grid(padding=(0, 3))
    path.add_row(
        f"[bold]{scene.readings_per_s:,.0f}[/] readings/s",
        f"read [bold]{scene.read:,}[/]",
        f"stored [bold]{scene.stored:,}[/]",
        f"refused [bold]{scene.refused:,}[/]",
        f"on gateways' disks [bold]{scene.spooled:,}[/] messages",
    )
    use = Table(title="Use today", title_justify="left")
    use.add_column("Tenant", no_wrap=True, max_width=28)
    for utility in _SHOWN:
        use.add_column(f"{utility.value.replace('_', ' ')}\n{UTILITIES[utility].unit}", justify="right")
    for tenant in park.tenants:
        amounts = (scene.today.get((tenant.id, utility.value)) for utility in _SHOWN)
        use.add_row(tenant.id, *("" if amount is None else f"{amount:,.1f}" for amount in amounts))
    return Group(Text(f"{park.park.name.en}   {where}"), path, Text(scene.trouble, style="yellow"), use)
