"""Pagination without a count."""

import re
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.core.paginator import EmptyPage, PageNotAnInteger
from django.test import Client
from django.utils.html import strip_tags
from tests.core.portal.conftest import get_list_url
from tests.core.portal.rows import get_rows

from core.accounts.models import Login
from core.portal import paging
from core.portal.paging import UncountedPaginator

LOGINS = "core.login"


@pytest.fixture(autouse=True)
def ten_rows_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django_admin.site._registry[Login], "list_per_page", 10)


def extract_text(page: Any) -> str:
    return " ".join(strip_tags(page.content.decode()).split())


def footer(page: Any) -> str:
    nav = re.search(r'<nav[^>]*aria-label="Pages">(.*?)</nav>', page.content.decode(), re.DOTALL)
    assert nav
    return " ".join(strip_tags(nav[1]).split())


def link(page: Any, rel: str) -> str | None:
    found = re.search(rf'<a href="([^"]*)" rel="{rel}"', page.content.decode())
    return found[1].replace("&amp;", "&") if found else None


def test_the_first_page_shows_that_there_is_more_without_a_total(admin: Client) -> None:
    get_rows(LOGINS).make(25)

    page = admin.get(get_list_url(LOGINS))

    assert footer(page) == "1 to 10, more Next"
    assert not re.search(r"\d+ (of|results|logins)", extract_text(page).replace("0 of 10 selected", ""))
    assert "Show all" not in extract_text(page)


def test_next_leads_through_all_pages(admin: Client) -> None:
    get_rows(LOGINS).make(25)
    seen, footers, address = [], [], get_list_url(LOGINS)

    while True:
        page = admin.get(address)
        seen += [login.pk for login in page.context["cl"].result_list]
        footers.append(footer(page))
        follows = link(page, "next")
        if not follows:
            break
        address = get_list_url(LOGINS) + follows

    assert seen == list(Login.objects.order_by("-id").values_list("pk", flat=True))
    assert footers == ["1 to 10, more Next", "11 to 20, more Previous Next", "21 to 25 Previous"]


def test_a_full_last_page_has_no_next_link(admin: Client) -> None:
    get_rows(LOGINS).make(20)

    page = admin.get(get_list_url(LOGINS, p=2))

    assert footer(page) == "11 to 20 Previous"
    assert link(page, "next") is None


def test_previous_leads_to_the_page_before(admin: Client) -> None:
    get_rows(LOGINS).make(25)

    back = link(admin.get(get_list_url(LOGINS, p=3)), "prev")

    assert back is not None
    assert footer(admin.get(get_list_url(LOGINS) + back)).startswith("11 to 20")


def test_a_list_of_one_page_has_no_links(admin: Client) -> None:
    get_rows(LOGINS).make(3)

    assert footer(admin.get(get_list_url(LOGINS))) == "1 to 3"


def test_an_empty_list_says_so(admin: Client) -> None:
    page = admin.get(get_list_url(LOGINS))

    assert footer(page) == "0 logins"
    assert "export-kinds" not in page.content.decode()


def test_pages_with_a_large_offset_are_in_order(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "LARGE_OFFSET", 10)
    get_rows(LOGINS).make(25)
    asked = {"q": "carol", "o": "2"}

    pages = [admin.get(get_list_url(LOGINS, **asked, p=number)) for number in (1, 2, 3, 4)]

    rows = [login.pk for page in pages for login in page.context["cl"].result_list]
    assert rows == list(Login.objects.order_by("created_at", "-pk").values_list("pk", flat=True))
    assert [footer(page) for page in pages[2:]] == ["21 to 25 Previous", "Nothing on this page First page"]


def test_an_empty_result_says_so_and_offers_to_clear_the_filters(admin: Client) -> None:
    get_rows("core.mail").make(1)
    query = {"q": "nobody", "status__exact": "sent", "o": "1"}

    page = admin.get(get_list_url("core.mail", **query))

    assert "No mails with “nobody” pass the filters." in extract_text(page)
    assert page.context["cl"].unfiltered_url == "?o=1"
    assert "No mails pass the filters." in extract_text(admin.get(get_list_url("core.mail", status__exact="queued")))
    assert "No mails with “nobody”." in extract_text(admin.get(get_list_url("core.mail", q="nobody")))


