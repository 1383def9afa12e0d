"""Groups in the admin: permissions and facts."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group, Permission
from tests.portal import log_in

from core.accounts.models import User
from core.facts.models import FactRecord

LIST = "/admin/auth/group/"


@pytest.fixture
def group(db: None) -> Group:
    group = Group.objects.create(name="Readers")
    group.permissions.add(permission("view_user"))
    return group


def permission(codename: str) -> Permission:
    return Permission.objects.get(codename=codename)


def list_changes() -> list[tuple[str, object]]:
    return list(FactRecord.objects.order_by("pk").values_list("name", "changes"))


@pytest.mark.parametrize("step", ["add/", "{}/change/", "{}/delete/"])
def test_changing_groups_needs_a_superuser_whatever_the_permissions(
    step: str, group: Group, make_member: Callable[..., User]
) -> None:
    clerk = make_member("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__model="group"))
    everything = {"name": "Readers", "permissions": [permission("deactivate_user").pk], "post": "yes"}

    assert log_in(clerk).post(f"{LIST}{step.format(group.pk)}", everything).status_code == 403

    assert [each.codename for each in group.permissions.all()] == ["view_user"]
    assert list_changes() == []


def test_changed_permissions_of_a_group_are_recorded(root: User, group: Group) -> None:
    rights = [permission("view_user").pk, permission("deactivate_user").pk]

    answer = log_in(root).post(f"{LIST}{group.pk}/change/", {"name": "Clerks", "permissions": rights})

    assert answer.status_code == 302
    before, after = (
        [str(permission("view_user"))],
        sorted(str(each) for each in Permission.objects.filter(pk__in=rights)),
    )
    assert list_changes() == [
        ("accounts.GroupChanged", {"name": ["Readers", "Clerks"], "permissions": [before, after]})
    ]


def test_an_unchanged_group_publishes_nothing(root: User, group: Group) -> None:
    log_in(root).post(f"{LIST}{group.pk}/change/", {"name": "Readers", "permissions": [permission("view_user").pk]})

    assert list_changes() == []


def test_creating_a_group_is_recorded(root: User) -> None:
    log_in(root).post(f"{LIST}add/", {"name": "Empty"})

    assert list_changes() == [("accounts.GroupChanged", {"name": ["", "Empty"]})]


@pytest.mark.parametrize("way", ["page", "list"])
def test_deleting_a_group_is_recorded(way: str, root: User, group: Group) -> None:
    if way == "page":
        log_in(root).post(f"{LIST}{group.pk}/delete/", {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"}
        log_in(root).post(LIST, chosen)

    assert not Group.objects.filter(pk=group.pk).exists()
    rights = [str(permission("view_user"))]
    assert list_changes() == [("accounts.GroupChanged", {"name": ["Readers", ""], "permissions": [rights, []]})]
