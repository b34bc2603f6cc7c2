"""The working day on the two Windows hosts: what must not be reported, near misses included."""

from __future__ import annotations

from typing import TYPE_CHECKING

from samples.making.cast import CLERK, PEOPLE, SERVICE_ACCOUNT, WORKSTATION, Person, at
from samples.making.logons import fails, installs_service, leaves, logs_on, opens_share
from samples.making.windows import POWERSHELL, SYSTEM, SYSTEM32

if TYPE_CHECKING:
    from samples.making.stage import Stage
    from samples.making.windows import Process

__all__ = ["SITES", "everyday_on_windows"]

SITES = (
    ("dichvucong.haivan.example", "10.84.20.8"),
    ("www.baohaivan.example", "192.0.2.44"),
    ("vanban.chinhphu.example", "192.0.2.101"),
    ("login.cloudoffice.example", "192.0.2.150"),
    ("cdn.trinhduyet.example", "192.0.2.177"),
    ("update.nhacungcap.example", "192.0.2.203"),
    ("chat.zalo.example", "192.0.2.220"),
    ("hoinghi.truyenhinh.example", "192.0.2.231"),
)
_BROWSER = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe"
_OFFICE = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"
_DOCUMENTS = (
    "Tờ trình số 118.docx",
    "Báo cáo tuần 46.docx",
    "Lịch công tác.docx",
    "Dự toán quý I-2027.xlsx",
    "Danh sách họp.xlsx",
)
_TRACE = "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\KERNELBASE.dll+2c0ee|"
_SERVICE_TRACE = _TRACE + "C:\\Windows\\System32\\lsm.dll+10e93"
_ENGINE = "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26090.5-0\\"
_ENGINE_TRACE = _TRACE + _ENGINE + "MpSvc.dll+89d1"


def everyday_on_windows(stage: Stage) -> None:
    """Record the day of the workstation and of the domain controller."""
    _browsing(stage)
    _writing(stage)
    _background(stage)
    _near_misses(stage)
    _workstation_logons(stage)
    _controller(stage)
    _controller_near_misses(stage)


def _browsing(stage: Stage) -> None:
    browser = stage.pc.start(at(1.2), stage.explorer, _BROWSER, f'"{_BROWSER}" ')
    helper = stage.pc.start(at(1.3), browser, _BROWSER, f'"{_BROWSER}" --type=utility --lang=vi')
    minute = 2.0
    while minute < 194:
        name, address = stage.chance.one_of(SITES)
        stage.pc.asks(at(minute), helper, name, address)
        stage.pc.connects(at(minute + 0.01), helper, address, 443, name)
        if stage.chance.between(0, 1) < 0.3:
            tab = f'"{_BROWSER}" --type=renderer --lang=vi --renderer-client-id={stage.chance.whole(5, 400)}'
            process = stage.pc.start(at(minute + 0.02), browser, _BROWSER, tab)
            stage.pc.ends(at(min(minute + stage.chance.between(1, 25), 194.5)), process)
        minute += stage.chance.between(0.4, 1.9)


def _writing(stage: Stage) -> None:
    minute = 6.0
    while minute < 190:
        name = stage.chance.one_of(_DOCUMENTS)
        program = "EXCEL.EXE" if name.endswith("xlsx") else "WINWORD.EXE"
        path = f"C:\\Users\\mai.tt\\Documents\\{name}"
        process = stage.pc.start(
            at(minute), stage.explorer, _OFFICE + program, f'"{_OFFICE}{program}" "{path}"'
        )
        stage.pc.writes(at(minute + 0.1), process, f"C:\\Users\\mai.tt\\Documents\\~${name[2:]}")
        stage.pc.writes(
            at(minute + 2.1), process, f"C:\\Users\\mai.tt\\AppData\\Local\\Temp\\{stage.chance.hex(8)}.tmp"
        )
        stage.pc.sets(
            at(minute + 2.2),
            process,
            f"HKU\\{CLERK.sid}\\SOFTWARE\\Microsoft\\Office\\16.0\\Common\\Recent\\{stage.chance.hex(6)}",
            path,
        )
        if stage.chance.between(0, 1) < 0.4:
            printer = stage.pc.start(
                at(minute + 3), process, "C:\\Windows\\splwow64.exe", "C:\\Windows\\splwow64.exe 12288"
            )
            stage.pc.ends(at(minute + 4.5), printer)
        stage.pc.ends(at(minute + stage.chance.between(5, 9)), process)
        minute += stage.chance.between(5, 12)


