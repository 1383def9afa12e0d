"""The group whose members moderate: what migrations give it."""

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


def test_it_has_the_rights_that_its_work_needs_and_no_other(db: None) -> None:
    assert rights() == EXPECTED


def test_its_members_have_them_and_others_do_not(morgan: User, jane: User) -> None:
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


def test_each_right_is_called_what_django_calls_it(db: None) -> None:
    names = dict(Permission.objects.filter(group__name="Moderators").values_list("codename", "name"))

    assert names == {codename: NAMES[codename] for codename in names}
    assert len(names) == len(EXPECTED)
