"""Cleaning, masking and search terms of Chinese and Latin text."""

from __future__ import annotations

import pytest

from ticketing.text import bigrams, clean, mask_digits, mask_number


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("13800010000", "138****0000"),
        ("+8613800010000", "+86138****0000"),
        ("1234567", "12****67"),
        ("1860", "1***0"),
        ("", ""),
        (None, ""),
    ],
)
def test_numbers_are_masked_for_logs(number: str | None, masked: str) -> None:
    assert mask_number(number) == masked


def test_long_digit_runs_in_text_are_masked() -> None:
    assert mask_digits("卡号6222021234567890,编号 123") == "卡号622****7890,编号 123"


def test_text_is_cleaned_of_control_and_bidirectional_characters() -> None:
    assert clean("  张\u202e伟\r\nA\x00\u3000B ") == "张 伟 A B"
    assert clean("一\r\n 二\t三 \n\x07", lines=True) == "一\n二 三"
    assert clean("宽带" * 5, limit=3) == "宽带宽"


@pytest.mark.req("TL-72")
def test_two_character_words_are_search_terms() -> None:
    assert bigrams("宽带资费ADSL2號") == ["宽带", "带资", "资费", "adsl2", "號"]
    assert "宽带" in bigrams("我家宽带断了")
    assert bigrams("１８６０") == ["1860"]
