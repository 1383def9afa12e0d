"""The uploader is notified if somebody else removes a material."""

from typing import Any

import pytest
from tests.conftest import Api
from tests.modules.notifications.post import Post, body

from core.accounts.models import User
from core.facts.models import FailedDelivery
from modules.materials.events import MaterialRemoved
from modules.notifications.events import People, PeopleOfSession, StillHolds
from modules.notifications.models import Notification

REASON = "It is not yours to share."


@pytest.fixture(autouse=True)
def people(answer: Any, john: User, jane: User) -> None:
    """Session 7 is John's, and Jane is in it."""
    session = People(title="Knots", creator_id=john.pk, participant_ids=(jane.pk,))
    answer(PeopleOfSession, lambda question: session if question.session_id == 7 else None)


def removed(uploader: User | None) -> MaterialRemoved:
    whose = {"uploader_id": uploader.pk} if uploader else {}
    return MaterialRemoved(material_id=5, session_id=7, title="Slides", **whose)


def test_the_uploader_reads_which_material_was_removed_and_why(jane: User, morgan: User, news: Any) -> None:
    news.publish(removed(jane), by=morgan, reason=REASON)

    assert news.told() == {
        "jane_smith": [
            (
                "session_update",
                "Material removed for Knots",
                f'Your material "Slides" has been removed. Reason: {REASON}',
                7,
            )
        ]
    }
    assert Notification.objects.get().kind == "material_removed"


def test_a_removal_without_a_reason_mentions_none(jane: User, morgan: User, news: Any) -> None:
    news.publish(removed(jane), by=morgan)

    [(_, _, message, _)] = news.told()["jane_smith"]
    assert message == 'Your material "Slides" has been removed.'


def test_removing_an_own_material_notifies_nobody(jane: User, news: Any) -> None:
    news.publish(removed(jane), by=jane)

    assert news.told() == {}


def test_nobody_is_notified_by_old_records_without_an_uploader(morgan: User, news: Any) -> None:
    news.publish(removed(None), by=morgan)

    assert news.told() == {}
    assert not FailedDelivery.objects.filter(receiver__startswith="modules.notifications.").exists()


def test_nobody_is_notified_if_the_session_was_deleted(jane: User, morgan: User, news: Any) -> None:
    news.publish(MaterialRemoved(material_id=5, session_id=8, title="Slides", uploader_id=jane.pk), by=morgan)

    assert news.told() == {}


def test_it_is_mailed_by_default_and_can_be_muted(
    jane: User, bob: User, morgan: User, news: Any, post: Post, everything_holds: None
) -> None:
    Api(bob).put("/api/notifications/preferences/", {"material_removed": {"mail": False}})
    news.publish(removed(jane), by=morgan, reason=REASON)
    news.publish(removed(bob), by=morgan, reason=REASON)

    [mail] = post.after_the_delay()
    assert mail.to == [jane.email]
    assert f'Your material "Slides" has been removed. Reason: {REASON}' in body(mail)
    assert set(news.told()) == {"jane_smith", "bob_wilson"}


def test_a_retry_notifies_while_the_fact_holds(jane: User, morgan: User, news: Any, answer: Any) -> None:
    answer(StillHolds, lambda question: True)
    news.publish_while_broken("tell_of_material_removed", removed(jane), by=morgan, reason=REASON)
    assert news.told() == {}

    news.serve_again()

    [(_, _, message, _)] = news.told()["jane_smith"]
    assert message.endswith(REASON)


@pytest.mark.parametrize(("who", "name"), [("morgan", "a moderator"), ("john", "John Doe")])
def test_the_explanation_names_the_creator_but_no_moderator(
    who: str, name: str, jane: User, news: Any, request: pytest.FixtureRequest
) -> None:
    news.publish(removed(jane), by=request.getfixturevalue(who), reason=REASON)
    told = Notification.objects.get()

    answer = Api(jane).get(f"/api/notifications/{told.pk}/why/").json()

    assert answer["why"].startswith(f"You were told because {name} removed the material Slides on ")
