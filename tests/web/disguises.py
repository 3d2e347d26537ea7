"""Addresses that must not be reached, in every disguise we know: as URLs, and as answers of a resolver."""

import ipaddress
from collections.abc import Iterator

INSIDE = (
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.2.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
)
"""What IPv4 has that is not a public unicast address."""
INSIDE_V6 = (
    "::",
    "::1",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "3fff::1",
    "5f00::1",
    "4000::1",
    "64:ff9b:1::a00:1",
    "2a00:1450:4001::5efe:a00:1",
    "2a00:1450:4001::200:5efe:a00:1",
)


def wrapped(address: str) -> Iterator[str]:
    """IPv6 addresses that lead to an IPv4 address."""
    v4 = ipaddress.IPv4Address(address)
    number = int(v4)
    high, low = number >> 16, number & 0xFFFF
    yield f"::ffff:{address}"
    yield f"::ffff:{high:x}:{low:x}"
    yield f"::{address}"
    yield f"64:ff9b::{address}"
    yield f"2002:{high:x}:{low:x}::1"
    yield f"2001:0:{high:x}:{low:x}:0:ffff:{_turned(number)}"


def _turned(number: int) -> str:
    """How Teredo writes the client's address: every bit turned over (RFC 4380 section 4)."""
    turned = number ^ 0xFFFF_FFFF
    return f"{turned >> 16:x}:{turned & 0xFFFF:x}"


def spelled(address: str) -> Iterator[str]:
    """Hosts that some parser somewhere reads as an IPv4 address."""
    number = int(ipaddress.IPv4Address(address))
    parts = [number >> 24, number >> 16 & 255, number >> 8 & 255, number & 255]
    yield address
    yield str(number)
    yield hex(number)
    yield f"0{number:o}"
    yield ".".join(f"0x{part:02x}" for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield ".".join(f"{part:03}" for part in parts)
    yield f"{parts[0]}.{number & 0xFF_FFFF}"
    yield f"{parts[0]}.{parts[1]}.{number & 0xFFFF}"
    yield f"0x{parts[0]:x}.{parts[1]}.{parts[2]}.0{parts[3]:o}"
    yield f"{address}."
    yield "".join(chr(0xFEE0 + ord(char)) if char.isdigit() else "\u3002" for char in address)
    yield "".join(f"%{ord(char):02x}" for char in address)


def urls() -> Iterator[str]:
    """Every disguise that stands in the URL itself."""
    for address in INSIDE:
        for host in spelled(address):
            yield f"https://{host}/hook"
        for host in wrapped(address):
            yield f"https://[{host}]/hook"
        yield f"https://good.example@{address}/hook"
        yield f"https://{address}#@good.example/hook"
        yield f"https://{address}\\@good.example/hook"
        yield f"https://good.example:443@{address}:8443/"
    for address in INSIDE_V6:
        yield f"https://[{address}]/hook"
    yield from (
        "https://localhost/",
        "https://LOCALHOST./",
        "https://127.0.0.1:443\t/",
        "https:///127.0.0.1/",
        "https:127.0.0.1",
        "//127.0.0.1/",
        "https://good.example:22/",
        "https://good.example:6379/",
        "http://good.example/",
        "http://good.example:443/",
        "https://good.example:0/",
        "https://good.example:65536/",
        "https://good.example:443:80/",
        "https://good..example/",
        "https://.good.example/",
        "https://-good.example/",
        "https://go od.example/",
        "https://good.example/\r\nHost: 127.0.0.1",
        "https://good.example\x00.127.0.0.1/",
        "https://[::1%25lo]/",
        "https://[::1/",
        "https://::1/",
        "https://[127.0.0.1]/",
        "https://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "ftp://127.0.0.1/",
        "",
    )


def answers() -> Iterator[list[str]]:
    """What a resolver may say of a harmless name."""
    for address in INSIDE:
        yield [address]
        yield ["93.184.216.34", address]
        for form in wrapped(address):
            yield [form]
    for address in INSIDE_V6:
        yield [address]
        yield ["2606:2800:220:1::1", address]
    yield []
