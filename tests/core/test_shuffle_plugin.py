"""An order of the tests that a seed gives again."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

FILES = {
    "test_one": "import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_a(n): pass",
    "test_two": "import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_b(n): pass",
}


def order(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    """Names of the tests as they ran."""
    run = pytester.inline_run("-p", "tests.shuffle_plugin", "-p", "no:cacheprovider", *arguments)
    run.assertoutcome(passed=len(run.listoutcomes()[0]))
    return [report.nodeid for report in run.getreports("pytest_runtest_logreport") if report.when == "call"]


def test_a_seed_gives_its_order_again_also_of_a_part(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(**FILES)
    written = order(pytester)
    orders = [order(pytester, f"--shuffle={seed}") for seed in (1, 2, 1)]
    assert orders[0] == orders[2]
    assert written not in orders
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(written)
    assert order(pytester, "--shuffle=1", "test_one.py") == [name for name in orders[0] if "one" in name]
    assert any("two" in before and "one" in after for before, after in zip(orders[0], orders[0][1:], strict=False))