def _background(stage: Stage) -> None:
    for _ in range(90):
        minute = stage.chance.between(0.5, 194)
        stage.pc.opens(at(minute), stage.pc_svchost, stage.pc_lsass, "0x1000", _SERVICE_TRACE)
    for _ in range(24):
        minute = stage.chance.between(0.5, 194)
        stage.pc.opens(at(minute), stage.pc_defender, stage.pc_lsass, "0x1410", _ENGINE_TRACE)
    for _ in range(70):
        minute = stage.chance.between(0.5, 193)
        name = stage.chance.one_of(
            ("taskhostw.exe", "backgroundTaskHost.exe", "SearchProtocolHost.exe", "dllhost.exe")
        )
        arguments = stage.chance.one_of((" -Embedding", f" /Processid:{{{stage.chance.hex(8).upper()}}}", ""))
        process = stage.pc.start(
            at(minute), stage.pc_svchost, SYSTEM32 + name, f"{SYSTEM32}{name}{arguments}"
        )
        stage.pc.loads(
            at(minute + 0.001),
            process,
            SYSTEM32 + stage.chance.one_of(("combase.dll", "rpcrt4.dll", "propsys.dll")),
        )
        stage.pc.ends(at(minute + stage.chance.between(0.1, 0.9)), process)
    for _ in range(40):
        minute = stage.chance.between(0.5, 194)
        value = stage.chance.one_of(("DhcpNameServer", "LeaseObtainedTime", "LeaseTerminatesTime"))
        key = "HKLM\\System\\CurrentControlSet\\Services\\Tcpip\\Parameters\\Interfaces\\{7c1e40aa}\\" + value
        stage.pc.sets(at(minute), stage.pc_svchost, key, f"DWORD (0x{stage.chance.hex(8)})")


def _near_misses(stage: Stage) -> None:
    """Things that look like the intruder's and are not: each is there to keep one rule honest."""
    pc = stage.pc
    onedrive = pc.running(
        at(-9), "C:\\Users\\mai.tt\\AppData\\Local\\Microsoft\\OneDrive\\OneDrive.exe", stage.explorer.session
    )
    run = f"HKU\\{CLERK.sid}\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\"
    pc.sets(at(3.3), onedrive, run + "OneDrive", f'"{onedrive.image}" /background')
    zalo = pc.running(
        at(-6), "C:\\Users\\mai.tt\\AppData\\Local\\Programs\\Zalo\\Zalo.exe", stage.explorer.session
    )
    pc.sets(at(8.8), zalo, run + "Zalo", f'"{zalo.image}" --hidden')
    script = "\\\\haivan.example\\netlogon\\kiem-ke.ps1"
    inventory = pc.start(
        at(12.0),
        stage.pc_svchost,
        POWERSHELL,
        f'"{POWERSHELL}" -NoProfile -ExecutionPolicy Bypass -File {script}',
        SYSTEM,
    )
    text = (
        "$os = Get-CimInstance Win32_OperatingSystem\nInvoke-WebRequest -UseBasicParsing "
        "-Uri http://10.84.10.9/kiem-ke -Method Post -Body ($os | ConvertTo-Json)"
    )
    pc.script(at(12.05), inventory, text, script)
    pc.connects(at(12.1), inventory, "10.84.10.9", 80)
    pc.ends(at(12.3), inventory)
    help_desk = pc.start(at(21.0), stage.explorer, SYSTEM32 + "cmd.exe", f'"{SYSTEM32}cmd.exe" ')
    for minute, name, arguments in (
        (21.2, "ipconfig.exe", ""),
        (22.0, "ping.exe", "10.84.10.5"),
        (22.5, "net.exe", "use"),
    ):
        pc.ends(
            at(minute + 0.2), pc.start(at(minute), help_desk, SYSTEM32 + name, f"{name} {arguments}".strip())
        )
    pc.ends(at(23.0), help_desk)
    packer = "C:\\Program Files\\7-Zip\\7zG.exe"
    zipped = pc.start(
        at(31.0), stage.explorer, packer, f'"{packer}" a -i#7zMap21 -t7z -sae -- "Báo cáo tuần 46.7z"'
    )
    pc.writes(at(31.1), zipped, "C:\\Users\\mai.tt\\Documents\\Báo cáo tuần 46.7z")
    pc.ends(at(31.3), zipped)
    tasks = pc.start(
        at(36.0),
        stage.pc_svchost,
        SYSTEM32 + "schtasks.exe",
        'schtasks.exe /query /tn "\\Microsoft\\Office\\Office Updates"',
    )
    pc.ends(at(36.1), tasks)
    for minute in (14.0, 74.0, 134.0):
        prompt = pc.running(at(minute), POWERSHELL, SYSTEM)
        pc.script(at(minute), prompt, "prompt")


