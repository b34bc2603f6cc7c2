"""Seal the signing secrets of channels, which were kept as they are; backwards, open them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import migrations

from haidang.console.lockbox import opened, sealed

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_PLAIN = "whsec_"


def _seal(apps: Any, schema_editor: Any) -> None:
    _each(apps, schema_editor, lambda secret: sealed(secret) if secret.startswith(_PLAIN) else secret)


def _open(apps: Any, schema_editor: Any) -> None:
    _each(apps, schema_editor, lambda secret: secret if secret.startswith(_PLAIN) else opened(secret))


def _each(apps: Any, schema_editor: Any, changed: Callable[[str], str]) -> None:
    channels = apps.get_model("alerts", "Channel").objects.using(schema_editor.connection.alias)
    for pk, secret in channels.values_list("pk", "secret"):
        channels.filter(pk=pk).update(secret=changed(secret))


class Migration(migrations.Migration):
    dependencies = [
        ("alerts", "0008_channel_secrets"),
    ]

    operations = [
        # On its own: PostgreSQL does not alter a table in whose transaction rows were changed.
        migrations.RunPython(_seal, _open),
    ]
