"""The panel on the portal's page of a session: who was notified of what, and the state of the mails."""

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.urls import reverse

from core.accounts.models import User
from core.facts import answers
from core.mail.models import Mail
from core.portal.panels import Panel
from modules.notifications.models import Notification
from modules.notifications.queries.why import describe_mail
from modules.sessions.events import PanelsOfSession

VIEW = "notifications.view_notification"
MAX_SHOWN = 200


@answers(PanelsOfSession)
def list_panels(question: PanelsOfSession) -> list[Panel]:
    may_view = question.viewer.has_perm(VIEW)
    if not (question.can_moderate or may_view):
        return []
    notifications = Notification.objects.filter(session_id=question.session_id)
    counts = _count_notifications(notifications)
    latest = notifications.select_related("user", "mail__superseded_by").order_by("-pk")[:MAX_SHOWN]
    context = {
        "notifications": [_build_row(each, question, may_ask_why=may_view) for each in latest],
        "counts": counts,
        "all_url": _build_list_url(question.session_id) if may_view else "",
        "why_url": _build_why_url(question.session_id) if may_view else "",
    }
    return [
        Panel(
            key="notifications",
            title="Notifications",
            template="admin/notifications/panel.html",
            rank=50,
            count=counts["total"],
            context=context,
        )
    ]


def _count_notifications(notifications: "QuerySet[Notification]") -> dict[str, int]:
    """Count notifications, and their mails by status; a mail that superseded others counts for each of them."""
    is_last = Q(mail__superseded_by__isnull=True)
    by_status = {
        name: Count("pk", filter=(is_last & Q(mail__status__in=statuses)) | Q(mail__superseded_by__status__in=statuses))
        for name, statuses in (
            ("sent", [Mail.Status.SENT]),
            ("waiting", [Mail.Status.QUEUED, Mail.Status.SENDING]),
            ("failed", [Mail.Status.FAILED]),
            ("dropped", [Mail.Status.DROPPED]),
        )
    }
    return notifications.aggregate(
        total=Count("pk"),
        read=Count("pk", filter=Q(read_at__isnull=False)),
        shown=Count("pk", filter=Q(in_app=True)),
        mailed=Count("pk", filter=Q(by_mail=True)),
        not_logged=Count("pk", filter=Q(by_mail=True, mail__isnull=True)),
        **by_status,
    )


def _build_row(notification: Notification, question: PanelsOfSession, *, may_ask_why: bool) -> dict[str, Any]:
    reader = notification.user
    return {
        "notification": notification,
        "mail": describe_mail(notification, question.viewer),
        "mail_status": _get_mail_status(notification),
        "why_url": _build_why_url(question.session_id, reader) if may_ask_why else "",
    }


def _get_mail_status(notification: Notification) -> str:
    mail = notification.mail and (notification.mail.superseded_by or notification.mail)
    return mail.status if mail else ""


def _build_why_url(session_id: int, member: User | None = None) -> str:
    parameters = {"member": member.username if member else "", "session": session_id}
    return f"{reverse('admin:notifications_notification_why')}?{urlencode(parameters)}"


def _build_list_url(session_id: int) -> str:
    return f"{reverse('admin:notifications_notification_changelist')}?session_id__exact={session_id}"
