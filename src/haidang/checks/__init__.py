"""What checks and tests of rules came to, and how build servers read it: JUnit for tests, SARIF for checks.

    from haidang.checks import CheckResult, TestResult, write_junit, write_sarif

    write_junit(stream, [TestResult("Encoded PowerShell", "fires on sample 1", path="encoded.test.yml")])
    write_sarif(stream, [CheckResult("sigma/title-length", "The title is too long.", "encoded.yml", 1)])

Whoever runs the tests or checks makes the results; nothing here knows rules. Both formats are for machines,
so they speak English.
"""

from __future__ import annotations

from haidang.checks.junit import TestResult, write_junit
from haidang.checks.sarif import CheckKind, CheckResult, write_sarif

__all__ = ["CheckKind", "CheckResult", "TestResult", "write_junit", "write_sarif"]
