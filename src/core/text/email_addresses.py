"""Normalization of e-mail addresses and host names, for storing, comparing and sending.

Domains are A-labels of IDNA 2008: `fuß.example` is `xn--fu-hia.example`. Python's codec follows IDNA 2003 and yields
`fuss.example`, another domain.
"""

import re
import unicodedata
from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.headerregistry import Address, HeaderRegistry
from typing import Any

import idna

MAX_ADDRESS_LENGTH = 254
MAX_DOMAIN_LENGTH = 253
MAX_LABEL_LENGTH = 63

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_QUOTED = re.compile(r'"([ !#-\[\]-~]|\\[ -~])+"')
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ASCII_CAPITALS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class InvalidAddress(ValueError):
    """An address that mail cannot be sent to. The message is for users."""


def normalize_domain(domain: str) -> str:
    """Return a domain in lower-case A-labels, without a trailing dot. Raises `ValueError`."""
    normalized = ".".join(_encode_domain(domain))
    if len(normalized) > MAX_DOMAIN_LENGTH:
        raise ValueError(f"At most {MAX_DOMAIN_LENGTH} characters.")
    return normalized


def normalize_address(address: str) -> str:
    """Return the address with its domain in A-labels and without unnecessary quotes. Raises `InvalidAddress`."""
    local, at, domain = address.rpartition("@")
    if not at:
        raise InvalidAddress("Enter a valid email address.")
    # Checked before case folding, which would turn the Kelvin sign and the long s into ASCII letters.
    if not local.isascii():
        raise InvalidAddress("Before the @ stand letters without accents, digits and signs of ASCII only.")
    local = _normalize_local_part(local)
    try:
        normalized = f"{local}@{'.'.join(_encode_domain(domain))}"
    except ValueError:
        raise InvalidAddress("Enter a valid email address: after the @ stands a domain, as in example.org.") from None
    if len(normalized) > MAX_ADDRESS_LENGTH:
        raise InvalidAddress(f"At most {MAX_ADDRESS_LENGTH} characters.")
    return normalized


def normalize_address_if_valid(address: str) -> str:
    """Return the normalized address, or an invalid one as it is."""
    try:
        return normalize_address(address)
    except InvalidAddress:
        return address


def build_address_key(address: str) -> str:
    """Build the key by which two addresses are the same: normalized, in lower case.

    Only ASCII is folded, since an invalid address beyond ASCII could become another valid one.
    """
    return normalize_address_if_valid(address).translate(_ASCII_CAPITALS)


def get_deliverable_address(address: str) -> str:
    """Return the address for SMTP: normalized, or an invalid one as it is if it is ASCII. Raises `InvalidAddress`."""
    try:
        return normalize_address(address)
    except InvalidAddress:
        if not address.isascii():
            raise
        return address


def normalize_sender(sender: str) -> str:
    """Normalize a sender, with or without a name: `Peer Learning <noreply@example.org>`. Raises `InvalidAddress`."""
    if not sender.isprintable():
        raise InvalidAddress("It has a line break or another character in it that nobody sees.")
    try:
        header: Any = HeaderRegistry()("From", sender)
    except (HeaderParseError, IndexError, ValueError):
        raise InvalidAddress("It is not an address.") from None
    if len(header.addresses) != 1 or header.groups[0].display_name is not None:
        raise InvalidAddress("It is not exactly one address; a name with a comma in it stands in quotes.")
    (parsed,) = header.addresses
    # A full stop in an unquoted name is obsolete syntax, but unambiguous.
    defects = [defect for defect in header.defects if not isinstance(defect, ObsoleteHeaderDefect)]
    if defects or not parsed.domain:
        raise InvalidAddress("It is not an address.")
    address = normalize_address(parsed.addr_spec)
    return str(Address(display_name=parsed.display_name, addr_spec=address)) if parsed.display_name else address


def _normalize_local_part(local: str) -> str:
    if _DOT_ATOM.fullmatch(local):
        return local
    if not _QUOTED.fullmatch(local):
        raise InvalidAddress("Enter a valid email address.")
    text = re.sub(r"\\(.)", r"\1", local[1:-1])
    if _DOT_ATOM.fullmatch(text):
        return text
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    return f'"{escaped}"'


def _encode_domain(domain: str) -> list[str]:
    """Encode the labels as A-labels. Raises `ValueError`, the base of the errors of the library."""
    labels = idna.uts46_remap(domain, std3_rules=True).split(".")
    if labels[-1] == "":
        labels.pop()
    encoded = [_encode_label(label) for label in labels]
    if not encoded:
        raise ValueError("There is no domain.")
    _check_direction(encoded)
    return encoded


def _encode_label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        # The library refuses labels with hyphens in the third and fourth place, which are in use: `r4---sn-x`.
        if not _LABEL.fullmatch(label):
            raise ValueError("This is no label of a domain.")
        return label
    return idna.alabel(label).decode()


def _check_direction(labels: list[str]) -> None:
    """Apply the rule for bidirectional domains (RFC 5893), without which a domain can be displayed as another one.

    Raises `ValueError`.
    """
    unicode_labels = [idna.ulabel(label) if label.startswith("xn--") else label for label in labels]
    if any(_is_right_to_left(label) for label in unicode_labels):
        for label in unicode_labels:
            idna.check_bidi(label, check_ltr=True)


def _is_right_to_left(label: str) -> bool:
    return not label.isascii() and any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} for letter in label)
