"""The address of a member, in a row and in a form."""

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
    """Takes an address however it is written."""

    def to_python(self, value: Any) -> Any:
        return _normalize(super().to_python(value))


class AddressField(models.EmailField):  # type: ignore[type-arg]
    """Holds addresses in their normal form, which is what the validators see."""

    def clean(self, value: Any, model_instance: models.Model | None) -> Any:
        return super().clean(_normalize(self.to_python(value)), model_instance)

    def formfield(self, *args: Any, **kwargs: Any) -> Any:
        return super().formfield(*args, **{"form_class": AddressFormField, **kwargs})

    def deconstruct(self) -> Any:
        """The column is that of any address: migrations need not know this class."""
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.EmailField", args, kwargs