def _workstation_logons(stage: Stage) -> None:
    logs_on(stage.pc, at(-0.0), CLERK, "127.0.0.1", kind=2, station=WORKSTATION.name, privileged=True)
    for _ in range(60):
        minute = stage.chance.between(1, 190)
        system = Person("SYSTEM", WORKSTATION.name + "$", 1201, "-")
        session = logs_on(stage.pc, at(minute), system, "-", kind=5)
        leaves(stage.pc, at(minute + stage.chance.between(0.1, 3)), session, 5)


def _controller(stage: Stage) -> None:
    dc, chance = stage.dc, stage.chance
    machines = [
        Person("", f"VP-PC-{number:03}$", 1200 + number, f"10.84.12.{20 + number}") for number in range(1, 30)
    ]
    for _ in range(260):
        minute = chance.between(0.2, 190)
        who = chance.one_of(machines) if chance.between(0, 1) < 0.55 else chance.one_of(PEOPLE)
        session = logs_on(dc, at(minute), who, who.address)
        share = "SYSVOL" if who.account.endswith("$") else chance.one_of(("VanBan", "SYSVOL", "DungChung"))
        opens_share(dc, at(minute + 0.01), session, who.address, share)
        leaves(dc, at(minute + chance.between(0.2, 4)), session)
    for _ in range(60):
        minute = chance.between(0.2, 193)
        name = chance.one_of(("taskhostw.exe", "dllhost.exe", "gpupdate.exe", "wbem\\WmiPrvSE.exe"))
        dc.start(at(minute), stage.dc_svchost, SYSTEM32 + name, f"{SYSTEM32}{name} -Embedding")
    for _ in range(40):
        data = {
            "param1": chance.one_of(("Windows Update", "DNS Client", "Software Protection")),
            "param2": "running",
        }
        dc.log(at(chance.between(1, 193)), "Services", 7036, data, keywords="0x8080000000000000", process=672)


def _controller_near_misses(stage: Stage) -> None:
    dc = stage.dc
    for minute, person in (
        (2.2, PEOPLE[3]),
        (2.5, PEOPLE[3]),
        (17.1, PEOPLE[8]),
        (88.0, PEOPLE[11]),
        (160.3, PEOPLE[5]),
    ):
        fails(
            dc,
            at(minute),
            person.account,
            person.address,
            f"VP-PC-{int(person.address.split('.')[-1]) - 20:03}",
        )
    backup = logs_on(
        dc, at(15.0), SERVICE_ACCOUNT, SERVICE_ACCOUNT.address, station="HV-BK01", privileged=True
    )
    opens_share(dc, at(15.02), backup, SERVICE_ACCOUNT.address, "VanBan")
    leaves(dc, at(38.0), backup)
    installs_service(dc, at(29.0), "SaoLuuAgent", '"C:\\Program Files\\SaoLuu\\agent.exe" --service')
    admin = logs_on(dc, at(50.0), PEOPLE[4], PEOPLE[4].address, kind=10, station="VP-PC-005", privileged=True)
    shell: Process = dc.start(
        at(50.5), stage.dc_services, SYSTEM32 + "cmd.exe", f'"{SYSTEM32}cmd.exe"', admin
    )
    questions = (
        (51.0, "wevtutil.exe", "qe System /c:5 /f:text"),
        (51.8, "auditpol.exe", "/get /category:*"),
        (53.0, "vssadmin.exe", "list shadows"),
        (54.0, "ntdsutil.exe", "files info q q"),
    )
    for minute, name, arguments in questions:
        dc.start(at(minute), shell, SYSTEM32 + name, f"{name} {arguments}", admin)
    leaves(dc, at(70.0), admin, 10)
