"""The rules for a new password, as configured in AUTH_PASSWORD_VALIDATORS."""

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from core.accounts.models import User
from core.errors import Invalid


def check_new_password(password: str, *, user: User, field: str) -> None:
    """Raises `Invalid`, naming `field`, where the password is too weak for this member."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({field: list(error.messages)}) from None
