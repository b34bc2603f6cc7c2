"""Second factors are sealed at rest, those of before from the next start on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time

from haidang.console.service.resealing import reseal

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from haidang.console.people.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def code() -> str:
    return str(format_hotp_value(hotp_value(SECRET, next(iter(yield_hotp_counters_from_time())))))


@pytest.mark.parametrize("plain", [False, True], ids=["new", "of before"])
def test_secrets_are_sealed_and_codes_fit(analyst: User, settings: Settings, *, plain: bool) -> None:
    factor = TOTP.activate(analyst, SECRET).instance
    codes = RecoveryCodes.activate(analyst)
    seed, listed = codes.instance.data["seed"], codes.get_unused_codes()
    if plain:
        factor.data["secret"] = SECRET
        factor.save()
        assert TOTP(factor).validate_code(code())
        assert (reseal(), reseal()) == (1, 0)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
    assert (reseal(), reseal()) == (2, 0)
    settings.SECRET_KEY_FALLBACKS = []
    kept = Authenticator.objects.get(pk=factor.pk)
    assert SECRET not in str(kept.data)
    again = RecoveryCodes(Authenticator.objects.get(pk=codes.instance.pk))
    assert again.instance.data["seed"] != seed
    assert again.get_unused_codes() == listed
    settings.SECRET_KEY = "lost"
    assert not TOTP(kept).validate_code(code())
    assert not set(again.get_unused_codes()) & set(listed)
