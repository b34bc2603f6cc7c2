"""The words that the HTML page speaks, for the catalogues and for the script of the page.

A test holds this list and the files of ``_html/`` together: the script says ``_("…")`` and
``_n("one", "many", n)``, the template ``{{…}}``. Placeholders are filled in the page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from haidang.i18n import N_

if TYPE_CHECKING:
    from haidang.i18n import Translator

__all__ = ["SCRIPT_WORDS", "TEMPLATE_WORDS", "page_words"]

SCRIPT_WORDS = (
    N_("As a table"),
    N_("Author of the rule"),
    N_("Came from"),
    N_("Clear all"),
    N_("Close"),
    N_("Copied"),
    N_("Copy"),
    N_("Copy a link to this finding"),
    N_("Copy as JSON"),
    N_("Copying was refused by the browser"),
    N_("Counting …"),
    N_("Event"),
    N_("Events"),
    N_("Every file was read in whole."),
    N_("Evidence"),
    N_("Field"),
    N_("File"),
    N_("Files"),
    N_("Finding id"),
    N_("Findings"),
    N_("First"),
    N_("First at"),
    N_("First seen"),
    N_("Format"),
    N_("From"),
    N_("Gravest first"),
    N_("Grouped by"),
    N_("Hits"),
    N_("Host"),
    N_("Hosts"),
    N_("Hosts of its findings"),
    N_("How"),
    N_("Kind of log"),
    N_("Last"),
    N_("Last seen"),
    N_("Leave"),
    N_("Level"),
    N_("Link"),
    N_("Log data"),
    N_("Newest first"),
    N_("Next finding"),
    N_("No events could be read, so nothing could be found."),
    N_("No finding passes these filters."),
    N_("No logon or remote access fits."),
    N_("No rule was refused."),
    N_("No rules were loaded, so nothing could be found."),
    N_("No value is that rare."),
    N_("Not read in whole"),
    N_("Not stated"),
    N_("Nothing was found in what could be read."),
    N_("Nothing was found."),
    N_("Notices"),
    N_("Other tags"),
    N_("Other users in its findings"),
    N_("Permanent link"),
    N_("Previous finding"),
    N_("Problem"),
    N_("Process tree"),
    N_("Rare and new values"),
    N_("Read in whole"),
    N_("Reading the findings …"),
    N_("Reason"),
    N_("Records skipped"),
    N_("Remove the filter {name}"),
    N_("Rule"),
    N_("Rule file"),
    N_("Rule id"),
    N_("Rules"),
    N_("Rules that were refused; they found nothing because they were not run"),
    N_("SSH"),
    N_("VPN"),
    N_("Scanned"),
    N_("Show all rules"),
    N_("Show all techniques"),
    N_("Show all links"),
    N_("Show all {n} characters"),
    N_("Show fewer"),
    N_("Show only this rule"),
    N_("All logons and remote access that the logs tell of."),
    N_("The links of the chosen host or user."),
    N_("The links of users and hosts in the graver findings, from left to right in the order of time."),
    N_("{n} links are drawn, those beside the gravest findings; choose a host or a user to see the others."),
    N_("Source"),
    N_("Status"),
    N_("Tactic"),
    N_("Technique"),
    N_("The first {n} of {all} findings; filter the page before printing to choose others."),
    N_("The tree goes on; only its beginning is shown."),
    N_("There were more moves than are kept; {n} are left out."),
    N_("There were more process starts than are kept; some may be missing."),
    N_("Time"),
    N_("Time (UTC)"),
    N_("Time taken"),
    N_("Times"),
    N_("To"),
    N_("User"),
    N_("Users in its findings"),
    N_("Value"),
    N_(
        "Values of key fields that at most {n} of the findings shown have; "
        "what is rare is worth a look first."
    ),
    N_("Went to"),
    N_("What happened"),
    N_("What matched"),
    N_("What to do first"),
    N_("Who moved where"),
    N_("Written"),
    N_("administration of a device"),
    N_("anywhere"),
    N_("at {time} UTC"),
    N_("between {from} and {to} UTC"),
    N_("command in a container"),
    N_("file share"),
    N_("hidden by the filters"),
    N_("its start was not seen"),
    N_("logon with other credentials"),
    N_("network logon"),
    N_("no findings"),
    N_("no host"),
    N_("not among the findings of this page"),
    N_("nothing"),
    N_("of {all}"),
    N_("of {all} findings"),
    N_("record {n}"),
    N_("remote desktop"),
    N_("remote management"),
    N_("remote service"),
    N_("remote task"),
    N_("role taken on"),
    N_("several places"),
    N_("sign-in to a cloud"),
    N_("the event has none"),
    N_("touch of a honeypot"),
    N_("unknown"),
    N_("web with a user name"),
    N_("{n} findings between {from} and {to} UTC"),
    N_("{n} more"),
    N_("{n} more are not listed here."),
    N_("{n} more; search for them"),
    N_("{n} not in whole"),
    N_("{n} of {all}"),
)
"""Message ids of the script that have one form."""

TEMPLATE_WORDS = (
    N_("ATT&CK matrix"),
    N_("All times are UTC."),
    N_("Clear all"),
    N_("Clear range"),
    N_("Close"),
    N_("Copy a link to this page with its filters"),
    N_("Copy link"),
    N_("Dark or light"),
    N_(
        "Drag to choose a range. With the keyboard: arrow keys move, Shift and an arrow "
        "key widens, Enter chooses, Escape clears."
    ),
    N_("Filter by level"),
    N_("Filters"),
    N_("Findings"),
    N_("Findings of a scan"),
    N_("Hải Đăng: findings"),
    N_("Keyboard shortcuts"),
    N_("Rare and new values"),
    N_("Reading the findings …"),
    N_("Rules that found something"),
    N_("Search in all fields"),
    N_("Skip to the findings"),
    N_(
        "Technique names: MITRE ATT&CK® Enterprise, © 2025 The MITRE Corporation, reproduced with permission."
    ),
    N_("The finding"),
    N_("This browser is too old to unpack the findings; please use a current one."),
    N_(
        "This page is one file. It loads nothing from the network and sends nothing: its "
        "content security policy forbids it."
    ),
    N_(
        "This page needs JavaScript to unpack the findings; it runs in the page alone and loads nothing. "
        "Without it, you see which rules found what."
    ),
    N_("Time line"),
    N_("What was read, and what was not"),
    N_("Who moved where"),
    N_("Whole time"),
    N_("Zoom in"),
    N_("clear all filters"),
    N_("close, leave"),
    N_("copy a link to the finding"),
    N_("copy the finding as JSON"),
    N_("findings by the tactics and techniques that their rules name"),
    N_("j and k move, Enter opens, Escape closes"),
    N_("next and previous finding"),
    N_("open the finding"),
    N_("search"),
)
"""Message ids of the template."""


def page_words(_: Translator) -> dict[str, str]:
    """Return message id to words; of a message with a plural, each English form is an id."""
    words = {message: _(message) for message in SCRIPT_WORDS}
    for one, many in zip(_counted(_, 1), _counted(_, 2), strict=True):
        words[one[0]] = one[1]
        words[many[0]] = many[1]
    return words


def _counted(_: Translator, n: int) -> list[tuple[str, str]]:
    """Return, for ``n`` things, the English form and the words for each message that has a plural."""
    english = 0 if n == 1 else 1
    return [
        (
            ("Show all {n} rule", "Show all {n} rules")[english],
            _.ngettext("Show all {n} rule", "Show all {n} rules", n),
        ),
        (
            ("{n} more that only feeds correlations", "{n} more that only feed correlations")[english],
            _.ngettext("{n} more that only feeds correlations", "{n} more that only feed correlations", n),
        ),
        (("on {n} host", "on {n} hosts")[english], _.ngettext("on {n} host", "on {n} hosts", n)),
        (("{n} event", "{n} events")[english], _.ngettext("{n} event", "{n} events", n)),
        (("{n} file", "{n} files")[english], _.ngettext("{n} file", "{n} files", n)),
        (
            ("{n} file could not be read in whole", "{n} files could not be read in whole")[english],
            _.ngettext("{n} file could not be read in whole", "{n} files could not be read in whole", n),
        ),
        (("{n} finding", "{n} findings")[english], _.ngettext("{n} finding", "{n} findings", n)),
        (
            ("{n} finding has no time", "{n} findings have no time")[english],
            _.ngettext("{n} finding has no time", "{n} findings have no time", n),
        ),
        (
            ("{n} joined finding", "{n} joined findings")[english],
            _.ngettext("{n} joined finding", "{n} joined findings", n),
        ),
        (("{n} notice", "{n} notices")[english], _.ngettext("{n} notice", "{n} notices", n)),
        (("{n} other host", "{n} other hosts")[english], _.ngettext("{n} other host", "{n} other hosts", n)),
        (
            ("{n} other process of the same parent", "{n} other processes of the same parent")[english],
            _.ngettext("{n} other process of the same parent", "{n} other processes of the same parent", n),
        ),
        (
            ("{n} link between hosts", "{n} links between hosts")[english],
            _.ngettext("{n} link between hosts", "{n} links between hosts", n),
        ),
        (("{n} rule", "{n} rules")[english], _.ngettext("{n} rule", "{n} rules", n)),
        (
            ("{n} rule refused", "{n} rules refused")[english],
            _.ngettext("{n} rule refused", "{n} rules refused", n),
        ),
        (
            ("{n} rule was refused", "{n} rules were refused")[english],
            _.ngettext("{n} rule was refused", "{n} rules were refused", n),
        ),
        (
            ("{n} {level} finding", "{n} {level} findings")[english],
            _.ngettext("{n} {level} finding", "{n} {level} findings", n),
        ),
    ]
