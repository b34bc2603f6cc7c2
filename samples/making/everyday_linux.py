"""The working day on the web and mail server: what must not be reported, near misses included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.making.audit import Shell
from samples.making.cast import PEOPLE, RULES_REMOVED, at

if TYPE_CHECKING:
    from samples.making.stage import Stage

__all__ = ["everyday_on_linux"]

_PROBES = ("oracle", "test", "ubuntu", "git", "ftpuser", "pi", "support", "user1")


def everyday_on_linux(stage: Stage) -> None:
    """Record the day of the web server."""
    _jobs(stage)
    _mail(stage)
    _administrator(stage)
    _the_internet(stage)


def _jobs(stage: Stage) -> None:
    web = stage.web
    for minute in range(2, 195, 5):
        number = stage.chance.whole(3000, 20_000)
        root = Shell(number, 0, 0, 4 + minute)
        about = f"pid={number} uid=0 auid=0 ses={4 + minute}"
        pam = 'op=PAM:session acct="root" exe="/usr/sbin/cron" hostname=? addr=? terminal=cron res=success'
        for kind in ("USER_ACCT", "CRED_ACQ", "USER_START"):
            web.notes(at(minute), f"{kind}|{about} msg='{pam}'")
        web.says(at(minute), "CRON", "(root) CMD (/usr/local/bin/kiem-tra-dich-vu)", number)
        if minute > RULES_REMOVED:
            continue
        shell = web.runs(at(minute + 0.001), root, "/bin/sh", "-c", "/usr/local/bin/kiem-tra-dich-vu")
        web.runs(
            at(minute + 0.002), shell, "/usr/bin/curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1/suc-khoe"
        )
        web.runs(at(minute + 0.004), shell, "/usr/bin/df", "-h", "/var/vmail")
        if minute % 3 == 0:
            web.runs(
                at(minute + 0.006),
                shell,
                "/usr/bin/find",
                "/var/vmail",
                "-name",
                "*.tmp",
                "-mtime",
                "+7",
                "-delete",
            )
    web.runs(at(20.0), Shell(900, 0), "/usr/sbin/logrotate", "/etc/logrotate.conf")
    web.runs(at(20.1), Shell(905, 0), "/usr/bin/rm", "-f", "/var/log/syslog.7.gz", "/var/log/auth.log.5.gz")


def _mail(stage: Stage) -> None:
    chance, web = stage.chance, stage.web
    for _ in range(150):
        minute = chance.between(0.5, 194)
        sender, receiver = chance.one_of(PEOPLE), chance.one_of(PEOPLE)
        _letter(
            stage, minute, f"{sender.account}@haivan.example", receiver.account, chance.whole(2000, 900_000)
        )
    for _ in range(110):
        person = chance.one_of(PEOPLE)
        ends = f"rip={person.address}, lip=10.84.20.8, TLS"
        text = f"imap-login: Login: user=<{person.account}>, method=PLAIN, {ends}"
        web.says(at(chance.between(0.5, 194)), "dovecot", text)
    _letter(stage, 38.4, "vanphong@ubnd-hv.example", "mai.tt", 88_412)


def _letter(stage: Stage, minute: float, sender: str, receiver: str, size: int) -> None:
    queue, number = stage.chance.hex(10).upper(), stage.chance.whole(3000, 20_000)
    taken = f"{queue}: from=<{sender}>, size={size}, nrcpt=1 (queue active)"
    relay = "relay=private/dovecot-lmtp, delay=0.4, dsn=2.0.0, status=sent"
    given = f"{queue}: to=<{receiver}@haivan.example>, {relay}"
    stage.web.says(at(minute), "postfix/qmgr", taken, number)
    stage.web.says(at(minute + 0.02), "postfix/lmtp", given, number + 2)


def _administrator(stage: Stage) -> None:
    web, admin = stage.web, PEOPLE[4]
    web.session(at(28.0), "USER_AUTH", "quantri", admin.address, ok=False)
    web.session(at(28.01), "USER_LOGIN", "quantri", admin.address, ok=False)
    web.says(at(28.01), "sshd", f"Failed password for quantri from {admin.address} port 50011 ssh2", 8800)
    web.session(at(28.4), "USER_AUTH", "quantri", admin.address, ok=True)
    web.session(at(28.41), "USER_LOGIN", "quantri", admin.address, ok=True)
    web.says(at(28.41), "sshd", f"Accepted publickey for quantri from {admin.address} port 50012 ssh2", 8802)
    person = Shell(8810, 1000, 1000, 9, "pts0", "/home/quantri")
    for minute, arguments in (
        (29.0, ("/usr/bin/systemctl", "status", "apache2")),
        (30.0, ("/usr/bin/find", "/var/www", "-newer", "/etc/hostname", "-type", "f")),
        (31.0, ("/usr/bin/chmod", "640", "/etc/apache2/sites-available/dichvucong.conf")),
        (32.0, ("/usr/bin/tail", "-n", "50", "/var/log/apache2/error.log")),
        (33.0, ("/usr/bin/apt-get", "-s", "upgrade")),
    ):
        sudo = web.runs(at(minute), person, "/usr/bin/sudo", arguments[0].rsplit("/", 1)[-1], *arguments[1:])
        web.runs(at(minute + 0.01), Shell(sudo.number, 0, 1000, 9, "pts0", "/home/quantri"), *arguments)
        web.opens(
            at(minute + 0.005), sudo, "/usr/sbin/unix_chkpwd", "/etc/shadow", flags=0x80000, key="identity"
        )
    web.opens(
        at(28.405),
        Shell(8802, 0),
        "/usr/sbin/sshd",
        "/home/quantri/.ssh/authorized_keys",
        flags=0x0,
        key="ssh_keys",
    )


def _the_internet(stage: Stage) -> None:
    for name in _PROBES:
        minute = stage.chance.between(3, 190)
        address = f"198.51.100.{stage.chance.whole(100, 250)}"
        stage.web.says(
            at(minute),
            "sshd",
            f"Invalid user {name} from {address} port {stage.chance.whole(30000, 60000)}",
            7000,
        )
        stage.web.says(
            at(minute + 0.03),
            "sshd",
            f"Connection closed by invalid user {name} {address} port 41022 [preauth]",
            7000,
        )
