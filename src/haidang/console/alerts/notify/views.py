"""Pages of channels and of what could not be delivered."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from haidang.console.alerts.notify import channels as actions
from haidang.console.alerts.notify import letters
from haidang.console.alerts.notify.forms import ChannelForm
from haidang.console.alerts.notify.models import Channel, Outgoing
from haidang.console.alerts.notify.problems import problem_said
from haidang.console.look.forms import form_page, secret_page
from haidang.console.people.access import Request, allowed
from haidang.console.people.refusals import RefusedError

if TYPE_CHECKING:
    from django.http import HttpResponse

__all__ = [
    "act_on_dead_letters",
    "add_channel",
    "change_channel",
    "channel",
    "channels",
    "dead_letters",
    "remove_channel",
    "renew_secret",
    "switch_channel",
    "test_channel",
]

_PAGE = 100
_LAST = 30


@require_GET
@allowed("channels.see")
def channels(request: Request) -> HttpResponse:
    """Show all channels and how they fare; those in trouble first."""
    rows = sorted(
        actions.channels_of(request.user),
        key=lambda one: (not (one.enabled and one.failing_since), not one.dead, one.name.lower()),
    )
    context = {"rows": rows, "dead": letters.dead_letters(request.user).count()}
    return render(request, "channels/channels.html", context)


@require_GET
@allowed("channels.see")
def channel(request: Request, number: int) -> HttpResponse:
    """Show a channel, what waits in it, and what it told last."""
    shown = actions.channel_of(request, number)
    lately = Outgoing.objects.visible_to(request.user).filter(channel=shown).select_related("alert")
    context = {"channel": shown, "lately": lately.order_by("-pk")[:_LAST]}
    return render(request, "channels/channel.html", context)


@require_http_methods(["GET", "POST"])
@allowed("channels.edit")
def add_channel(request: Request) -> HttpResponse:
    """Add a channel; of a webhook show the secret."""

    def save(given: dict[str, Any]) -> HttpResponse:
        made, secret = actions.add_channel(request, given)
        if made.is_mail:
            messages.success(
                request, _("The channel was added. Send a test message to see whether it works.")
            )
            return redirect("channel", made.pk)
        return _secret_page(request, made, secret)

    form = ChannelForm(request.user, request.POST or None)
    return _form_page(request, form, save, title=_("New channel"), back=reverse("channels"))


@require_http_methods(["GET", "POST"])
@allowed("channels.edit")
def change_channel(request: Request, number: int) -> HttpResponse:
    """Change a channel."""
    shown = actions.channel_of(request, number)
    form = ChannelForm(request.user, request.POST or None, instance=copy(shown))
    return _form_page(
        request,
        form,
        lambda given: actions.change_channel(request, shown, given),
        title=shown.name,
        back=reverse("channel", args=[number]),
    )


@require_POST
@allowed("channels.edit")
def switch_channel(request: Request, number: int) -> HttpResponse:
    """Put a channel out of use, or in use again."""
    shown = actions.channel_of(request, number)
    enabled = request.POST.get("enabled") == "1"
    actions.change_channel(request, shown, {"enabled": enabled})
    messages.success(request, _("The channel is in use.") if enabled else _("The channel is out of use."))
    return redirect("channel", number)


@require_http_methods(["GET", "POST"])
@allowed("channels.edit")
def remove_channel(request: Request, number: int) -> HttpResponse:
    """Ask whether a channel is to be removed; remove it."""
    shown = actions.channel_of(request, number)
    if request.method == "GET":
        return render(request, "channels/remove.html", {"channel": shown})
    actions.remove_channel(request, shown)
    messages.success(request, _("The channel was removed."))
    return redirect("channels")


@require_POST
@allowed("channels.edit")
def renew_secret(request: Request, number: int) -> HttpResponse:
    """Give a channel a new signing secret, and show it."""
    shown = actions.channel_of(request, number)
    return _secret_page(request, shown, actions.renew_secret(request, shown))


@require_POST
@allowed("channels.edit")
def test_channel(request: Request, number: int) -> HttpResponse:
    """Send a test message, and say what became of it."""
    shown = actions.channel_of(request, number)
    trial = actions.test_channel(request, shown)
    if trial.delivered:
        said = _("The test message was taken, in %(seconds)s s.") % {"seconds": f"{trial.seconds:.1f}"}
        messages.success(request, said)
    else:
        said = _("The test message was not taken. %(problem)s") % {"problem": problem_said(trial.problem)}
        messages.error(request, said)
    return redirect("channel", number)


@require_GET
@allowed("channels.see")
def dead_letters(request: Request) -> HttpResponse:
    """Show what was given up, of all channels or of one, the newest first."""
    rows = letters.dead_letters(request.user)
    about = _number(request.GET.get("channel", ""))
    before = _number(request.GET.get("before", ""))
    if about:
        rows = rows.filter(channel=about)
    if before:
        rows = rows.filter(pk__lt=before)
    shown = list(rows[: _PAGE + 1])
    context = {
        "letters": shown[:_PAGE],
        "next": shown[_PAGE - 1].pk if len(shown) > _PAGE else None,
        "about": Channel.objects.visible_to(request.user).filter(pk=about).first() if about else None,
    }
    return render(request, "channels/dead_letters.html", context)


@require_POST
@allowed("channels.edit")
def act_on_dead_letters(request: Request) -> HttpResponse:
    """Send the chosen ones again, or discard them."""
    keys = [key for one in request.POST.getlist("letter") if (key := _number(one))]
    try:
        if request.POST.get("action") == "retry":
            count = letters.retry(request, keys)
            said = ngettext("%(n)s alert is sent again", "%(n)s alerts are sent again", count)
        elif request.POST.get("action") == "discard":
            count = letters.discard(request, keys)
            said = ngettext("%(n)s message discarded", "%(n)s messages discarded", count)
        else:
            return HttpResponseBadRequest(_("Say what to do."))
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said % {"n": count})
    about = _number(request.POST.get("channel", ""))
    return redirect(f"{reverse('dead-letters')}?channel={about}" if about else reverse("dead-letters"))


def _form_page(request: Request, form: ChannelForm, save: Any, *, title: str, back: str) -> HttpResponse:
    return form_page(
        request,
        form,
        save,
        title=title,
        back=back,
        said=_("The channel was changed."),
        template="channels/form.html",
    )


def _secret_page(request: Request, made: Channel, secret: str) -> HttpResponse:
    return secret_page(
        request,
        title=made.name,
        secret=secret,
        about=_(
            "The secret that messages are signed with, for the receiver. A new one makes the old one void."
        ),
        back=reverse("channel", args=[made.pk]),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