def test_an_empty_list_does_not_offer_to_clear_filters(admin: Client) -> None:
    text = extract_text(admin.get(get_list_url(LOGINS)))

    assert "Nothing is here" in text
    assert "Clear search and filters" not in text


@pytest.mark.parametrize("number", ["0", "-1", "abc", "1.5", "", "%00", "1e3", "9" * 5000])
def test_an_invalid_page_number_shows_the_first_page(admin: Client, number: str) -> None:
    get_rows(LOGINS).make(11)

    page = admin.get(get_list_url(LOGINS, p=number))

    assert page.status_code == 200
    assert footer(page) == "1 to 10, more Next"


@pytest.mark.parametrize("number", [3, 1000, 2**31, 2**63 // 10 - 1, 2**63, 10**30, 10**400])
def test_a_page_beyond_the_end_is_empty_and_links_to_the_first(admin: Client, number: int) -> None:
    get_rows(LOGINS).make(11)

    page = admin.get(get_list_url(LOGINS, p=number))

    assert page.status_code == 200
    assert not page.context["cl"].result_list
    assert footer(page) == "Nothing on this page First page"


def test_next_keeps_search_and_order(admin: Client) -> None:
    get_rows(LOGINS).make(25)

    follows = link(admin.get(get_list_url(LOGINS, q="carol", o="2")), "next")

    assert follows is not None
    assert sorted(follows.lstrip("?").split("&")) == ["o=2", "p=2", "q=carol"]


def test_there_is_no_page_with_all_rows(admin: Client) -> None:
    get_rows(LOGINS).make(25)

    assert len(admin.get(get_list_url(LOGINS, all="")).context["cl"].result_list) == 10


def test_the_rows_of_all_pages_can_be_selected_without_a_total(admin: Client) -> None:
    get_rows(LOGINS).make(25)

    text = extract_text(admin.get(get_list_url(LOGINS)))

    assert "Select logins on all pages" in text
    assert "0 of 10 selected" in text
    assert "All selected" in text


def test_a_list_of_one_page_does_not_offer_to_select_all_pages(admin: Client) -> None:
    get_rows(LOGINS).make(3)

    assert "on all pages" not in extract_text(admin.get(get_list_url(LOGINS)))


def test_editable_rows_are_saved(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.contrib.auth.models import Group

    model_admin = django_admin.site._registry[Group]
    monkeypatch.setattr(model_admin, "list_display", ("id", "name"))
    monkeypatch.setattr(model_admin, "list_display_links", ("id",))
    monkeypatch.setattr(model_admin, "list_editable", ("name",))
    monkeypatch.setattr(model_admin, "list_per_page", 2)
    get_rows("auth.group").make(3)

    page = admin.get(get_list_url("auth.group"))
    formset = page.context["cl"].formset
    body = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 2, "_save": ""}
    for number, form in enumerate(formset.forms):
        body |= {f"form-{number}-id": form.instance.pk, f"form-{number}-name": f"Renamed {number}"}
    admin.post(get_list_url("auth.group"), body)

    assert len(formset.forms) == 2
    assert footer(page) == "1 to 2, more Next"
    assert Group.objects.filter(name__startswith="Renamed").count() == 2


def test_the_paginator_returns_pages_and_a_count() -> None:
    paginator = UncountedPaginator(list(range(25)), 10)

    second, last = paginator.page(2), paginator.page("3")

    assert list(second) == list(range(10, 20))
    assert (second.has_previous(), second.has_next(), second.has_other_pages()) == (True, True, True)
    assert (second.previous_page_number(), second.next_page_number()) == (1, 3)
    assert (last.has_next(), last.start_index(), last.end_index()) == (False, 21, 25)


@pytest.mark.parametrize(("number", "error"), [("x", PageNotAnInteger), (None, PageNotAnInteger), (0, EmptyPage)])
def test_the_paginator_rejects_invalid_page_numbers(number: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        UncountedPaginator([], 10).page(number)
