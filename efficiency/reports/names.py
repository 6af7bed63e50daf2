"""Utilities and bands as reports name and colour them; the same colours as on the dashboards."""

from typing import Final

from metering.model import Localized
from metering.quantities import Utility
from metering.tariffs import Band

UTILITY_LABEL: Final = {
    Utility.ELECTRICITY: Localized(en="Electricity", vi="Điện"),
    Utility.WATER: Localized(en="Water", vi="Nước cấp"),
    Utility.WASTEWATER: Localized(en="Wastewater", vi="Nước thải"),
    Utility.STEAM: Localized(en="Steam", vi="Hơi"),
    Utility.NATURAL_GAS: Localized(en="Natural gas", vi="Khí thiên nhiên"),
    Utility.COMPRESSED_AIR: Localized(en="Compressed air", vi="Khí nén"),
    Utility.CHILLED_WATER: Localized(en="Chilled water", vi="Nước lạnh"),
    Utility.PRODUCTION: Localized(en="Output", vi="Sản lượng"),
}

UTILITY_COLOUR: Final = {
    Utility.ELECTRICITY: "#BD8A09",
    Utility.WATER: "#2F72D6",
    Utility.WASTEWATER: "#8C6D46",
    Utility.STEAM: "#D9662B",
    Utility.NATURAL_GAS: "#8F4FBF",
    Utility.COMPRESSED_AIR: "#3E9C94",
    Utility.CHILLED_WATER: "#289DCF",
    Utility.PRODUCTION: "#6B7785",
}

BAND_LABEL: Final = {
    Band.OFF_PEAK: Localized(en="off-peak hours", vi="giờ thấp điểm"),
    Band.NORMAL: Localized(en="normal hours", vi="giờ bình thường"),
    Band.PEAK: Localized(en="peak hours", vi="giờ cao điểm"),
    Band.ALL: Localized(en="one price", vi="một giá"),
}

BAND_COLOUR: Final = {
    Band.OFF_PEAK: "#4C8F5B",
    Band.NORMAL: "#BD8A09",
    Band.PEAK: "#C2452D",
    Band.ALL: "#BD8A09",
}

SOLAR: Final = "#5CA339"
GOOD: Final = "#3B9A4B"
WARN: Final = "#D57E19"
BAD: Final = "#D1323C"
NEUTRAL: Final = "#6B7785"
INK: Final = "#1C2430"
FAINT: Final = "#D7DCE2"

MILLION_VND: Final = "10⁶ ₫"

UNITS: Final = {
    MILLION_VND: Localized(en="million ₫", vi="triệu đồng"),
}
"""Units that are words."""
