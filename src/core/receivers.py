"""Answers of core to the portal: the entries of its lists in the sidebar, and cards about the service."""

from django.db.models import Count, Q
from django.urls import reverse

from core.accounts.models import User
from core.facts.base import answers
from core.facts.models import FailedDelivery
from core.jobs.periodic import PERIODIC_JOBS, read_heartbeat
from core.mail.models import GIVEN_UP, Mail
from core.portal.dashboard import Area, Card, DashboardAsked, Tone
from core.portal.navigation import Entry, NavigationAsked, Section


@answers(NavigationAsked)
def list_entries(_question: NavigationAsked) -> list[Entry]:
    home = reverse("admin:index")
    return [
        Entry(section=Section.START, title="Dashboard", url=home, icon="dashboard", permission="", rank=0),
        Entry.for_list(Section.MODERATION, "core.user", "Members", icon="group", rank=40),
        Entry.for_list(Section.RECORDS, "core.factrecord", "Facts", icon="history", rank=10),
        Entry.for_list(Section.RECORDS, "core.faileddelivery", "Failed deliveries", icon="sync_problem", rank=20),
        Entry.for_list(Section.RECORDS, "core.mail", "Mails", icon="mail", rank=40),
        Entry.for_list(Section.RECORDS, "core.login", "Logins", icon="login", rank=60),
        Entry.for_list(Section.RECORDS, "core.sweep", "Background work", icon="monitor_heart", rank=70),
        Entry.for_list(Section.SETTINGS, "auth.group", "Groups", icon="shield_person", rank=20),
    ]


@answers(DashboardAsked)
def build_area(question: DashboardAsked) -> list[Area] | None:
    """The cards about the service, for members with any permission in the portal."""
    viewer = question.viewer
    if not (viewer.is_superuser or viewer.get_all_permissions()):
        return None
    cards = [_build_worker_card(viewer)]
    if viewer.has_perm("core.view_faileddelivery"):
        cards.append(_build_deliveries_card())
    if viewer.has_perm("core.view_mail"):
        cards.append(_build_mails_card())
    return [Area(key="service", title="The service", rank=90, cards=cards)]


def _build_worker_card(viewer: User) -> Card:
    beat = read_heartbeat()
    value = "On time"
    if beat.late_jobs:
        value = "Not running" if len(beat.late_jobs) == len(PERIODIC_JOBS) else "Late"
    return Card(
        key="worker",
        title="Worker",
        value=value,
        icon="heart_broken" if beat.late_jobs else "monitor_heart",
        note="It last did its work" if beat.last_ran_at else "It has never done any work",
        since=beat.last_ran_at,
        lines=[f"Late to {name}" for name in beat.late_jobs],
        url=reverse("admin:core_sweep_changelist") if viewer.has_perm("core.view_sweep") else "",
        tone=Tone.ALARM if beat.late_jobs else Tone.CALM,
    )


def _build_deliveries_card() -> Card:
    failed = FailedDelivery.objects.filter(delivered_at__isnull=True)
    return _build_failures_card(
        key="failed-deliveries",
        title="Failed deliveries",
        icon="sync_problem",
        url=f"{reverse('admin:core_faileddelivery_changelist')}?delivered_at__isempty=1",
        **failed.aggregate(number=Count("pk"), given_up=Count("pk", filter=Q(next_try_at__isnull=True))),
    )


def _build_mails_card() -> Card:
    failed = Mail.objects.filter(status=Mail.Status.FAILED)
    return _build_failures_card(
        key="failed-mails",
        title="Failed mails",
        icon="unsubscribe",
        url=f"{reverse('admin:core_mail_changelist')}?status__exact={Mail.Status.FAILED}",
        **failed.aggregate(number=Count("pk"), given_up=Count("pk", filter=GIVEN_UP)),
    )


def _build_failures_card(*, key: str, title: str, icon: str, url: str, number: int, given_up: int) -> Card:
    note, tone = "Nothing is left over", Tone.CALM
    if given_up:
        note, tone = f"{given_up} given up, {number - given_up} tried again", Tone.ALARM
    elif number:
        note, tone = "All of them are tried again", Tone.WARNING
    return Card(key=key, title=title, value=str(number), icon=icon, note=note, url=url, tone=tone)
