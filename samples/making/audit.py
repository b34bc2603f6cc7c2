"""A Linux host that records what happens on it: the audit log, and the lines of the system log.

Values are written as the kernel writes them: in quotes, or in hexadecimal where they hold a blank, a quote or
anything outside printable ASCII; ``proctitle`` joins its arguments with NUL.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from samples.making.cast import Chance

__all__ = ["LinuxHost", "Shell"]

_NOT_SET = 4294967295
_EXECVE, _OPENAT = 59, 257


@dataclass(frozen=True, slots=True)
class Shell:
    """Who does something: process id, user id, the id of the logon and its session."""

    number: int
    uid: int
    login: int = _NOT_SET
    session: int = _NOT_SET
    terminal: str = "(none)"
    folder: str = "/"


@dataclass(slots=True)
class LinuxHost:
    """Recorder of one host."""

    name: str
    chance: Chance
    records: list[tuple[datetime, list[str]]] = field(default_factory=list)
    messages: list[tuple[datetime, str]] = field(default_factory=list)

    def runs(self, time: datetime, shell: Shell, program: str, *arguments: str, ok: bool = True) -> Shell:
        """Record the start of a program with its arguments; return the one that now runs."""
        child = replace(shell, number=shell.number + self.chance.whole(1, 40))
        command = [program.rsplit("/", 1)[-1], *arguments]
        numbered = " ".join(f"a{index}={_quoted(value)}" for index, value in enumerate(command))
        self.records.append(
            (
                time,
                [
                    _syscall(self.chance, child, shell.number, _EXECVE, program, ok=ok, items=2, key="exec"),
                    f"EXECVE|argc={len(command)} {numbered}",
                    f"CWD|cwd={_quoted(shell.folder)}",
                    _path(self.chance, 0, program, "NORMAL"),
                    _path(self.chance, 1, "/lib64/ld-linux-x86-64.so.2", "NORMAL"),
                    f"PROCTITLE|proctitle={_title(command)}",
                ],
            )
        )
        return child

    def opens(
        self,
        time: datetime,
        shell: Shell,
        program: str,
        path: str,
        *,
        flags: int,
        key: str,
        made: bool = False,
    ) -> None:
        """Record that ``program`` opened a watched file with these flags; ``made`` if that created it."""
        paths = [_path(self.chance, 0, path, "NORMAL")]
        if made:
            folder = path.rsplit("/", 1)[0] + "/"
            paths = [_path(self.chance, 0, folder, "PARENT"), _path(self.chance, 1, path, "CREATE")]
        head = _syscall(
            self.chance,
            shell,
            shell.number - 1,
            _OPENAT,
            program,
            items=len(paths),
            key=key,
            flags=f"{flags:x}",
        )
        title = _title([program.rsplit("/", 1)[-1], path])
        self.records.append(
            (time, [head, f"CWD|cwd={_quoted(shell.folder)}", *paths, f"PROCTITLE|proctitle={title}"])
        )

    def session(
        self, time: datetime, kind: str, account: str, address: str, *, ok: bool, uid: int = 0
    ) -> None:
        """Record one step of a logon through sshd (USER_AUTH, USER_LOGIN, USER_START …)."""
        number = self.chance.whole(4000, 30000)
        result = "success" if ok else "failed"
        operation = {"USER_LOGIN": "login", "USER_AUTH": "PAM:authentication"}.get(kind, "PAM:session_open")
        text = (
            f"{kind}|pid={number} uid={uid} auid={_NOT_SET} ses={_NOT_SET} msg='op={operation} "
            f'acct={_quoted(account)} exe="/usr/sbin/sshd" hostname={address} addr={address} '
            f"terminal=ssh res={result}'"
        )
        self.records.append((time, [text]))

    def notes(self, time: datetime, text: str) -> None:
        """Record one other audit record, given as ``TYPE|fields``."""
        self.records.append((time, [text]))

    def says(self, time: datetime, program: str, text: str, number: int = 0) -> None:
        """Record one line of the system log."""
        tag = f"{program}[{number}]" if number else program
        self.messages.append((time, f"{self.name} {tag}: {text}"))

    def audit_lines(self) -> list[str]:
        """Return the audit log, in the order of time, with serial numbers."""
        lines = []
        for serial, (time, records) in enumerate(sorted(self.records, key=lambda record: record[0]), 48_210):
            stamp = f"{int(time.timestamp())}.{time.microsecond // 1000:03}"
            for record in records:
                kind, rest = record.split("|", 1)
                lines.append(f"node={self.name} type={kind} msg=audit({stamp}:{serial}): {rest}")
        return lines

    def system_lines(self) -> list[str]:
        """Return the system log (RFC 5424 times, as rsyslog's default of recent Debian writes them)."""
        ordered = sorted(self.messages, key=lambda message: message[0])
        return [f"{time:%Y-%m-%dT%H:%M:%S}.{time.microsecond:06}+00:00 {text}" for time, text in ordered]


def _syscall(  # noqa: PLR0913 - a system call has as many sides
    chance: Chance,
    shell: Shell,
    parent: int,
    number: int,
    program: str,
    *,
    ok: bool = True,
    items: int,
    key: str,
    flags: str = "",
) -> str:
    first = "ffffff9c" if number == _OPENAT else f"55{chance.hex(10)}"
    names = ("uid", "gid", "euid", "suid", "fsuid", "egid", "sgid", "fsgid")
    ids = " ".join(f"{name}={shell.uid}" for name in names)
    code = 0 if number == _EXECVE else 3
    return (
        f"SYSCALL|arch=c000003e syscall={number} success={'yes' if ok else 'no'} exit={code} "
        f"a0={first} a1=55{chance.hex(10)} a2={flags or '55' + chance.hex(10)} a3={'1b6' if flags else 0} "
        f"items={items} ppid={parent} pid={shell.number} auid={shell.login} {ids} tty={shell.terminal} "
        f"ses={shell.session} comm={_quoted(program.rsplit('/', 1)[-1][:15])} exe={_quoted(program)} "
        f'subj=unconfined key="{key}"'
    )


def _path(chance: Chance, item: int, name: str, kind: str) -> str:
    folder = name.endswith("/")
    mode = "040755" if folder else "0100755" if "/bin/" in name or "/sbin/" in name else "0100644"
    inode = chance.whole(131_000, 989_000)
    return (
        f"PATH|item={item} name={_quoted(name)} inode={inode} dev=fe:01 mode={mode} ouid=0 ogid=0 rdev=00:00 "
        f"nametype={kind} cap_fp=0 cap_fi=0 cap_fe=0 cap_fver=0 cap_frootid=0"
    )


def _quoted(value: str) -> str:
    plain = all("!" <= character <= "~" and character != '"' for character in value)
    return f'"{value}"' if plain and value else value.encode().hex().upper()


def _title(command: list[str]) -> str:
    joined = "\0".join(command)
    return f'"{joined}"' if len(command) == 1 else joined.encode()[:128].hex().upper()
