"""The permissions that migrations grant to the group of moderators."""

from django.conf import settings
from django.contrib.auth.models import Permission

from core.accounts.models import User

RIGHTS = {
    "core": {"core.view_user", "core.deactivate_user"},
    "modules.sessions": {
        "learning_sessions.moderate_session",
        "learning_sessions.view_session",
        "learning_sessions.view_bookingrequest",
    },
    "modules.materials": {"materials.view_material"},
}
EXPECTED = set().union(*(rights for app, rights in RIGHTS.items() if app == "core" or app in settings.MODULES))


def rights() -> set[str]:
    given = Permission.objects.filter(group__name="Moderators").select_related("content_type")
    return {f"{each.content_type.app_label}.{each.codename}" for each in given}


def test_the_group_has_exactly_the_permissions_of_moderators(db: None) -> None:
    assert rights() == EXPECTED


def test_members_of_the_group_have_its_permissions(morgan: User, jane: User) -> None:
    assert morgan.get_all_permissions() == EXPECTED
    assert jane.get_all_permissions() == set()


NAMES = {
    "view_user": "Can view member",
    "deactivate_user": "Can deactivate and reactivate members",
    "moderate_session": "Can approve, reject, cancel and hide sessions",
    "view_session": "Can view session",
    "view_bookingrequest": "Can view booking request",
    "view_material": "Can view material",
}


def test_permissions_have_the_names_that_django_gives_them(db: None) -> None:
    names = dict(Permission.objects.filter(group__name="Moderators").values_list("codename", "name"))

    assert names == {codename: NAMES[codename] for codename in names}
    assert len(names) == len(EXPECTED)
