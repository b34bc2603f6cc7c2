"""Pages with one form: shown, checked, saved, and shown again with what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.shortcuts import redirect, render

from haidang.console.people.refusals import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms
    from django.http import HttpResponse

    from haidang.console.people.access import Request

__all__ = ["add_refusal", "form_page", "secret_page"]


def form_page(
    request: Request,
    form: forms.BaseForm,
    save: Callable[[dict[str, Any]], Any],
    *,
    title: str,
    back: str,
    said: str,
    template: str = "form.html",
) -> HttpResponse:
    """Return the page of a form; where it was sent and is right, save it and go back.

    Args:
        request: GET shows the form, POST sends it.
        form: Bound where the request is a POST.
        save: Is given what was entered; what it refuses is shown at its field. What it returns, where it is a
            response, is the answer.
        title: Of the page.
        back: Address to go to.
        said: What is told when it was saved.
        template: Shows ``title``, ``form`` and ``back``.
    """
    if request.method == "POST" and form.is_valid():
        try:
            answer = save(form.cleaned_data)
        except RefusedError as error:
            add_refusal(form, error)
        else:
            if hasattr(answer, "status_code"):
                found: HttpResponse = answer
                return found
            messages.success(request, said)
            return redirect(back)
    context = {"title": title, "form": form, "back": back}
    return render(request, template, context, status=400 if form.errors else 200)


def add_refusal(form: forms.BaseForm, error: RefusedError) -> None:
    """Show at each field of a form why it was refused; what belongs to none, above them."""
    for field, said in error.errors.items():
        for message in said:
            form.add_error(field if field in form.fields else None, message)


def secret_page(request: Request, *, title: str, secret: str, about: str, back: str) -> HttpResponse:
    """Return the page that shows a secret this once; no browser keeps it."""
    context = {"title": title, "secret": secret, "about": about, "back": back}
    answer = render(request, "secret.html", context)
    answer["Cache-Control"] = "no-store"
    return answer
