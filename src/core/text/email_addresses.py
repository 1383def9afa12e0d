"""E-mail addresses and the names of hosts, each in the one form in which it is stored, compared and sent to.

Domains are A-labels of IDNA 2008: `fuß.example` is `xn--fu-hia.example`. Python's own codec and what builds on it fold
it into `fuss.example`, by the rules of 2003, which is somebody else's.
"""

import re
import unicodedata
from email.errors import HeaderParseError, ObsoleteHeaderDefect
from email.headerregistry import Address, HeaderRegistry
from typing import Any

import idna

LONGEST_ADDRESS = 254
LONGEST_DOMAIN = 253
LONGEST_LABEL = 63

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_QUOTED = re.compile(r'"([ !#-\[\]-~]|\\[ -~])+"')
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ASCII_CAPITALS = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class InvalidAddress(ValueError):
    """No address that mail reaches; the text is a sentence for people."""


def normalize_domain(domain: str) -> str:
    """A domain in lower-case A-labels, without a dot at its end. Raises `ValueError`."""
    normalized = ".".join(_a_labels(domain))
    if len(normalized) > LONGEST_DOMAIN:
        raise ValueError(f"At most {LONGEST_DOMAIN} characters.")
    return normalized


def normalize_address(address: str) -> str:
    """The address with its domain in A-labels, and without quotes that it does not need. Raises `InvalidAddress`."""
    local, at, domain = address.rpartition("@")
    if not at:
        raise InvalidAddress("Enter a valid email address.")
    # Before anything folds its case: the sign of Kelvin and the long s would become letters of ASCII.
    if not local.isascii():
        raise InvalidAddress("Before the @ stand letters without accents, digits and signs of ASCII only.")
    local = _normalize_local_part(local)
    try:
        normalized = f"{local}@{'.'.join(_a_labels(domain))}"
    except ValueError:
        raise InvalidAddress("Enter a valid email address: after the @ stands a domain, as in example.org.") from None
    if len(normalized) > LONGEST_ADDRESS:
        raise InvalidAddress(f"At most {LONGEST_ADDRESS} characters.")
    return normalized


def normalize_address_if_valid(address: str) -> str:
    """The address in its normal form, or as it is where it has none."""
    try:
        return normalize_address(address)
    except InvalidAddress:
        return address


def build_address_key(address: str) -> str:
    """What makes two addresses the same: the mailbox, whatever the case, and however its domain is written.

    What is no address is only itself: folding the case of letters beyond ASCII would make it somebody else's.
    """
    return normalize_address_if_valid(address).translate(_ASCII_CAPITALS)


def get_deliverable_address(address: str) -> str:
    """The address as mail carries it: what has no normal form is sent to as it is, if nothing on the way folds it.

    Raises `InvalidAddress`.
    """
    try:
        return normalize_address(address)
    except InvalidAddress:
        if not address.isascii():
            raise
        return address


def normalize_sender(sender: str) -> str:
    """A sender, with a name or without, as in `Peer Learning <noreply@example.org>`. Raises `InvalidAddress`."""
    if not sender.isprintable():
        raise InvalidAddress("It has a line break or another character in it that nobody sees.")
    try:
        header: Any = HeaderRegistry()("From", sender)
    except (HeaderParseError, IndexError, ValueError):
        raise InvalidAddress("It is not an address.") from None
    if len(header.addresses) != 1 or header.groups[0].display_name is not None:
        raise InvalidAddress("It is not exactly one address; a name with a comma in it stands in quotes.")
    (found,) = header.addresses
    # A full stop in a name without quotes is out of date, and as clear as ever.
    unclear = [defect for defect in header.defects if not isinstance(defect, ObsoleteHeaderDefect)]
    if unclear or not found.domain:
        raise InvalidAddress("It is not an address.")
    address = normalize_address(found.addr_spec)
    return str(Address(display_name=found.display_name, addr_spec=address)) if found.display_name else address


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


def _a_labels(domain: str) -> list[str]:
    """Raises `ValueError`: the errors of the library are such."""
    labels = idna.uts46_remap(domain, std3_rules=True).split(".")
    if labels[-1] == "":
        labels.pop()
    encoded = [_a_label(label) for label in labels]
    if not encoded:
        raise ValueError("There is no domain.")
    _check_direction(encoded)
    return encoded


def _a_label(label: str) -> str:
    if label.isascii() and not label.startswith("xn--"):
        # The library takes for reserved what is in use, such as `r4---sn-x`.
        if not _LABEL.fullmatch(label):
            raise ValueError("This is no label of a domain.")
        return label
    return idna.alabel(label).decode()


def _check_direction(labels: list[str]) -> None:
    """In a domain with letters that are written from right to left, each label keeps to the rule for such (RFC 5893):
    else what is read is not what is there."""
    shown = [idna.ulabel(label) if label.startswith("xn--") else label for label in labels]
    if any(_runs_from_right(label) for label in shown):
        for label in shown:
            idna.check_bidi(label, check_ltr=True)


def _runs_from_right(label: str) -> bool:
    return not label.isascii() and any(unicodedata.bidirectional(letter) in {"R", "AL", "AN"} for letter in label)
