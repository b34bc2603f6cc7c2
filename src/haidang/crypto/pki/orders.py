"""What is asked of an authority, and whether it may be had: profile, subject, names and span must fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from haidang.crypto.pki.issuing import subject_name
from haidang.errors import AuthorityError
from haidang.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography import x509

    from haidang.crypto.pki.profiles import Profile
    from haidang.crypto.pki.requests import Request

__all__ = ["Order", "fitting_profile", "order_of"]


class Order(NamedTuple):
    """A certificate that is to be issued."""

    subject: x509.Name
    public_key: Any
    profile: str
    alternative_names: Sequence[x509.GeneralName] = ()
    days: int | None = None
    recipient: str = ""
    replaces: str = ""
    request: bytes = b""


def order_of(request: Request, profile: str, **changes: Any) -> Order:
    """Return the order that a request asks for."""
    order = Order(
        request.subject,
        request.public_key,
        profile,
        request.alternative_names,
        recipient=request.recipient,
        request=request.der,
    )
    return order._replace(**changes)


def fitting_profile(order: Order, kind: str, profiles: Mapping[str, Profile]) -> Profile:
    """Return the profile of an order, which must fit the order and the kind of the authority.

    Raises:
        AuthorityError: It does not.
    """
    profile = profiles.get(order.profile)
    if profile is None:
        raise AuthorityError(
            N_("There is no profile {name}."),
            hint=N_("Use {known}."),
            name=order.profile,
            known=", ".join(sorted(profiles)),
        )
    if profile.authority != (kind == "root") or order.profile == "root":
        raise AuthorityError(
            N_("A root signs authorities alone.")
            if kind == "root"
            else N_("An issuing authority signs no other authority."),
            hint=N_("Name the other authority, or another profile."),
        )
    missing = [name for name in profile.names if not _has(order.subject, name)]
    if missing:
        raise AuthorityError(
            N_("A certificate of profile {profile} needs {missing} in its subject."),
            hint=N_("Give it with --subject, e.g. --subject {example}=…"),
            profile=order.profile,
            missing=", ".join(missing),
            example=missing[0],
        )
    if "serverAuth" in profile.extended and not order.alternative_names:
        raise AuthorityError(
            N_("A server's certificate needs the names that it is called by."),
            hint=N_("Give them with --host, e.g. --host so.example.vn"),
        )
    if order.days is not None and not 1 <= order.days <= profile.days:
        raise AuthorityError(
            N_("A certificate of profile {profile} is valid for 1 to {days} days."),
            hint=N_("Give another number with --days, or none."),
            profile=order.profile,
            days=profile.days,
        )
    return profile


def _has(subject: x509.Name, part: str) -> bool:
    wanted = subject_name({part: "x@x" if part == "emailAddress" else "XX"})
    return bool(subject.get_attributes_for_oid(next(iter(wanted)).oid))
