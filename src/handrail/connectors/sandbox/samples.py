"""The sample shop: customers, orders and what happened before. All of it is invented."""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = [
    "CREDITS",
    "CUSTOMERS",
    "ORDERS",
    "REFUNDS",
]


class _Customer(NamedTuple):
    """A customer of the sample shop."""

    id: str
    name: str
    email: str
    phone: str
    address: str
    plan: str
    status: str
    payout_account: str


class _Order(NamedTuple):
    """An order of the sample shop; without a `method` it was never paid."""

    id: str
    customer: str
    items: str
    total_minor: int
    currency: str
    status: str
    days_ago: int
    method: str | None


class _Refund(NamedTuple):
    """A refund from before."""

    id: str
    order: str
    minor: int
    reason: str
    days_ago: int


class _Credit(NamedTuple):
    """A store credit from before, still unspent."""

    id: str
    customer: str
    minor: int
    currency: str
    reason: str
    days_ago: int


CUSTOMERS: Final = (
    _Customer(
        "C-1001",
        "Dana Whitfield",
        "dana.whitfield@example.com",
        "+1 555 0101",
        "14 Alder Lane, Portland, OR 97201, USA",
        "standard",
        "active",
        "US00 TEST 0000 4410",
    ),
    _Customer(
        "C-1002",
        "Marcus Oyelaran",
        "marcus.oyelaran@example.com",
        "+1 555 0102",
        "302 Cherry Street, Apt 5, Columbus, OH 43201, USA",
        "standard",
        "active",
        "US00 TEST 0000 7723",
    ),
    _Customer(
        "C-1003",
        "Priya Raman",
        "priya.raman@example.com",
        "+1 555 0103",
        "88 Kestrel Court, Austin, TX 78701, USA",
        "plus",
        "active",
        "US00 TEST 0000 1865",
    ),
    _Customer(
        "C-1004",
        "Tom Lindqvist",
        "tom.lindqvist@example.com",
        "+1 555 0104",
        "7 Harbor View, Duluth, MN 55802, USA",
        "standard",
        "active",
        "US00 TEST 0000 5032",
    ),
    _Customer(
        "C-1005",
        "Northgate Robotics (Elena Fuchs)",
        "elena.fuchs@northgate.test",
        "+1 555 0105",
        "Unit 12, 900 Foundry Road, Pittsburgh, PA 15212, USA",
        "business",
        "active",
        "US00 TEST 0000 9098",
    ),
    _Customer(
        "C-1006",
        "佐藤 遥",
        "haruka.sato@example.com",
        "+81 3 5550 0106",
        "東京都台東区見本町 1-2-3",
        "standard",
        "active",
        "JP00 TEST 0000 3307",
    ),
    _Customer(
        "C-1007",
        "ليلى حداد",
        "layla.haddad@example.com",
        "+44 20 5550 0107",
        "21 Rowan Terrace, Leeds LS1 1AA, United Kingdom",
        "plus",
        "active",
        "GB00 TEST 0000 6614",
    ),
    _Customer(
        "C-1008",
        "Grace Mbeki",
        "grace.mbeki@example.com",
        "+353 1 555 0108",
        "5 Quarry Row, Dublin D02 X285, Ireland",
        "standard",
        "active",
        "IE00 TEST 0000 2249",
    ),
    _Customer(
        "C-1009",
        "Oliver Penhaligon",
        "oliver.penhaligon@example.com",
        "+44 20 5550 0109",
        "3 Mill Cottages, Truro TR1 2AB, United Kingdom",
        "standard",
        "active",
        "GB00 TEST 0000 8151",
    ),
    _Customer(
        "C-1010",
        "Sofia Marchetti",
        "sofia.marchetti@example.com",
        "+39 06 555 0110",
        "Via del Campione 9, 00100 Roma, Italy",
        "plus",
        "active",
        "IT00 TEST 0000 1170",
    ),
    _Customer(
        "C-1011",
        "Ben Castellano",
        "ben.castellano@example.com",
        "+1 555 0111",
        "41 Spruce Avenue, Reno, NV 89501, USA",
        "standard",
        "active",
        "US00 TEST 0000 0931",
    ),
    _Customer(
        "C-1012",
        "Ruth Abernathy",
        "ruth.abernathy@example.com",
        "+1 555 0112",
        "19 Orchard Hill, Burlington, VT 05401, USA",
        "business",
        "active",
        "US00 TEST 0000 6402",
    ),
    _Customer(
        "C-1013",
        "Joan Pettifer",
        "joan.pettifer@example.com",
        "+1 555 0113",
        "230 Bluff Road, Savannah, GA 31401, USA",
        "standard",
        "cancelled",
        "US00 TEST 0000 3375",
    ),
)

_CARD: Final = "card ending"

ORDERS: Final = (
    _Order(
        "O-5001",
        "C-1001",
        "Two stoneware mugs, one tray",
        5490,
        "USD",
        "delivered",
        9,
        f"{_CARD} 4242",
    ),
    _Order("O-5002", "C-1002", "Linen tablecloth", 3200, "USD", "shipped", 21, f"{_CARD} 1881"),
    _Order(
        "O-5003",
        "C-1003",
        "Headphones, graphite",
        18900,
        "USD",
        "delivered",
        12,
        f"{_CARD} 0005",
    ),
    _Order("O-5004", "C-1004", "Desk lamp, walnut", 7600, "USD", "shipped", 4, f"{_CARD} 3155"),
    _Order(
        "O-5005",
        "C-1005",
        "Sensor modules, box of 40",
        680000,
        "USD",
        "delivered",
        16,
        "bank transfer ending 9098",
    ),
    _Order("O-5006", "C-1006", "包丁 三徳 180mm", 12800, "JPY", "delivered", 7, "JCB 0106"),
    _Order(
        "O-5007",
        "C-1007",
        "Wool throw, moss green",
        6400,
        "GBP",
        "delivered",
        30,
        f"{_CARD} 7714",
    ),
    _Order("O-5008", "C-1008", "Espresso grinder", 14900, "EUR", "delivered", 10, f"{_CARD} 2249"),
    _Order("O-5009", "C-1009", "Rain jacket, size M", 9900, "GBP", "paid", 1, f"{_CARD} 8151"),
    _Order(
        "O-5010",
        "C-1010",
        "Ceramic planter, large",
        4450,
        "EUR",
        "delivered",
        18,
        f"{_CARD} 1170",
    ),
    _Order(
        "O-5011", "C-1011", "Notebook set, dotted", 2490, "USD", "delivered", 25, f"{_CARD} 0931"
    ),
    _Order(
        "O-5012",
        "C-1012",
        "Standing desk frame",
        42900,
        "USD",
        "delivered",
        40,
        f"{_CARD} 6402",
    ),
    _Order(
        "O-5013",
        "C-1013",
        "Picture frames, set of 3",
        4500,
        "USD",
        "cancelled",
        60,
        f"{_CARD} 3375",
    ),
    _Order("O-5014", "C-1003", "Phone stand", 2900, "USD", "delivered", 45, f"{_CARD} 0005"),
    _Order("O-5015", "C-1004", "Cable box, oak", 3400, "USD", "unpaid", 1, None),
)

REFUNDS: Final = (
    _Refund("R-1001", "O-5014", 2900, "not_received", 23),
    _Refund("R-1002", "O-5010", 950, "damaged", 14),
    _Refund("R-1003", "O-5013", 4500, "cancelled_order", 58),
)

CREDITS: Final = (
    _Credit("K-1001", "C-1003", 1000, "USD", "goodwill", 20),
    _Credit("K-1002", "C-1009", 500, "GBP", "late", 75),
)
