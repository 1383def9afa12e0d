"""Variables with hosts, origins, URLs, senders and paths of the app, and the messages for invalid ones."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

LISTS = {
    "ALLOWED_HOSTS": (" learn.example , ,.Learn.Example.,fuß.example,[0::1],127.0.0.1,*,learn.example,", [
        "learn.example", ".learn.example", "xn--fu-hia.example", "[::1]", "127.0.0.1", "*",
    ]),
    "CORS_ALLOWED_ORIGINS": (
        " https://App.Example,, http://localhost:3\n,https://fuß.example:443,http://[::1]:3,app://x,",
        ["https://app.example", "http://localhost:3", "https://xn--fu-hia.example", "http://[::1]:3", "app://x"],
    ),
    "CSRF_TRUSTED_ORIGINS": ("https://learn.example, https://*.Learn.example ,http://127.0.0.1:8000", [
        "https://learn.example", "https://*.learn.example", "http://127.0.0.1:8000",
    ]),
    "MODULES": (" modules.sessions , ,modules.materials,modules.sessions,", ["modules.sessions", "modules.materials"]),
    "REMINDER_MINUTES": (" 2880 , , 30,30 ", [2880, 30]),
}  # fmt: skip


@pytest.mark.parametrize("name", LISTS)
def test_lists_may_have_blanks_empty_items_and_duplicates(read: Any, name: str) -> None:
    given, expected = LISTS[name]

    assert read(**{name: given})[name] == expected


@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_empty_items_counts_as_not_set(read: Any, name: str) -> None:
    assert read(**{name: " , ,"})[name] == read()[name]


HOST = "write a name or an address without a scheme, a port or a path, as in learn.example, .learn.example or [::1]."
ORIGIN = (
    "write a scheme and a host, and a port where it has one, without a slash at the end, as in https://app.example."
)
SITE = "write where the site is, as in https://app.example or https://app.example/folder, without a password, ? or #."
SENDER = 'write one address, as in noreply@learn.example or "Learning, e.V." <noreply@learn.example>.'
LISTEN = "write a name or an address without a scheme or a port, as in 127.0.0.1 or 0.0.0.0."
SESSION = "as in /sessions/{id}."
RESET = "as in /reset-password or /reset/{uid}/{token}."
CONFIRM = "as in /confirm-email or /confirm/{token}."
INVALID = [
    *(
        ("ALLOWED_HOSTS", value, HOST)
        for value in (
            "https://learn.example", "learn.example:8000", "[::1]:8000", "learn.example/", "*.learn.example", "::1",
            "learn example", "learn_er.example", "a..example", "user@learn.example", "learn.example;www.learn.example",
            "x" * 64, "☃.example", "[127.0.0.1]", ".", "-a.example", "learn.example?x",
        )
    ),
    *(
        ("CORS_ALLOWED_ORIGINS", value, ORIGIN)
        for value in (
            "app.example", "https://app.example/", "https://app.example/path", "*", "https://*.app.example", "null",
            "https://", "https://app.example:99999", "https://app.example:port", "https://user:swordfish@app.example",
            "https://app.example?x", "https://app.example#x", "//app.example", "https://app example",
            "https:app.example", "https://app.example https://www.app.example",
        )
    ),
    *(
        ("CSRF_TRUSTED_ORIGINS", value, ORIGIN)
        for value in ("learn.example", "https://learn.example/", "https://*", "*", "https://a.*.example", "ftp://a.example")
    ),
    *(
        (name, value, SITE)
        for name in ("FRONTEND_URL", "SITE_URL", "S3_ENDPOINT_URL", "CLOUDINARY_API_URL", "CLOUDINARY_DELIVERY_URL")
        for value in (
            "app.example", "https://app.example/?x=1", "https://app.example/#/", "https://user:swordfish@app.example",
            "javascript:alert(1)", "https://", "https://app.example:99999", "https://app example/",
            "https://app.example/a b", "//app.example", "https://app.example/?", "https://a.example,https://b.example",
        )
    ),
    *(
        ("DEFAULT_FROM_EMAIL", value, SENDER)
        for value in (
            "Lernen, e.V. <x@y.example>", "nonsense", "a@b.example, c@d.example", "A <a@b.example", "A <a@b.example> B",
            "A\nBcc: c@d.example <a@b.example>", "A <a@b.example>\r\nBcc: c@d.example", "@b.example", "a@", "A <>",
            "ü@b.example", "a@☃.example", "a@b..example", "A: a@b.example;", "a b@c.example", "a@https://b.example",
        )
    ),
    *(
        ("HOST", value, LISTEN)
        for value in ("http://127.0.0.1", "127.0.0.1:8000", "[::1]:8000", "*", "a b", "127.0.0.1/", "x@y")
    ),
    *(
        ("FRONTEND_SESSION_PATH", value, SESSION)
        for value in (
            "sessions/{id}", "/sessions", "/{id}/{id}", "/{id}/{token}", "/{id", "/{id}}", "/{}", "/a b/{id}",
            "/ü/{id}", "https://app.example/{id}", "/{ID}", "/%7Bid%7D",
        )
    ),
    *(("FRONTEND_PASSWORD_RESET_PATH", value, RESET)
      for value in ("reset", "/{id}", "/{uid}{uid}", "/a\nb", "?x", "#/x")),
    *(("FRONTEND_EMAIL_CONFIRMATION_PATH", value, CONFIRM)
      for value in ("confirm", "/{uid}", "/{token}/{token}", "/<b>")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "shape"), INVALID, ids=[f"{name}-{value}" for name, value, _ in INVALID])
def test_the_message_for_an_invalid_value_has_a_valid_example(read: Any, name: str, value: str, shape: str) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        read(**{name: value})

    message = str(error.value)
    assert message.startswith(f"{name}: ")
    assert message.endswith(shape)
    assert message.isprintable()
    assert "swordfish" not in message


def test_the_message_names_the_invalid_item_of_a_list(read: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as error:
        read(ALLOWED_HOSTS="learn.example, https://learn.example")

    assert str(error.value) == f"ALLOWED_HOSTS: 'https://learn.example' cannot be read; {HOST}"


@pytest.mark.parametrize(
    ("given", "sender"),
    [
        ('"Lernen, e.V." <x@y.example>', '"Lernen, e.V." <x@y.example>'),
        ("Lernen e.V. <x@y.example>", '"Lernen e.V." <x@y.example>'),
        ("Lernen für alle <x@fuß.example>", "Lernen für alle <x@xn--fu-hia.example>"),
        ("x@Y.example", "x@y.example"),
        (" <x@y.example> ", "x@y.example"),
        ("o'brien+news@y.example", "o'brien+news@y.example"),
        ("Peer Learning <noreply@localhost>", "Peer Learning <noreply@localhost>"),
    ],
)
def test_a_sender_is_normalized(read: Any, given: str, sender: str) -> None:
    assert read(DEFAULT_FROM_EMAIL=given)["DEFAULT_FROM_EMAIL"] == sender


@pytest.mark.parametrize(
    ("given", "site"),
    [
        ("https://App.Example/", "https://app.example"),
        ("https://app.example:443/learn/", "https://app.example/learn"),
        ("http://fuß.example/übung", "http://xn--fu-hia.example/%C3%BCbung"),
        ("http://[0::1]:3000", "http://[::1]:3000"),
        ("http://web:3000", "http://web:3000"),
    ],
)
def test_a_base_url_is_normalized(read: Any, given: str, site: str) -> None:
    settings = read(FRONTEND_URL=given, SITE_URL=given)

    assert (settings["FRONTEND_URL"], settings["SITE_URL"]) == (site, site)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "127.0.0.1", "::1", "localhost", "learn.example"])
def test_a_server_may_listen_on_a_name_or_an_ip_address(read: Any, host: str) -> None:
    assert read(HOST=host)["HOST"] == host
    assert read(HOST="[::1]")["HOST"] == "::1"
