"""Model and form fields for e-mail addresses."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models

from core.text.email_addresses import InvalidAddress, normalize_address


def _normalize(address: Any) -> Any:
    try:
        return normalize_address(address) if address else address
    except InvalidAddress as error:
        raise ValidationError(str(error), code="invalid") from None


class AddressFormField(forms.EmailField):
    """Normalizes the address that was typed."""

    def to_python(self, value: Any) -> Any:
        return _normalize(super().to_python(value))


class AddressField(models.EmailField):  # type: ignore[type-arg]
    """Normalizes addresses before they are validated."""

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(_normalize(self.to_python(value)), model_instance)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(*args, **{"form_class": AddressFormField, **kwargs})

    def deconstruct(self) -> Any:
        """Migrations see Django's field, since the column is the same."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs
