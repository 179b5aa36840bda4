from __future__ import annotations

from gateway.subtitles import MAX_LINE, MAX_SECONDS, Segment, joined, segments, srt, vtt
from gateway.transcript import Transcript, Word


def words(*parts: tuple[str, float, float]) -> Transcript:
    return Transcript(" ".join(part[0] for part in parts), "en", [Word(*part) for part in parts])


def test_without_word_times_all_is_one_segment():
    assert segments(Transcript("Hello.", "en", []), 2.5) == [Segment(0.0, 2.5, "Hello.")]
    assert segments(Transcript(" ", "en", []), 2.5) == []


def test_a_pause_ends_a_segment():
    found = segments(words(("one", 0, 0.3), ("two", 0.4, 0.7), ("three", 2.0, 2.3)), 3)
    assert [part.text for part in found] == ["one two", "three"]


def test_long_speech_is_cut():
    many = words(*((f"word{number:04d}", number * 0.3, number * 0.3 + 0.25) for number in range(300)))
    found = segments(many, 90)
    assert all(len(part.text) <= MAX_LINE and part.end - part.start <= MAX_SECONDS for part in found)
    assert " ".join(part.text for part in found) == many.text


def test_times_and_escapes():
    part = Segment(3661.0005, 3725.9996, "a <b> & c")
    assert "01:01:01,000 --> 01:02:06,000" in srt([part]) or "01:01:01,001 --> 01:02:06,000" in srt([part])
    assert "a &lt;b&gt; &amp; c" in vtt([part]) and "a <b> & c" in srt([part])
    assert srt([]) == "" and vtt([]).startswith("WEBVTT")


def test_scripts_without_spaces_get_none():
    assert joined([" one ", "two", "", " three"]) == "one two three" and joined([]) == ""
    assert joined(["今日", "は", "Berlin", "です。", "はい。"]) == "今日は Berlin です。はい。"
    assert joined(["สวัสดี", "ครับ"]) == "สวัสดีครับ"
    (part,) = segments(words(("你", 0, 0.2), ("好。", 0.2, 0.5)), 1)
    assert part.text == "你好。"
