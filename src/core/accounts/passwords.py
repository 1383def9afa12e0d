"""Validation of new passwords by AUTH_PASSWORD_VALIDATORS."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string

from core.accounts.models import User, normalize_password
from core.errors import Invalid


def require_strong_password(password: str, *, user: User, field: str) -> None:
    """Raise `Invalid` with the messages of the validators under `field`, if the password is too weak."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid({field: list(error.messages)}) from None


class NormalizedPasswordValidator:
    """Wraps a validator in AUTH_PASSWORD_VALIDATORS, which then checks the normalized password."""

    def __init__(self, *, validator: str) -> None:
        self.validator = import_string(validator)()

    def validate(self, password: str, user: Any = None) -> None:
        self.validator.validate(normalize_password(password), user)

    def get_help_text(self) -> str:
        return str(self.validator.get_help_text())
