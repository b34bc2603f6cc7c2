"""The stage: all recorders of one telling, and what runs on the hosts before the log begins."""

from __future__ import annotations

from dataclasses import dataclass

from samples.making.audit import LinuxHost
from samples.making.cast import CLERK, CONTROLLER, WEB_SERVER, WORKSTATION, Chance, at
from samples.making.windows import SYSTEM, SYSTEM32, Process, WindowsHost, session_of
from samples.making.zeek import Sensor

__all__ = ["Stage", "set_the_stage"]


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that records, and the processes that both the story and the working day refer to."""

    chance: Chance
    pc: WindowsHost
    dc: WindowsHost
    web: LinuxHost
    net: Sensor
    explorer: Process
    outlook: Process
    pc_services: Process
    pc_svchost: Process
    pc_lsass: Process
    pc_defender: Process
    dc_services: Process
    dc_wmi: Process
    dc_svchost: Process


def set_the_stage(seed: int) -> Stage:
    """Return a stage on which nothing has happened yet."""
    chance = Chance(seed)
    pc = WindowsHost(WORKSTATION, 0x5C1E7A42, chance, sysmon=True, audit=False)
    dc = WindowsHost(CONTROLLER, 0x19D3B6E0, chance, sysmon=False, audit=True)
    clerk = session_of(CLERK, 0x5A3F1, 1)
    services = pc.running(at(-190), SYSTEM32 + "services.exe", SYSTEM)
    defender = "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\4.18.26090.5-0\\MsMpEng.exe"
    return Stage(
        chance=chance,
        pc=pc,
        dc=dc,
        web=LinuxHost(WEB_SERVER.name.lower(), chance),
        net=Sensor(chance),
        explorer=pc.running(at(-12), "C:\\Windows\\explorer.exe", clerk, "C:\\Windows\\Explorer.EXE"),
        outlook=pc.running(
            at(-8),
            "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
            clerk,
            '"C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE" ',
        ),
        pc_services=services,
        pc_svchost=pc.running(
            at(-190), SYSTEM32 + "svchost.exe", SYSTEM, SYSTEM32 + "svchost.exe -k netsvcs -p -s Schedule"
        ),
        pc_lsass=pc.running(at(-190), SYSTEM32 + "lsass.exe", SYSTEM),
        pc_defender=pc.running(at(-189), defender, SYSTEM),
        dc_services=dc.running(at(-9000), SYSTEM32 + "services.exe", SYSTEM),
        dc_wmi=dc.running(at(-3000), SYSTEM32 + "wbem\\WmiPrvSE.exe", SYSTEM),
        dc_svchost=dc.running(
            at(-9000), SYSTEM32 + "svchost.exe", SYSTEM, SYSTEM32 + "svchost.exe -k netsvcs -p"
        ),
    )
