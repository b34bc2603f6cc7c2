"""Makes the sample of Parquet: ``python -m tests.events.readers.parquet_making`` writes it anew."""

from __future__ import annotations

from pathlib import Path

__all__ = ["EVENTS", "write_sample"]

SAMPLE = Path(__file__).parent / "samples" / "parquet" / "windows.parquet"

EVENTS = [
    {
        "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Hostname": "hv-ketoan02",
        "UtcTime": "2026-11-11 14:58:40.123", "Image": "C:\\Windows\\System32\\whoami.exe",
        "CommandLine": "whoami /all", "User": "HAIVAN\\hoa.nt",
    },
    {
        "Channel": "Security", "EventID": 4624, "Hostname": "hv-dc01", "UtcTime": "2026-11-11 14:58:41.000",
        "User": "quantri",
    },
    {
        "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 1, "Hostname": "hv-ketoan02",
        "UtcTime": "2026-11-11 14:58:44.000", "Image": "C:\\Windows\\explorer.exe",
    },
]  # fmt: skip


def write_sample(path: Path) -> None:
    """Write the events in two row groups."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = dict.fromkeys(name for event in EVENTS for name in event)
    table = pa.table({name: [event.get(name) for event in EVENTS] for name in names})
    pq.write_table(table, path, row_group_size=2)


if __name__ == "__main__":
    SAMPLE.parent.mkdir(parents=True, exist_ok=True)
    write_sample(SAMPLE)
